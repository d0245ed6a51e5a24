import { FerruleError } from '../../../framework/core/errors.ts';
import { connectSpec } from '../../../framework/engine/connect.ts';
import type { Connection } from '../../../framework/engine/connection.ts';
import { catalogMessage, readAirbyteState, readConfiguredCatalog, type SyncMode } from '../../../framework/interop/airbyte-catalog.ts';
import { errorMessage, line, statusOf } from '../../../framework/interop/airbyte-messages.ts';
import { airbyteRead } from '../../../framework/interop/airbyte-read.ts';
import { airbyteSink } from '../../../framework/interop/airbyte-sink.ts';
import { airbyteSpec } from '../../../framework/interop/airbyte-spec.ts';
import { acme, addresses } from '../../acme.ts';
import { canary } from '../../canary.ts';
import { FakeClock } from '../../clock.ts';
import { failureOf } from '../../failure.ts';
import { type Answer, type LocalServer, type Received, serve } from '../../server.ts';

const AT = Date.parse('2026-01-10T00:00:00Z');
const KEY = canary('airbyte key');
const SPEC = acme(`
links: { api: https://docs.acme.test }
choices:
  region: { title: Region, options: { eu: { title: Europe }, us: {} } }
fields:
  site: { title: Site, type: url, example: 'https://a.acme.test', help: Where it is }
  days: { title: Days, type: integer, required: false, default: 7 }
  app: { title: App, owner: app, secret: true }
auth:
  key: { type: bearer, title: Key, help: Settings > Key }
  web:
    type: oauth2_authorization_code
    authorize_url: https://auth.acme.test/authorize
    token_url: https://auth.acme.test/token
    refresh: { rotates: true }
streams:
  items:
    get: /items
    query: { since: '\${window.start}' }
    primary_key: [id]
    columns: { id: integer, at: datetime }
    paginate: { type: offset, offset: query.skip, page_size: 2, stop: short_page }
    cursor: { field: at, order: asc }
  whole: { get: /whole, columns: { n: number } }
  hidden: { get: /hidden, when: "\${region.id == 'us'}" }
`);

let server: LocalServer;
let connection: Connection;
let out: string[];
const clock = new FakeClock(AT);
const write = async (lines: string | Uint8Array): Promise<void> =>
  void out.push(...Buffer.from(lines).toString('utf8').split('\n').slice(0, -1));

const ROWS = [1, 2, 3].map((n) => ({ id: n, at: `2026-01-0${n}T00:00:00Z` }));
const answering = ({ path, query }: Received): Answer => {
  if (path === '/v1/whole') return { json: [{ n: '1.50' }] };
  const found = ROWS.filter(({ at }) => at >= (query.get('since') ?? ''));
  const skip = Number(query.get('skip') ?? 0);
  return { json: found.slice(skip, skip + 2) };
};

async function open(answer: (request: Received) => Answer = answering): Promise<void> {
  server = await serve(answer);
  out = [];
  const inputs = {
    method: 'key',
    choices: { region: 'eu' },
    fields: { token: KEY, site: 'https://a.acme.test', app: canary('airbyte app') },
  };
  connection = await connectSpec(SPEC, inputs, { ...addresses(server.origin), clock, retry: { countMax: 0 } });
}
afterEach(async () => {
  await connection?.close();
  await server?.close();
});

const read = (streams: Record<string, SyncMode>, state?: unknown): Promise<boolean> => {
  const wanted = new Map(Object.entries(streams));
  return airbyteRead(connection, { streams: wanted, states: readAirbyteState(state, wanted), write, now: () => clock.now() });
};
const status = (name: string, word: string) => ({
  type: 'TRACE',
  trace: { type: 'STREAM_STATUS', emitted_at: AT, stream_status: { stream_descriptor: { name }, status: word } },
});
const messages = (): unknown[] => out.map((text) => JSON.parse(text) as unknown);

describe('spec', () => {
  it('describes the configuration: a method each, choices, fields with all that a form shows', () => {
    const { documentationUrl, supportsIncremental, connectionSpecification } = airbyteSpec(SPEC) as Record<string, never>;
    expect([documentationUrl, supportsIncremental]).toEqual(['https://docs.acme.test', true]);
    expect(connectionSpecification).toMatchObject({
      $schema: 'http://json-schema.org/draft-07/schema#',
      type: 'object',
      required: ['credentials', 'region', 'site'],
      properties: {
        credentials: { type: 'object', order: 0 },
        region: { type: 'string', title: 'Region', enum: ['eu', 'us'], description: 'eu: Europe; us: Us.', order: 1 },
        site: { type: 'string', format: 'uri', title: 'Site', description: 'Where it is', examples: ['https://a.acme.test'], order: 2 },
        days: { type: 'integer', title: 'Days', default: 7, order: 3 },
        app: { type: 'string', title: 'App', airbyte_secret: true, order: 4 },
      },
    });
    const { oneOf } = (connectionSpecification as unknown as { properties: { credentials: { oneOf: unknown[] } } }).properties.credentials;
    expect(oneOf).toHaveLength(2);
    expect(oneOf[0]).toMatchObject({
      title: 'Key',
      description: 'Settings > Key',
      required: ['method', 'token'],
      properties: { method: { const: 'key', order: 0 }, token: { airbyte_secret: true, order: 1 } },
    });
    expect(oneOf[1]).toMatchObject({
      // The client's own fields are the product's: they may stand in its environment.
      required: ['method', 'refresh_token'],
      properties: {
        client_id: {},
        client_secret: { airbyte_secret: true },
        refresh_token: { airbyte_secret: true },
        access_token: { airbyte_secret: true },
      },
    });
  });
});

