import nock from 'nock';
import type { JsonObject } from '../../../framework/core/value.ts';
import { connectByName } from '../../../framework/engine/connector.ts';
import { FakeClock } from '../../clock.ts';
import { NOW } from './provider.ts';
import { WIRE_LITERALS, type WireRequest } from './wire-literals.ts';

/** What left, as the wire shows it. */
interface Sent {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string;
}

/** Answers one text after another, whatever is asked, and keeps what was asked. */
function provider(origins: string[], answers: string[]): Sent[] {
  const sent: Sent[] = [];
  for (const origin of origins) {
    for (const method of ['GET', 'POST']) {
      nock(origin)
        .persist()
        .intercept(/.*/, method)
        .reply(function (uri, body) {
          const text = typeof body === 'string' ? body : JSON.stringify(body);
          sent.push({ method, url: origin + uri, headers: this.req.headers as unknown as Record<string, string>, body: text });
          return [200, answers.shift() ?? '{"message":"one request too many"}', { 'content-type': 'application/json' }];
        });
    }
  }
  return sent;
}

const collapsed = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'query' in value
    ? { ...value, query: String(value.query).replace(/\s+/g, ' ').trim() }
    : value;

function expectRequest(sent: Sent | undefined, wanted: WireRequest): void {
  expect(sent).toBeDefined();
  const { method, url, headers, body } = sent as Sent;
  const [actual, expected] = [new URL(url), new URL(wanted.url)];
  expect({ method, path: actual.origin + actual.pathname }).toEqual({ method: wanted.method, path: expected.origin + expected.pathname });
  expect([...actual.searchParams].sort()).toEqual([...expected.searchParams].sort());
  const single = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), Array.isArray(value) ? value.join(', ') : value]),
  );
  for (const [name, value] of Object.entries(wanted.headers)) expect({ [name]: single[name.toLowerCase()] }).toEqual({ [name]: value });
  for (const name of wanted.absent ?? []) expect(single[name.toLowerCase()]).toBeUndefined();
  if (wanted.json !== undefined) expect(collapsed(JSON.parse(body))).toEqual(collapsed(wanted.json));
  else if (wanted.form !== undefined) expect(Object.fromEntries(new URLSearchParams(body))).toEqual(wanted.form);
  else expect(body).toBe('');
}

describe('the wire requests of each provider are those of its reference', () => {
  beforeEach(() => nock.disableNetConnect());
  // It patches Node's own http, which the next test file of this worker would meet.
  afterAll(() => nock.restore());
  afterEach(() => {
    nock.cleanAll();
    nock.enableNetConnect();
  });

  it('has two streams of each of the five', () => {
    const streams = new Map<string, Set<string>>();
    for (const { connector, stream } of WIRE_LITERALS) streams.set(connector, (streams.get(connector) ?? new Set()).add(stream));
    expect([...streams.keys()].sort()).toEqual(['amazon-ads', 'jama-connect', 'jampp', 'jumpseller', 'uppromote']);
    for (const names of streams.values()) expect(names.size).toBeGreaterThanOrEqual(2);
  });

  it.each(WIRE_LITERALS.map((literal) => [`${literal.connector} ${literal.stream}: ${literal.about}`, literal] as const))(
    '%s',
    async (_, literal) => {
      const { token, requests, pages, captured = {} } = literal;
      const all = [...(token ? [token.request] : []), ...requests];
      const sent = provider([...new Set(all.map(({ url }) => new URL(url).origin))], [...(token ? [token.answer] : []), ...pages]);
      const connection = await connectByName(
        literal.connector,
        {
          method: literal.method,
          choices: literal.choices,
          fields: literal.inputs,
          ...(captured.access_token !== undefined && { tokens: captured }),
        },
        { environment: {}, clock: new FakeClock(Date.parse(NOW)) },
      );
      const records: JsonObject[] = [];
      for await (const record of connection.read(literal.stream)) records.push(record);
      await connection.close();
      expect(sent).toHaveLength(all.length);
      for (const [index, wanted] of all.entries()) expectRequest(sent[index], wanted);
      expect(records).toHaveLength(literal.records);
      expect(records[0]).toMatchObject(literal.first);
      expect(records.at(-1)).toMatchObject(literal.last);
    },
  );
});
