import { connectSpec } from '../../../framework/engine/connect.ts';
import type { Connection } from '../../../framework/engine/connection.ts';
import { readSingerCatalog, readSingerState, singerCatalog } from '../../../framework/interop/singer-catalog.ts';
import { singerSink } from '../../../framework/interop/singer-sink.ts';
import { acme, addresses } from '../../acme.ts';
import { FakeClock } from '../../clock.ts';
import { failureOf } from '../../failure.ts';
import { type LocalServer, serve } from '../../server.ts';

const AT = Date.parse('2026-01-10T00:00:00Z');
const SPEC = acme(`
auth: { none: none }
streams:
  items:
    get: /items
    query: { since: '\${window.start}' }
    primary_key: [id]
    columns: { id: integer, at: datetime, name: text, big: integer }
    cursor: { field: at, order: asc }
  whole: { get: /whole, columns: { n: integer, note: text } }
  gone: { get: /gone, when: "\${fields.site == 'x'}" }
fields: { site: { title: Site, default: y } }
`);
const ROWS = [1, 2].map((id) => ({ id, at: `2026-01-0${id}T00:00:00Z`, name: `n${id}`, big: '9007199254740993' }));

let server: LocalServer;
let connection: Connection;
let out: string[];
let fails: boolean;
const clock = new FakeClock(AT);
beforeEach(async () => {
  out = [];
  fails = false;
  server = await serve(({ path, query }) => {
    if (path === '/v1/whole') return fails ? { status: 404, json: {} } : { json: [{ n: 1, note: 'x' }] };
    return { json: ROWS.filter(({ at }) => at >= (query.get('since') ?? '')) };
  });
  connection = await connectSpec(SPEC, { fields: {} }, { ...addresses(server.origin), clock, retry: { countMax: 0 } });
});
afterEach(async () => {
  await connection.close();
  await server.close();
});

async function tap(catalog?: unknown, state?: unknown): Promise<unknown[]> {
  out = [];
  const known = connection.streams();
  const streams = readSingerCatalog(catalog, known);
  const sink = singerSink({
    streams,
    known,
    states: readSingerState(state),
    write: async (lines) => void out.push(...Buffer.from(lines).toString('utf8').split('\n').slice(0, -1)),
    now: () => clock.now(),
  });
  await connection.readInto(sink, { streams: [...streams.keys()], concurrency: 1 });
  await sink.close();
  return out.map((text) => JSON.parse(text) as unknown);
}
const last = (): { value: { bookmarks: Record<string, unknown> } } => JSON.parse(out.at(-1)!) as ReturnType<typeof last>;

describe('catalog', () => {
  it('has what is offered, with all that is known of keys and of what may be chosen', () => {
    const catalog = singerCatalog(connection.streams()) as { streams: Record<string, unknown>[] };
    expect(catalog.streams.map(({ tap_stream_id }) => tap_stream_id)).toEqual(['items', 'whole']);
    expect(catalog.streams[0]).toMatchObject({
      stream: 'items',
      key_properties: ['id'],
      replication_method: 'INCREMENTAL',
      replication_key: 'at',
      schema: { properties: { id: { type: ['null', 'integer'] }, name: { type: ['null', 'string'] } } },
      metadata: [
        { breadcrumb: [], metadata: { inclusion: 'available', 'table-key-properties': ['id'], 'valid-replication-keys': ['at'] } },
        { breadcrumb: ['properties', 'id'], metadata: { inclusion: 'automatic' } },
        { breadcrumb: ['properties', 'at'], metadata: { inclusion: 'automatic' } },
        { breadcrumb: ['properties', 'name'], metadata: { inclusion: 'available', 'selected-by-default': true } },
        { breadcrumb: ['properties', 'big'], metadata: { inclusion: 'available', 'selected-by-default': true } },
      ],
    });
    expect(catalog.streams[1]).toMatchObject({
      replication_method: 'FULL_TABLE',
      metadata: [{ metadata: { 'forced-replication-method': 'FULL_TABLE' } }, {}, {}],
    });
  });

  it('chooses streams by their metadata, or by their schema as older tools have it, and columns beside keys', () => {
    const known = connection.streams();
    const metadata = (own: object, name: object) => [
      { breadcrumb: [], metadata: own },
      { breadcrumb: ['properties', 'name'], metadata: name },
      { breadcrumb: ['properties', 'id'], metadata: { selected: false } },
    ];
    const chosen = (entry: object) => [...readSingerCatalog({ streams: [{ tap_stream_id: 'items', ...entry }] }, known)];
    expect(chosen({ metadata: metadata({ selected: true }, {}) })).toEqual([['items', { incremental: true, without: new Set() }]]);
    expect(chosen({ metadata: metadata({ selected: true }, { selected: false }) })).toEqual([
      ['items', { incremental: true, without: new Set(['name']) }],
    ]);
    expect(chosen({ metadata: metadata({ selected: false }, {}) })).toEqual([]);
    expect(chosen({ metadata: metadata({}, {}) })).toEqual([]);
    expect(chosen({ schema: { selected: true, properties: { name: { selected: false } } }, replication_method: 'FULL_TABLE' })).toEqual([
      ['items', { incremental: false, without: new Set(['name']) }],
    ]);
  });

  it.each([
    ['no list', {}],
    ['a stream without a name', { streams: [{}] }],
    ['another method', { streams: [{ stream: 'items', schema: { selected: true }, replication_method: 'LOG_BASED' }] }],
    ['incremental without a cursor', { streams: [{ stream: 'whole', schema: { selected: true }, replication_method: 'INCREMENTAL' }] }],
  ])('%s is refused', (_, catalog) => {
    expect(failureOf(() => readSingerCatalog(catalog, connection.streams()))).toMatchObject({ code: 'input_malformed', where: 'catalog' });
  });
});