describe('catalog', () => {
  it('has what is offered, with cursors and keys', async () => {
    await open();
    const properties = { id: { type: ['null', 'integer'] }, at: { type: ['null', 'string'], format: 'date-time' } };
    expect(catalogMessage(connection.streams())).toMatchObject({
      type: 'CATALOG',
      catalog: {
        streams: [
          {
            name: 'items',
            json_schema: { properties },
            supported_sync_modes: ['full_refresh', 'incremental'],
            is_resumable: false,
            source_defined_cursor: true,
            default_cursor_field: ['at'],
            source_defined_primary_key: [['id']],
          },
          { name: 'whole', supported_sync_modes: ['full_refresh'], is_resumable: false },
        ],
      },
    });
  });

  it.each([
    ['no streams', {}, 'has no list'],
    ['a stream without a name', { streams: [{ stream: {}, sync_mode: 'full_refresh' }] }, 'has no name'],
    ['another mode', { streams: [{ stream: { name: 'items' }, sync_mode: 'cdc' }] }, 'items: sync_mode'],
    ['incremental without a cursor', { streams: [{ stream: { name: 'whole' }, sync_mode: 'incremental' }] }, 'whole has no cursor'],
  ])('%s is refused', async (_, catalog, text) => {
    await open();
    const failure = failureOf(() => readConfiguredCatalog(catalog, connection.streams()));
    expect(failure).toMatchObject({ code: 'input_malformed', message: expect.stringContaining(text) as string });
  });
});

