import { inspect } from 'node:util';
import fc from 'fast-check';
import { ERRORS } from '../../framework/core/error-table.ts';
import { isFerruleError } from '../../framework/core/errors.ts';
import { Redactor } from '../../framework/core/redact.ts';
import { Secret } from '../../framework/core/secret.ts';
import { connectSpec } from '../../framework/engine/connect.ts';
import { createClient } from '../../framework/http/client.ts';
import type { Authenticator, Client, ClientEvent, Decode, ResetUnit } from '../../framework/http/types.ts';
import { acme } from '../acme.ts';
import { FakeClock, fixedRandom } from '../clock.ts';
import { type Answer, answer, CLIENT_SECRET, formsOf, NEW_TOKEN, rawOf, TOKEN } from './answer-bytes.ts';
import { type RawServer, serveRaw } from './raw-server.ts';
import { must, type Property, thrownBy } from './target.ts';

interface Batch {
  answers: Answer[];
  way: 'call' | 'stream' | 'read' | 'token';
  decode: Decode;
  retries: number;
  unit: ResetUnit;
}

const SPEC = acme(`auth:
  key: { type: bearer }
  oauth: { type: oauth2_client_credentials, token_url: 'https://auth.acme.test/token' }
fields:
  number: { title: Number }
streams:
  items:
    get: /c/\${fields.number}
    records: items
    paginate: { type: link_header, max_pages: 3 }
`);

const AUTH: Authenticator = {
  renewable: true,
  renew: async () => {},
  apply: async (draft) => ({ draft: { ...draft, headers: { ...draft.headers, authorization: new Secret(`Bearer ${TOKEN}`) } } }),
};

const TIMEOUT = { connect: 5000, response: 5000, total: 20_000 };
const MOST_BYTES = 100_000;

/** The secret that the way holds; what another one holds is any text to it. */
const HELD: Record<Batch['way'], string> = { call: TOKEN, stream: TOKEN, read: TOKEN, token: CLIENT_SECRET };

const FORMS = { call: formsOf(TOKEN), stream: formsOf(TOKEN), read: formsOf(TOKEN), token: formsOf(CLIENT_SECRET) };
const NEW_FORMS = formsOf(NEW_TOKEN);

let server: RawServer;
let numbers = 0;
/** What events have shown; thrown from where they are heard it would become part of the call. */
const leaks: Error[] = [];
const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown) => void unhandled.push(reason);

function clientOf({ retries, unit, way }: Batch, clock: FakeClock): Client {
  const redactor = new Redactor();
  redactor.add(HELD[way]);
  return createClient({
    baseUrl: 'https://api.acme.test/v1',
    network: { addressMap: new Map([['https://api.acme.test', server.origin]]) },
    ...{
      auth: AUTH,
      redactor,
      clock,
      random: fixedRandom(),
      timeout: TIMEOUT,
      maxResponseBytes: MOST_BYTES,
      retry: { max_retries: retries },
    },
    limits: [{ requests: 1000, per: 1000, remaining: 'X-Left', limit: 'X-Limit', reset: { header: 'X-Reset', as: unit } }],
    onEvent: (event) => hearEvent(event, way),
  });
}

function hearEvent(event: ClientEvent, way: Batch['way']): void {
  const refused = event.type === 'retry' || (event.type === 'response' && !isGood(event.status));
  const thrown = thrownBy(() => mustHide(event, `the event ${event.type}`, way, refused));
  if (thrown !== undefined) leaks.push(thrown.error as Error);
}

const isGood = (code: number): boolean => code >= 200 && code < 300;

/** In none of the forms in which a server could have sent it back. A refusal is shown (http/trace.ts), so a new token in one may be too. */
function mustHide(shown: unknown, what: string, way: Batch['way'], refused: boolean): void {
  // Events are plain data; an error could hide something.
  const hidden = shown instanceof Error ? inspect(shown, { depth: 9, showHidden: true, maxStringLength: null, maxArrayLength: null }) : '';
  const all = hidden + JSON.stringify(shown);
  for (const form of way === 'token' && !refused ? [...FORMS[way], ...NEW_FORMS] : FORMS[way])
    must(!all.includes(form), () => `${what} shows the secret: ${all.slice(0, 2000)}`);
}

