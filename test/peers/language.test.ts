import type { JsonObject } from '../../framework/core/value.ts';
import type { FieldValue } from '../../framework/credentials/types.ts';
import { connectSpec } from '../../framework/engine/connect.ts';
import { lintText } from '../../framework/spec/lint.ts';
import { acme, addresses } from '../acme.ts';
import { FakeClock } from '../clock.ts';
import { failureIn } from '../failure.ts';
import { type Answer, type LocalServer, type Received, serve } from '../server.ts';

/** Reuse within a spec, and expressions, row by row as in the nearest system (docs: “language”); literals by hand. */
let server: LocalServer;
let answer: (request: Received) => Answer;

beforeEach(async () => {
  answer = () => ({ json: [] });
  server = await serve((request) => answer(request));
});

afterEach(() => server.close());

/** The records of stream `s`. */
async function read(rest: string, fields: Record<string, FieldValue> = {}, at = '2021-01-01T12:34:56Z'): Promise<JsonObject[]> {
  const options = { ...addresses(server.origin), clock: new FakeClock(Date.parse(at)) };
  await using connection = await connectSpec(acme(`auth: { none: none }\n${rest}`), { fields }, options);
  const records: JsonObject[] = [];
  for await (const record of connection.read('s')) records.push(record);
  return records;
}

/** Findings of severity error, each with its line in `rest`. */
function findings(rest: string): string[] {
  const head = `spec: 1\nname: acme\ntitle: Acme\nversion: 1.0.0\nhttp: { base_url: 'https://api.acme.test/v1' }\ncheck: { get: /me }\nauth: { none: none }\n`;
  const lines = head.split('\n').length - 1;
  return lintText(`${head}${rest}`, 'acme.yaml')
    .filter(({ severity }) => severity === 'error')
    .map(({ rule, message, hint, start }) => `${start.line - lines} ${rule}: ${message}${hint === undefined ? '' : ` ${hint}`}`);
}

test('M1 a stream takes a template with its own words in it, and its own keys override; circles and what is not there are findings', async () => {
  await read(
    `templates:
  list:
    post: '/\${with.path}'
    headers: { X-A: template, X-B: template }
    body: { filter: { state: open, kind: '\${with.kind}' }, sort: [a, b], size: 10 }
streams:
  s: { use: list, with: { path: orders, kind: order }, headers: { x-b: stream }, body: { filter: { state: null, after: 1 }, sort: [c], size: 20 } }`,
  );
  const [sent] = server.received;
  expect([sent?.method, sent?.path]).toEqual(['POST', '/v1/orders']);
  expect(sent?.headers).toMatchObject({ 'x-a': 'template', 'x-b': 'stream' });
  // A map key by key, however deep; a list as a whole.
  expect(JSON.parse(sent?.body ?? '')).toEqual({ filter: { kind: 'order', after: 1 }, sort: ['c'], size: 20 });

  expect(findings('templates:\n  a: { use: b }\n  b: { use: a }\nstreams: { s: { use: a, get: /s } }')).toEqual(
    [2, 3].map(
      (line) => `${line} template-chain: A template cannot use another one. Let the stream use one template, and write the rest in it.`,
    ),
  );
  expect(findings('templates: { list: { get: /s } }\nstreams:\n  t: { use: list }\n  s: { use: lst }')).toEqual([
    '4 unknown-template: There is no template `lst`. Did you mean `list`?',
  ]);
  // Nothing is spliced in by its place: neither YAML's own way nor a reference, to a list's item or to anything else.
  expect(findings('streams:\n  a: &a { get: /a }\n  s: *a').map((line) => line.split(':')[0])).toEqual(
    expect.arrayContaining(['2 yaml-feature', '3 yaml-feature']),
  );
  expect(findings("streams:\n  a: { get: /a, primary_key: [id] }\n  s: { get: /s, $ref: '#/streams/a/primary_key/0' }")[0]).toMatch(
    /^3 unknown-key: `\$ref` is no key of `streams\.s`\./,
  );
  // A stream can be started without lint: it fails before anything is sent.
  server.received.length = 0;
  expect(await failureIn(() => read('templates: { list: { get: /s } }\nstreams: { s: { use: lst } }'))).toMatchObject({
    code: 'spec_invalid',
    where: 'streams.s.use',
  });
  expect(server.received).toEqual([]);
});

test('J1 a value keeps the type that it has: a text stays as it was written', async () => {
  const texts = ['1.10', '1_000', '1e5', '0x1F', 'None', 'true', "'quoted'", '[1]', '{"a": 1}', '007'];
  for (const text of texts) {
    await read(
      `fields: { f: { title: F } }
streams: { s: { post: /s, query: { q: '\${fields.f}' }, headers: { X-F: 'v\${fields.f}v' }, body: { f: '\${fields.f}', in: 'a \${fields.f}' } } }`,
      { f: text },
    );
    const { query, headers, body } = server.received.at(-1) as Received;
    expect([query.get('q'), headers['x-f'], JSON.parse(body)]).toEqual([text, `v${text}v`, { f: text, in: `a ${text}` }]);
  }
  // Numbers, lists and maps are what they are where the expression is the whole value, and a text only when the spec says so.
  answer = () => ({ json: [{ n: 1.5, list: [1, 'two'], map: { a: null }, text: '1.50' }] });
  const records = await read(
    `fields: { count: { type: number }, tags: { type: list }, on: { type: boolean } }
streams:
  s:
    post: /s
    body: { count: '\${fields.count}', text: '\${string(fields.count)}', more: 'n=\${fields.count}', tags: '\${fields.tags}', on: '\${fields.on}', map: '\${ {"a": fields.count + 1} }' }
    add: { n2: '\${record.n}', list2: '\${record.list}', map2: '\${record.map}', text2: '\${record.text}', text3: '\${string(record.n)}' }`,
    { count: 3, tags: ['1', 'b'], on: true },
  );
  expect(JSON.parse(server.received.at(-1)?.body ?? '')).toEqual({
    count: 3,
    text: '3',
    more: 'n=3',
    tags: ['1', 'b'],
    on: true,
    map: { a: 4 },
  });
  expect(records).toEqual([
    {
      ...{ n: 1.5, list: [1, 'two'], map: { a: null }, text: '1.50' },
      ...{ n2: 1.5, list2: [1, 'two'], map2: { a: null }, text2: '1.50', text3: '1.5' },
    },
  ]);
});