describe('tap', () => {
  it('writes schemas, records and bookmarks, and goes on from them', async () => {
    const messages = await tap();
    expect(messages[0]).toMatchObject({ type: 'SCHEMA', stream: 'items', key_properties: ['id'], bookmark_properties: ['at'] });
    expect(messages).toContainEqual({
      type: 'RECORD',
      stream: 'whole',
      record: { n: 1, note: 'x' },
      time_extracted: '2026-01-10T00:00:00.000Z',
    });
    // Digit for digit, which JSON.parse here could not show.
    expect(out.find((text) => text.includes('"n1"'))).toBe(
      '{"type":"RECORD","stream":"items","record":{"id":1,"at":"2026-01-01T00:00:00Z","name":"n1","big":9007199254740993},"time_extracted":"2026-01-10T00:00:00.000Z"}',
    );
    expect(Object.keys(last().value.bookmarks)).toEqual(['items']);
    const { value } = last();
    clock.advance(1000);
    ROWS.push({ id: 3, at: '2026-01-05T00:00:00Z', name: 'n3', big: '1' });
    await tap(undefined, value);
    ROWS.pop();
    expect(out.filter((text) => text.includes('"RECORD","stream":"items"')).map((text) => JSON.parse(text).record.id)).toEqual([3]);
    clock.advance(AT - clock.now());
  });

  it('leaves out what was deselected, in schema and records', async () => {
    const metadata = [
      { breadcrumb: [], metadata: { selected: true } },
      { breadcrumb: ['properties', 'big'], metadata: { selected: false } },
    ];
    const messages = await tap({ streams: [{ tap_stream_id: 'items', metadata }] });
    expect(Object.keys((messages[0] as { schema: { properties: object } }).schema.properties)).toEqual(['id', 'at', 'name']);
    expect(messages[1]).toMatchObject({ record: { id: 1, at: '2026-01-01T00:00:00Z', name: 'n1' } });
    expect(out.join('\n')).not.toContain('"big"');
    expect(messages.some((message) => (message as { stream?: string }).stream === 'whole')).toBe(false);
  });

  it('keeps the bookmarks of streams that are not read now, and ends with a state when a stream fails', async () => {
    fails = true;
    const other = { stream: { cursor: null, read: 5 } };
    const whole = { streams: [{ stream: 'whole', schema: { selected: true } }] };
    await tap(whole, { bookmarks: { other }, currently_syncing: null });
    expect(last()).toEqual({ type: 'STATE', value: { bookmarks: { other } } });
    expect(out).toHaveLength(2);
  });

  it('refuses bookmarks of another tap', () => {
    const state = { bookmarks: { items: { replication_key: 'at', replication_key_value: '2026-01-01' } } };
    expect(failureOf(() => readSingerState(state))).toMatchObject({ code: 'state_unusable', where: 'items' });
    expect(failureOf(() => readSingerState([]))).toMatchObject({ code: 'state_unusable' });
    expect(readSingerState({}).size).toBe(0);
  });
});
