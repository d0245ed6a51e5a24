import type { FerruleError } from '../../framework/core/errors.ts';
import type { JsonObject } from '../../framework/core/value.ts';
import { connectSpec } from '../../framework/engine/connect.ts';
import type { Connection } from '../../framework/engine/connection.ts';
import type { ConnectionOptions } from '../../framework/engine/options.ts';
import { loadText } from '../../framework/spec/load.ts';
import { acme, addresses } from '../acme.ts';
import { plainCanary } from '../canary.ts';
import { FakeClock, fixedRandom } from '../clock.ts';
import { failureIn } from '../failure.ts';
import { type Answer, type LocalServer, type Received, serve } from '../server.ts';

/** What answers lead to and how long is waited, row by row as in the nearest system (docs: “errors and back-off”); literals by hand. */
const KEY = plainCanary('peers-errors');
let server: LocalServer;
let connection: Connection | undefined;
let clock: FakeClock;
/** What each request gets, in turn; the last one for all that follow. Undefined: the connection is cut. */
let answers: (Answer | undefined | 'silence')[];

beforeEach(async () => {
  server = await serve((_, response) => {
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer === 'silence') return undefined;
    if (answer === undefined) response.destroy();
    return answer;
  });
});

afterEach(async () => {
  await connection?.close();
  connection = undefined;
  await server.close();
});

const DONE: Answer = { json: [] };
const json = (status: number, body: unknown = {}, headers: Record<string, string> = {}): Answer => ({ status, json: body, headers });

interface Outcome {
  records: JsonObject[];
  error: FerruleError | undefined;
  sent: number;
  /** Milliseconds. */
  waits: number[];
  received: Received[];
}

/** Reads stream `s` with a connection of its own: `http` and the stream are the test's. */
async function read(
  { http = '', stream = 'get: /s', ...options }: { http?: string; stream?: string } & ConnectionOptions,
  ...given: typeof answers
): Promise<Outcome> {
  await connection?.close();
  answers = given;
  server.received.length = 0;
  clock = new FakeClock(); // 2026-01-02T03:04:05Z
  const spec = acme(`auth: { key: { type: bearer, http: { ${http} } } }\nstreams: { s: { ${stream} } }`);
  connection = await connectSpec(
    spec,
    { fields: { token: KEY } },
    { ...addresses(server.origin), clock, random: fixedRandom(), ...options },
  );
  const records: JsonObject[] = [];
  const all = async () => {
    for await (const record of connection?.read('s') ?? []) records.push(record);
  };
  let error: FerruleError | undefined;
  if (given.at(-1) === DONE) await all();
  else error = await failureIn(all);
  return { records, error, sent: server.received.length, waits: clock.slept, received: server.received };
}

/** The same where no answer makes it fail. */
async function fine(options: Parameters<typeof read>[0], ...given: typeof answers): Promise<Outcome> {
  return read(options, ...given, DONE);
}

function refusals(http: string): string {
  const head = `spec: 1\nname: acme\ntitle: Acme\nversion: 1.0.0\ncheck: { get: /me }\nauth: { none: none }\nfields: { n: {} }\n`;
  const { spec, findings } = loadText(`${head}http: { base_url: 'https://api.acme.test/v1', ${http} }`, 'acme.yaml');
  expect(spec).toBeUndefined();
  return findings.map(({ rule, message, hint }) => `${rule}: ${message} ${hint}`).join('\n');
}

test('E1 what each status means', async () => {
  const expected: [status: number, code: string, kind: string, sent: number][] = [
    [400, 'request_refused', 'request', 1],
    [401, 'unauthorized', 'auth', 1],
    [403, 'forbidden', 'permission', 1],
    [404, 'request_refused', 'request', 1],
    [405, 'request_refused', 'request', 1],
    [408, 'server_failed', 'transient', 6],
    [429, 'rate_limited', 'rate_limit', 6],
    [500, 'server_failed', 'transient', 6],
    [502, 'server_failed', 'transient', 6],
    [503, 'server_failed', 'transient', 6],
    [504, 'server_failed', 'transient', 6],
  ];
  expect(await fine({}, json(200, [{ id: 1 }]))).toMatchObject({ records: [{ id: 1 }], sent: 1 });
  for (const [status, code, kind, sent] of expected) {
    const { error, ...outcome } = await read({}, json(status));
    expect([status, error?.status, error?.code, error?.kind, outcome.sent, outcome.records]).toEqual([
      status,
      status,
      code,
      kind,
      sent,
      [],
    ]);
  }
});