function checkError(error: unknown, way: Batch['way']): void {
  must(isFerruleError(error), () => `it threw ${inspect(error)}`);
  must(Object.hasOwn(ERRORS, error.code) && error.kind !== 'internal', () => `code ${error.code}, kind ${error.kind}: ${error.stack}`);
  must(error.message !== '' && error.next !== '', () => `it says nothing: ${inspect(error)}`);
  must(error.retryAfter === undefined || Number.isFinite(error.retryAfter), () => `retryAfter ${error.retryAfter}`);
  mustHide(error, 'the error', way, error.status !== undefined && !isGood(error.status));
}

/** Through the client alone; several at once over kept connections, and then a sound answer. */
async function throughClient(batch: Batch, own: readonly number[]): Promise<void> {
  const clock = new FakeClock();
  const client = clientOf(batch, clock);
  const ask = async (path: string): Promise<void> => {
    const draft = { method: 'GET' as const, url: path };
    if (batch.way === 'call') await client.call(draft, { decode: batch.decode });
    else for await (const _chunk of (await client.stream(draft)).body);
  };
  try {
    const outcomes = await Promise.allSettled(own.map((number) => ask(`/c/${number}`)));
    for (const outcome of outcomes) if (outcome.status === 'rejected') checkError(outcome.reason, batch.way);
    // Whatever was asked of the client, after the longest wait that there is it goes on.
    clock.advance(2 ** 31 * 1000 + 1000);
    let after: unknown;
    // A kept connection may just have been closed, or hold what came behind an answer: each try uses up one such.
    for (let tries = 0; tries <= BATCH && after !== '{"ok":true}'; tries++) {
      const sound = client.call({ method: 'GET', url: '/c/ok' });
      after = await sound.then(({ body: read }) => JSON.stringify(read), String);
    }
    must(after === '{"ok":true}', () => `afterwards it says ${after}`);
  } finally {
    await client.close();
  }
}

/** A connection of its own for each: with a token that the answer is to bring, or reading records from it. */
async function throughConnection({ way, retries }: Batch, number: number): Promise<void> {
  const fields = {
    number: String(number),
    ...(way === 'token' ? { client_id: String(number), client_secret: new Secret(CLIENT_SECRET) } : { token: new Secret(TOKEN) }),
  };
  try {
    await using connection = await connectSpec(
      SPEC,
      { method: way === 'token' ? 'oauth' : 'key', fields },
      {
        sandbox: { addresses: { 'https://api.acme.test': server.origin, 'https://auth.acme.test': server.origin } },
        ...{ clock: new FakeClock(), random: fixedRandom(), timeout: TIMEOUT, retry: { countMax: retries }, environment: {} },
        onEvent: (event) => hearEvent(event, way),
      },
    );
    if (way === 'token') await connection.http.get('c/ok').json();
    else for await (const _record of connection.read('items'));
  } catch (error) {
    checkError(error, way);
  }
}

async function opened(): Promise<() => Promise<void>> {
  const before = resources();
  server = await serveRaw();
  process.on('unhandledRejection', onUnhandled);
  return async () => {
    await server.close();
    process.off('unhandledRejection', onUnhandled);
    let left = resources();
    for (let turn = 0; turn < 40 && left.length > before.length; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 50).unref());
      left = resources();
    }
    must(left.length <= before.length, () => `left behind: ${left} (before: ${before})`);
  };
}

const resources = (): string[] => process.getActiveResourcesInfo().filter((name) => /^TCP|^Timeout|ZLIB/.test(name));

/** So many at once, at most. */
const BATCH = 30;

export const answers: Property<Batch> = {
  name: 'answers',
  batch: { count: (batch) => batch.answers.length, average: BATCH / 2 },
  open: opened,
  input: fc.record({
    answers: fc.array(answer, { minLength: 1, maxLength: BATCH, size: 'max' }),
    way: fc.constantFrom('call', 'call', 'call', 'stream', 'read', 'token'),
    decode: fc.constantFrom('json', 'auto', 'text', 'bytes'),
    retries: fc.constantFrom(0, 0, 0, 2),
    unit: fc.constantFrom('seconds', 'epoch', 'epoch_ms', 'iso', 'http_date', 'duration'),
  }),
  async check(batch) {
    const own = batch.answers.map((one) => {
      numbers += 1;
      server.answers.set(numbers, rawOf(one));
      return numbers;
    });
    try {
      if (batch.way === 'call' || batch.way === 'stream') await throughClient(batch, own);
      else await Promise.all(own.map((number) => throughConnection(batch, number)));
    } finally {
      for (const number of own) server.answers.delete(number);
    }
    const [leak] = leaks.splice(0);
    if (leak !== undefined) throw leak;
    must(unhandled.length === 0, () => `nobody heard of ${inspect(unhandled.splice(0))}`);
  },
};