describe('read', () => {
  it('writes statuses, records and a state behind them', async () => {
    await open();
    expect(await read({ items: 'incremental' })).toBe(true);
    const record = (id: number) => ({ type: 'RECORD', record: { stream: 'items', data: ROWS[id - 1], emitted_at: AT } });
    const state = {
      stream: { cursor: ['at', 'time', 'partition'], read: AT },
      p: { done: [[null, '2026-01-03T00:00:00.000Z']], edge: { at: '2026-01-03T00:00:00.000Z', keys: ['[3]'] }, at: AT },
    };
    const stateMessage = (recordCount: number, stream_state: unknown) => ({
      type: 'STATE',
      state: { type: 'STREAM', stream: { stream_descriptor: { name: 'items' }, stream_state }, sourceStats: { recordCount } },
    });
    const got = messages();
    expect(got.slice(0, 3)).toEqual([status('items', 'STARTED'), record(1), record(2)]);
    expect(got.filter((message) => (message as { type: string }).type === 'RECORD')).toEqual([record(1), record(2), record(3)]);
    const states = got.filter((message) => (message as { type: string }).type === 'STATE') as {
      state: { stream: { stream_state: unknown } };
    }[];
    // The first page does not wait for others.
    expect(states[0]).toMatchObject({ state: { sourceStats: { recordCount: 2 } } });
    expect(states.at(-1)).toMatchObject(stateMessage(0, { stream: state.stream }));
    expect(got.slice(-2)).toEqual([
      status('items', 'COMPLETE'),
      { type: 'LOG', log: { level: 'INFO', message: 'items: 3 records in 2 pages, complete' } },
    ]);
    expect(got).toContainEqual(status('items', 'RUNNING'));
    // Given back, it brings nothing that came before.
    const kept = (states.at(-1) as { state: unknown }).state;
    out = [];
    clock.advance(1000);
    expect(await read({ items: 'incremental' }, [kept])).toBe(true);
    expect(out.filter((text) => text.includes('"RECORD"'))).toEqual([]);
    expect(server.received.at(-1)?.query.get('since')).toContain('2026-01-03');
    // A whole read takes no notice of it.
    out = [];
    expect(await read({ items: 'full_refresh' }, [kept])).toBe(true);
    expect(out.filter((text) => text.includes('"RECORD"'))).toHaveLength(3);
    clock.advance(AT - clock.now());
  });

  it('a stream that fails is told with who can mend it, the others go on, and what was read has its state', async () => {
    const secret = canary('airbyte key');
    await open((request) => {
      if (request.path === '/v1/items' && request.query.get('skip') === '2')
        return { status: 403, json: { message: `not with ${secret}` } };
      return answering(request);
    });
    expect(await read({ items: 'incremental', whole: 'full_refresh' })).toBe(false);
    const got = messages();
    const error = got.find((message) => (message as { trace?: { type: string } }).trace?.type === 'ERROR');
    expect(error).toMatchObject({
      trace: {
        emitted_at: AT,
        error: {
          failure_type: 'config_error',
          stream_descriptor: { name: 'items' },
          internal_message: expect.stringContaining('forbidden') as string,
        },
      },
    });
    expect(got).toContainEqual(status('items', 'INCOMPLETE'));
    expect(got).toContainEqual(status('whole', 'COMPLETE'));
    expect(out).toContain(`{"type":"RECORD","record":{"stream":"whole","data":{"n":1.50},"emitted_at":${AT}}}`);
    const states = out.filter((text) => text.includes('"STATE"'));
    expect(states.filter((text) => text.includes('"items"'))).toHaveLength(1);
    expect(out.join('\n')).not.toContain(secret.slice(6, 30));
  });

  it('a whole read that fails has no state, and an unknown stream has both its statuses', async () => {
    await open(({ path }) => (path === '/v1/whole' ? { status: 500, text: '' } : { json: [] }));
    expect(await read({ whole: 'full_refresh', gone: 'full_refresh' })).toBe(false);
    expect(out.filter((text) => text.includes('"STATE"'))).toEqual([]);
    expect(messages().filter((message) => JSON.stringify(message).includes('STREAM_STATUS'))).toEqual(
      expect.arrayContaining([
        status('gone', 'STARTED'),
        status('gone', 'INCOMPLETE'),
        status('whole', 'STARTED'),
        status('whole', 'INCOMPLETE'),
      ]),
    );
  });

  it.each([
    ['the old form', { items: { at: '2026' } }],
    ['a global one', [{ type: 'GLOBAL', global: {} }]],
    ['one of another connector', [{ type: 'STREAM', stream: { stream_descriptor: { name: 'items' }, stream_state: { at: '2026' } } }]],
  ])('a state of %s is refused', async (_, state) => {
    const wanted = new Map([['items', 'incremental' as const]]);
    expect(failureOf(() => readAirbyteState(state, wanted))).toMatchObject({ code: 'state_unusable' });
    expect(readAirbyteState({}, wanted).size).toBe(0);
  });

  it('does not write a large state with each commit, but always the last', async () => {
    out = [];
    const sink = airbyteSink({ streams: new Map([['items', 'incremental']]), states: new Map(), write, now: () => clock.now() });
    const stream = await sink.open({ name: 'items', mode: 'append', primary_key: [], columns: {}, resumes: false, state: {} });
    const states = (): number => out.filter((text) => text.includes('"STATE"')).length;
    await stream.commit({ records: [], packed: [stream.pack!([{ id: 1 }])], state: { p: { small: 1 } } });
    expect(states()).toBe(1);
    await stream.commit({ records: [], state: { pbig: { text: 'x'.repeat(70_000) } } });
    await stream.commit({ records: [], packed: [stream.pack!([{ id: 2 }, { id: 3 }])], state: { p2: { n: 2 } } });
    expect(states()).toBe(1);
    await stream.close();
    expect(states()).toBe(2);
    expect(JSON.parse(out.at(-1)!)).toMatchObject({
      state: { stream: { stream_state: { p2: { n: 2 } } }, sourceStats: { recordCount: 2 } },
    });
  });
});

describe('errors', () => {
  it.each([
    ['a refused key', new FerruleError('unauthorized', 'no'), 'config_error'],
    ['a missing field', new FerruleError('input_missing', 'no'), 'config_error'],
    ['too many requests', new FerruleError('rate_limited', 'no'), 'transient_error'],
    ['no connection', new FerruleError('connection_failed', 'no'), 'transient_error'],
    ['data that do not fit', new FerruleError('record_malformed', 'no'), 'system_error'],
    ['a bug', new TypeError(canary('airbyte bug')), 'system_error'],
  ])('%s', (_, error, failure_type) => {
    const text = line(errorMessage(error, AT));
    expect(JSON.parse(text)).toMatchObject({ trace: { type: 'ERROR', error: { failure_type } } });
    expect(text).not.toContain('CANARY');
  });

  it('a failed check names the step, the field and what to do', () => {
    const step = {
      name: 'authenticate',
      ok: false,
      message: 'Refused',
      field: 'token',
      provider: 'bad key',
      next: 'Copy it again.',
    } as const;
    expect(statusOf({ ok: false, connector: 'acme', method: 'key', steps: [step] })).toEqual({
      type: 'CONNECTION_STATUS',
      connectionStatus: { status: 'FAILED', message: 'Refused. The provider said: "bad key". Copy it again. Look at: token.' },
    });
  });
});