test('E2 a 4xx of no meaning of its own fails at once; a 5xx is tried again', async () => {
  for (const status of [402, 409, 410, 418, 422]) {
    const { error, sent } = await read({}, json(status));
    expect([error?.status, error?.code, sent]).toEqual([status, 'request_refused', 1]);
  }
  for (const status of [501, 505, 599]) {
    const { error, sent } = await read({}, json(status));
    expect([error?.status, error?.code, sent]).toEqual([status, 'server_failed', 6]);
  }
  // The spec has the last word.
  const http = 'errors: { rules: [{ status: [422], kind: transient }] }';
  expect(await fine({ http }, json(422))).toMatchObject({ sent: 2 });
});

test('E3 the first rule that fits wins, rules go before what a status means, and all that a rule says must hold', async () => {
  const http = `errors: { rules: [
    { status: [403], when: '\${default(response.body.code, "") == "quota"}', kind: rate_limit },
    { status: [403, 400], kind: input, hint: first },
    { status: [403], kind: spec, hint: second },
    { status: [500], kind: request },
    { status: [404], kind: transient } ] }`;
  expect((await read({ http }, json(403, { code: 'quota' }))).error).toMatchObject({ kind: 'rate_limit', status: 403 });
  expect(server.received).toHaveLength(6);
  for (const status of [403, 400]) {
    // Also 400 with the word that the first rule wants: its status does not fit.
    const { error, sent } = await read({ http }, json(status, { code: status === 400 ? 'quota' : 'other' }));
    expect([error?.kind, error?.next, sent]).toEqual(['input', 'first', 1]);
  }
  expect(await read({ http }, json(500))).toMatchObject({ sent: 1, error: { kind: 'request', status: 500 } });
  expect(await fine({ http }, json(404), json(404))).toMatchObject({ sent: 3 });
});

test('E4 an error that comes with 200 fails with the provider’s words and ours', async () => {
  const http = `errors: { rules: [
    { status: [200], when: '\${has(response.body.error) && response.body.error.text.startsWith("Quota")}', kind: rate_limit, then: fail, message: error.text, hint: Buy more. },
    { status: [200], when: '\${has(response.body.error)}', kind: request, message: error.text } ] }`;
  const stream = 'get: /s, records: items';
  const { error, sent, records } = await read({ http, stream }, json(200, { items: [{ id: 1 }], error: { text: 'Quota is used up' } }));
  expect([sent, records]).toEqual([1, []]);
  expect(error).toMatchObject({
    kind: 'rate_limit',
    status: 200,
    provider: 'Quota is used up',
    next: 'Buy more.',
    message: 'GET https://api.acme.test/v1/s answered 200: Quota is used up',
  });
  expect((await read({ http, stream }, json(200, { error: { text: 'No such view' } }))).error).toMatchObject({
    code: 'request_refused',
    provider: 'No such view',
  });
  expect((await read({ http, stream }, json(200, { items: [{ id: 1 }] }), json(200, { items: [] }), DONE)).records).toEqual([{ id: 1 }]);
});

test('E5 an answer that a rule takes as empty brings no records, ends the pages and is no error', async () => {
  const http = 'errors: { rules: [{ status: [404], then: empty }] }';
  const stream = 'get: /s, paginate: { type: page, page: query.page }';
  const page = (id: number) => json(200, [{ id }]);
  expect(await fine({ http, stream }, json(404, { message: 'none' }))).toMatchObject({ records: [], sent: 1 });
  const later = await fine({ http, stream }, page(1), page(2), json(404));
  expect([later.records, later.sent]).toEqual([[{ id: 1 }, { id: 2 }], 3]);
  // Without the rule the same answer fails.
  expect(await read({ stream }, page(1), json(404))).toMatchObject({ records: [{ id: 1 }], sent: 2, error: { status: 404 } });
});

test('E6 a call is sent again five times, or as often as the spec or the caller says', async () => {
  const sent = async (http: string, options: ConnectionOptions = {}) => (await read({ http, ...options }, json(503))).sent;
  expect(await sent('')).toBe(6);
  expect(await sent('retry: { max_retries: 0 }')).toBe(1);
  expect(await sent('retry: { max_retries: 3 }')).toBe(4);
  // Who connects may set another number; it is not a value of the spec's fields.
  expect(await sent('retry: { max_retries: 3 }', { retry: { countMax: 1 } })).toBe(2);
  expect(refusals("retry: { max_retries: '${fields.n}' }")).toContain('It is a literal: no ${…} can stand here.');
  expect(refusals('retry: { max_retries: many }')).toContain('`http.retry.max_retries` must be a whole number, not text.');
});