test('J2 what is not known is an error, never an empty text', async () => {
  const spec = (expression: string) =>
    `fields: { given: { title: Given }, optional: { title: Optional, required: false } }
streams:
  s: { get: '/\${fields.given}', query: { q: '${expression}', o: '\${fields.optional}' } }`;
  const found: [expression: string, finding: string][] = [
    ['${config.x}', 'expression-name: Nothing is called config here.'],
    ['${fields.missing}', 'expression-name: fields has no missing.'],
    ['Bearer ${fields.optional}', 'expression-type: fields.optional may be absent'],
    ['${fields.given +}', 'expression-syntax: The expression ends too early.'],
    ['${fields.given', 'expression-syntax: This ${ is not closed.'],
    ['${range(10)}', 'expression-name: There is no function range().'],
    ['${fields.__class__}', 'expression-name: fields has no __class__.'],
    ['${fields.given.__class__.__mro__}', 'expression-type: '],
    ['${fields.constructor}', 'expression-name: fields has no constructor.'],
  ];
  for (const [expression, finding] of found) {
    expect([expression, findings(spec(expression))]).toEqual([expression, [expect.stringContaining(`3 ${finding}`)]]);
    // Without lint it ends there too, before anything is sent.
    expect(await failureIn(() => read(spec(expression), { given: 'x' }))).toMatchObject({ code: 'spec_invalid', kind: 'spec' });
  }
  expect(await failureIn(() => read(spec('${fields.given}')))).toMatchObject({
    code: 'input_missing',
    where: expect.stringContaining('given'),
  });
  expect(server.received).toEqual([]);

  // An optional field without a value leaves its entry out, or has the default that the spec gives it.
  await read(spec('${default(fields.optional, "none")}'), { given: 'x' });
  expect(server.received.at(-1)?.query.toString()).toBe('q=none');

  // Data that lack a name fail the read, unless a default is there. Names that objects have anyway are names like others.
  answer = () => ({ json: [{ id: 1 }] });
  const adding = (expression: string) => `streams: { s: { get: /s, add: { x: '${expression}' } } }`;
  for (const name of ['missing', '__proto__', 'constructor']) {
    expect(await failureIn(() => read(adding(`\${record.${name}}`)))).toMatchObject({
      code: 'path_missing',
      kind: 'data',
      message: expect.stringContaining(`record has no ${name}`),
    });
  }
  expect(await read(adding('${default(record.missing, 0)}'))).toEqual([{ id: 1, x: 0 }]);
});

test('J3 times: now, days from now, lengths, texts read and written', async () => {
  answer = () => ({ json: [{ id: 1, at: '2022-02-28', exact: '2022-02-28T23:59:59+01:00', german: '28.02.2022 17:05' }] });
  const [record] = await read(`streams:
  s:
    get: /s
    query: { now: '\${now}', today: '\${format(now, "date")}', later: '\${format(now + duration("600h"), "%Y-%m-%d")}', earlier: '\${format(ago("25d"), "%Y-%m-%d")}' }
    add:
      epoch: '\${epoch(parse_time(record.at, "date"))}'
      epoch_ms: '\${epoch_ms(timestamp("2022-02-28T00:00:00Z"))}'
      utc: '\${parse_time(record.exact, "iso")}'
      next_day: '\${format(parse_time(record.at, "date") + duration("24h"), "date")}'
      iso: '\${format(parse_time(record.german, "%d.%m.%Y %H:%M"), "%Y-%m-%dT%H:%M:%SZ")}'`);
  expect(Object.fromEntries(server.received[0]?.query ?? [])).toEqual({
    now: '2021-01-01T12:34:56Z',
    today: '2021-01-01',
    later: '2021-01-26', // 31 days of January
    earlier: '2020-12-07',
  });
  expect(record).toMatchObject({
    epoch: 1_646_006_400,
    epoch_ms: 1_646_006_400_000,
    utc: '2022-02-28T22:59:59Z',
    next_day: '2022-03-01',
    iso: '2022-02-28T17:05:00Z',
  });
  // What these two do not read is found before a read, with what to write.
  const query = (expression: string) => findings(`streams: { s: { get: /s, query: { q: '\${${expression}}' } } }`);
  expect(query('format(now + duration("P1D"), "date")')).toEqual([
    '1 expression-type: P1D is no duration here. Write 1h30m or 15s; a day is 24h.',
  ]);
  expect(query('timestamp("2022-02-28")')).toEqual([
    '1 expression-type: 2022-02-28 is no RFC 3339 time. Write 2026-01-31T00:00:00Z, or parse_time(text, format) for another form.',
  ]);
});