test('E7 waits double from one second, each a random part of its step', async () => {
  const waits = async (backoff: string, part: number) =>
    (await read({ http: `retry: { ${backoff} }`, random: { ...fixedRandom(), float: () => part } }, json(503))).waits;
  expect(await waits('', 0.5)).toEqual([500, 1000, 2000, 4000, 8000]);
  expect(await waits('backoff: exponential', 0)).toEqual([0, 0, 0, 0, 0]);
  expect(await waits('backoff: exponential', 0.999)).toEqual([999, 1998, 3996, 7992, 15_984]);
  expect(await waits('backoff: exponential, longest: 3s', 1)).toEqual([1000, 2000, 3000, 3000, 3000]);
  expect(await waits('backoff: linear', 0.5)).toEqual([1000, 2000, 3000, 4000, 5000]);
  expect(await waits('backoff: constant', 0.5)).toEqual([1000, 1000, 1000, 1000, 1000]);
  expect(refusals('retry: { factor: 5 }')).toContain('`factor` is no key of `http.retry`.');
});

/** One refusal with a header, then an answer: the waits. */
const waitsAfter = async (as: string, header: string | undefined, status = 429): Promise<number[]> => {
  const http = `rate_limit: { requests: 100, per: 1s, reset: { header: X-Wait, as: ${as} } }`;
  return (await fine({ http }, json(status, {}, header === undefined ? {} : { 'X-Wait': header }))).waits;
};
/** What the first back-off is with the random number 0.5. */
const BACKOFF = [500];

test('E8 a wait in a header of the spec’s: a number of seconds, or a length of time; anything else is no wait', async () => {
  expect(await waitsAfter('seconds', '60')).toEqual([60_000]);
  expect(await waitsAfter('seconds', '61,60')).toEqual(BACKOFF);
  expect(await waitsAfter('seconds', undefined)).toEqual(BACKOFF);
  expect(await waitsAfter('duration', '1m1s')).toEqual([61_000]);
  // The same when it is no 429: the header says when to come back.
  expect(await waitsAfter('seconds', '60', 503)).toEqual([60_000]);
  expect(refusals("rate_limit: { requests: 1, per: 1s, reset: { header: X-Wait, as: seconds, regex: '[0-9]+' } }")).toContain(
    '`regex` is no key',
  );
});

test('E9 Retry-After is honoured in both forms without a word in the spec', async () => {
  const waits = async (status: number, text: string) => (await fine({}, json(status, {}, { 'Retry-After': text }))).waits;
  for (const status of [429, 503]) {
    expect(await waits(status, '7')).toEqual([7000]);
    // RFC 9110, 5.6.7; it is 03:04:05 here.
    expect(await waits(status, 'Fri, 02 Jan 2026 03:04:47 GMT')).toEqual([42_000]);
  }
});

test('E10 a time in a header: until then; one that has passed, or none, is no wait', async () => {
  // 2026-01-02T03:04:05Z is 1767323045.
  expect(await waitsAfter('epoch', '1767323105')).toEqual([60_000]);
  expect(await waitsAfter('epoch', '1767322985')).toEqual(BACKOFF);
  expect(await waitsAfter('epoch', undefined)).toEqual(BACKOFF);
  expect(await waitsAfter('epoch_ms', '1767323105500')).toEqual([60_500]);
  expect(await waitsAfter('iso', '2026-01-02T03:05:05Z')).toEqual([60_000]);
  expect(refusals('rate_limit: { requests: 1, per: 1s, reset: { header: X-Wait, as: epoch, min_wait: 60 } }')).toContain(
    '`min_wait` is no key',
  );
});

test('E11 a wait longer than the longest fails at once and says how long; up to it is waited', async () => {
  const http = 'retry: { longest: 100s }';
  const after = (seconds: string, status = 429) => json(status, {}, { 'Retry-After': seconds });
  expect((await fine({ http }, after('99'))).waits).toEqual([99_000]);
  expect((await fine({ http }, after('100'))).waits).toEqual([100_000]);
  expect(await read({ http }, after('101'))).toMatchObject({
    sent: 1,
    waits: [],
    error: { code: 'rate_limited', kind: 'rate_limit', retryAfter: 101_000, next: 'Try again in 101 s.' },
  });
  expect(await read({ http }, after('101', 503))).toMatchObject({ sent: 1, waits: [], error: { kind: 'transient', retryAfter: 101_000 } });
  // A cap of nothing: never a wait.
  expect(await read({ http: 'retry: { longest: 0s }' }, after('1'))).toMatchObject({ sent: 1, waits: [], error: { retryAfter: 1000 } });
  expect((await read({ http: 'retry: { longest: 0s }' }, json(503))).waits).toEqual([0, 0, 0, 0, 0]);
  expect(refusals("retry: { longest: '${fields.n}' }")).toContain("`http.retry.longest` can't be");
  expect(refusals('retry: { longest: soon }')).toContain("`http.retry.longest` can't be `soon`.");
});

test('E12 the stream’s rules, then http’s: the first that fits decides, whatever stands behind it', async () => {
  const RULES: Record<string, string> = {
    ignore: 'then: empty',
    fail: 'kind: request',
    retry: 'kind: transient',
    limited: 'kind: rate_limit',
  };
  const both = (first: string, second: string) => ({
    stream: `get: /s, errors: { rules: [{ status: [418], ${RULES[first]} }] }`,
    http: `errors: { rules: [{ status: [418], ${RULES[second]} }] }`,
  });
  const answer = json(418, { message: 'no coffee' });
  expect(await fine(both('ignore', 'fail'), answer)).toMatchObject({ sent: 1, records: [] });
  expect(await fine(both('ignore', 'retry'), answer)).toMatchObject({ sent: 1, records: [] });
  expect(await read(both('fail', 'ignore'), answer)).toMatchObject({ sent: 1, error: { kind: 'request', provider: 'no coffee' } });
  expect(await read(both('limited', 'ignore'), answer)).toMatchObject({ sent: 6, error: { kind: 'rate_limit', status: 418 } });
});

test('E13 the provider’s words are found where providers put them, several joined, a text as it is', async () => {
  const provider = async (body: unknown) => (await read({}, json(400, body))).error?.provider;
  expect(await provider({ message: 'no such page' })).toBe('no such page');
  expect(await provider({ error: { message: 'no such page' } })).toBe('no such page');
  expect(await provider({ errors: [{ message: 'a, or b' }, { message: 'c' }] })).toBe('a, or b; c');
  expect(await provider([{ message: 'a' }, { message: 'c' }])).toBe('a; c');
  expect(await provider({ errors: ['a', 'c'] })).toBe('a; c');
  const { error } = await read({}, { status: 400, text: 'Down for maintenance' });
  expect(error?.message).toBe('GET https://api.acme.test/v1/s answered 400: Down for maintenance');
  // A place of the spec's goes first.
  expect(
    (await read({ http: 'errors: { message: why.text }' }, json(400, { message: 'no', why: { text: 'too late' } }))).error?.provider,
  ).toBe('too late');
});

test('E14 a cut connection or silence is tried again after a wait, never a POST, and not longer than the total', async () => {
  expect(await fine({}, undefined, undefined)).toMatchObject({ sent: 3, waits: [500, 1000] });
  expect(await read({}, undefined)).toMatchObject({ sent: 6, error: { code: 'connection_failed', kind: 'transient' } });
  const http = 'timeout: { response: 60ms }';
  expect(await fine({ http }, 'silence')).toMatchObject({ sent: 2, waits: [500] });
  expect(await read({ http: `${http}, retry: { max_retries: 0 }` }, 'silence')).toMatchObject({
    error: { code: 'timeout', kind: 'transient', message: expect.stringContaining('response timeout') },
  });
  // It may have been carried out.
  expect(await read({ stream: 'post: /s' }, undefined)).toMatchObject({ sent: 1, error: { code: 'connection_failed' } });
  expect(await fine({ stream: 'post: /s', http: 'retry: { repeat: [post] }' }, undefined)).toMatchObject({ sent: 2 });
  // 0.5 s and 1 s are waited; the next 2 s would be more than is left of 3 s.
  expect(await read({ http: 'timeout: { total: 3s }' }, undefined)).toMatchObject({ sent: 3, waits: [500, 1000] });
});
