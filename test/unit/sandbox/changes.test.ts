import type { Clock } from '../../../framework/core/clock.ts';
import { type Changed, type Key, type Sandbox, type SandboxOptions, startSandbox } from '../../../framework/sandbox/index.ts';
import { at, bearer, type Got, send, spec } from './wire.ts';

const HOUR = 3_600_000;
let now: number;
const clock: Clock = { now: () => now, sleep: () => Promise.resolve() };
const ACME = `
spec: 1
name: acme
title: Acme
version: 1.0.0
choices: { region: { options: { eu: { host: eu.acme.com }, us: { host: us.acme.com } } } }
auth: { key: { type: bearer } }
http: { base_url: 'https://\${region.host}' , big_integers: text }
streams:
  boards: { get: /boards, query: { since: '\${window.start}' }, records: data, primary_key: [id], columns: { id: integer, name: text, changed: datetime }, cursor: { field: changed } }
  cards:
    parent: boards
    get: /boards/\${parent.id}/cards
    query: { since: '\${window.start}' }
    records: data
    primary_key: [Key]
    rename: { key: Key }
    columns: { Key: integer, done: boolean, changed: datetime }
    cursor: { field: changed, order: asc }
  days:
    get: /days
    query: { from: '\${window.start}', to: '\${window.end}' }
    records: data
    primary_key: [day]
    columns: { day: date, clicks: integer }
    cursor: { field: day, format: date, order: asc, window: { end: inclusive } }
  events: { get: /events, query: { after: '\${window.start}' }, records: data, primary_key: [id], columns: { id: text, seq: integer }, cursor: { field: seq, format: integer, order: asc } }
  plain: { get: /plain, records: data, primary_key: [id], columns: { id: integer, name: text }, paginate: { type: page, page: query.page, size: query.size, page_size: 4 } }
  store: { get: /store/info.json, columns: { name: text } }
`;

let sandbox: Sandbox;
async function start(options: SandboxOptions = {}): Promise<void> {
  now = Date.parse('2026-06-15T10:00:00Z');
  sandbox = await startSandbox(spec(ACME), { clock, fields: { token: 'right' }, choices: { region: 'eu' }, ...options });
}
afterEach(() => sandbox.close());

const get = (path: string, host = 'eu.acme.com'): Promise<Got> => send(sandbox, `https://${host}${path}`, { headers: bearer('right') });
type Row = Record<string, string | number | boolean>;
/** JSON.parse rounds the large ids of this spec: they are read as they stand. */
const rows = (got: Got): Row[] => {
  expect(got.status).toBe(200);
  return at(JSON.parse(got.text.replace(/:(\d{16,})/g, ':"$1"')), 'data') as Row[];
};
const keys = (list: readonly Key[]): string => JSON.stringify(list.map((key) => Object.values(key).join()).toSorted());
const keysOf = (list: readonly Row[], name: string): string => JSON.stringify(list.map((row) => String(row[name])).toSorted());
const both = ({ updated, inserted }: Changed): Key[] => [...updated, ...inserted];

describe('data that change between two reads', () => {
  it('gives exactly the changes to who asks from then on, and everything once to who reads all', async () => {
    await start({ records: { boards: 40, '*': 8 } });
    const before = rows(await get('/boards'));
    now += HOUR;
    const since = '2026-06-15T11:00:00Z';
    expect(rows(await get(`/boards?since=${since}`))).toEqual([]);
    const changed = sandbox.change({ stream: 'boards', update: 3, insert: 2, delete: 1 });
    const after = rows(await get(`/boards?since=${since}`));
    expect(keysOf(after, 'id')).toBe(keys(both(changed)));
    expect(new Set(after.map((row) => row.changed))).toEqual(new Set([since]));
    for (const row of after) {
      const old = before.find(({ id }) => id === row.id);
      if (old !== undefined) expect(row.name).not.toBe(old.name);
    }
    const all = rows(await get('/boards'));
    expect([all.length, new Set(all.map(({ id }) => id)).size, sandbox.expected.boards]).toEqual([41, 41, 41]);
    expect(all.some(({ id }) => String(id) === String(changed.deleted[0]!.id))).toBe(false);
  });

  it('changes the same record once more, into another value', async () => {
    await start({ records: { boards: 1, '*': 8 } });
    const names = [rows(await get('/boards'))[0]!.name];
    for (let turn = 0; turn < 3; turn++) {
      now += HOUR;
      expect(sandbox.change({ stream: 'boards', update: 1 }).updated.length).toBe(1);
      names.push(rows(await get('/boards'))[0]!.name);
    }
    for (let turn = 1; turn < names.length; turn++) expect(names[turn]).not.toBe(names[turn - 1]);
  });

  it('reaches children by their parents, of those that are there', async () => {
    await start({ records: { boards: 4, cards: 30, '*': 8 } });
    now += HOUR;
    const changed = sandbox.change({ stream: 'cards', update: 4, insert: 6, delete: 2 });
    const found: Row[] = [];
    const all: Row[] = [];
    for (const { id } of rows(await get('/boards'))) {
      found.push(...rows(await get(`/boards/${id}/cards?since=2026-06-15T11:00:00Z`)));
      const list = rows(await get(`/boards/${id}/cards`));
      expect(list.map((row) => row.changed)).toEqual(list.map((row) => row.changed).toSorted());
      all.push(...list);
    }
    expect(keysOf(found, 'key')).toBe(keys(both(changed)));
    expect([all.length, new Set(all.map(({ key }) => key)).size]).toEqual([34, 34]);
    const [gone] = sandbox.change({ stream: 'boards', delete: 1, insert: 1 }).deleted;
    expect((await get(`/boards/${gone!.id}/cards`)).status).toBe(404);
    let left = 0;
    for (const { id } of rows(await get('/boards'))) left += rows(await get(`/boards/${id}/cards`)).length;
    expect(sandbox.expected.cards).toBe(left);
  });

  it('takes what changed out of where it was, also from a list that ends before, and deletes it too', async () => {
    await start({ records: { days: 4, events: 6, '*': 8 } });
    sandbox.change({ stream: 'events', update: 6, insert: 2 });
    expect(rows(await get('/events')).map(({ seq }) => seq)).toEqual([7, 8, 9, 10, 11, 12, 13, 14]);
    const { deleted } = sandbox.change({ stream: 'events', delete: 5 });
    const left = rows(await get('/events'));
    expect([left.length, sandbox.expected.events]).toEqual([3, 3]);
    expect(left.some(({ id }) => deleted.some((key) => key.id === id))).toBe(false);
    sandbox.change({ stream: 'days', insert: 1 });
    expect(rows(await get('/days?from=2026-05-01&to=2026-06-14')).length).toBe(4);
    expect(rows(await get('/days?from=2026-05-01&to=2026-06-15')).length).toBe(5);
  });

  it('happens when the caller says, between what was there', async () => {
    await start({ records: { cards: 20, boards: 1, '*': 8 } });
    const [board] = rows(await get('/boards'));
    const changed = sandbox.change({ stream: 'cards', insert: 2, at: '2026-06-01T00:00:00Z' });
    const list = rows(await get(`/boards/${board!.id}/cards`));
    const times = list.map((row) => row.changed);
    expect(times).toEqual(times.toSorted());
    const late = list.filter((row) => row.changed === '2026-06-01T00:00:00Z');
    expect(keysOf(late, 'key')).toBe(keys(changed.inserted));
    expect(() => sandbox.change({ stream: 'cards', insert: 1, at: 'yesterday' })).toThrow('yesterday is no time');
  });

  it('restates the newest under the key that they have, where the cursor is in it', async () => {
    await start({ records: { days: 20, '*': 8 } });
    const path = '/days?from=2026-05-01&to=2026-06-30';
    const before = rows(await get(path));
    const changed = sandbox.change({ stream: 'days', update: 3, insert: 1 });
    const after = rows(await get(path));
    expect(keys(changed.updated)).toBe(keysOf(before.slice(-3), 'day'));
    expect(changed.inserted).toEqual([{ day: '2026-06-15' }]);
    expect(after.slice(0, 17)).toEqual(before.slice(0, 17));
    for (const [index, { day, clicks }] of after.slice(17, 20).entries()) {
      expect(day).toBe(before[17 + index]!.day);
      expect(clicks).not.toBe(before[17 + index]!.clicks);
    }
    expect(() => sandbox.change({ stream: 'days', insert: 1 })).toThrow('one record for each time');
  });

  it('gives numbers that only grow', async () => {
    await start({ records: { events: 10, '*': 8 } });
    const changed = sandbox.change({ stream: 'events', update: 2, insert: 2 });
    const after = rows(await get('/events?after=11'));
    expect(after.map(({ seq }) => seq)).toEqual([11, 12, 13, 14]);
    expect(keysOf(after, 'id')).toBe(keys(both(changed)));
    expect(rows(await get('/events')).length).toBe(12);
  });

  it('changes what has no cursor in its place, and adds at the end', async () => {
    await start({ records: { plain: 10, '*': 8 } });
    const read = async (): Promise<Row[]> =>
      (await Promise.all([1, 2, 3, 4].map((page) => get(`/plain?page=${page}&size=4`)))).flatMap(rows);
    const before = await read();
    const changed = sandbox.change({ stream: 'plain', update: 2, insert: 3, delete: 1 });
    const after = await read();
    const old = before.filter(({ id }) => id !== String(changed.deleted[0]!.id));
    expect(after.slice(0, 9).map(({ id }) => id)).toEqual(old.map(({ id }) => id));
    expect(keysOf(after.slice(9), 'id')).toBe(keys(changed.inserted));
    const others = after.slice(0, 9).filter((row, index) => row.name !== old[index]!.name);
    expect(keysOf(others, 'id')).toBe(keys(changed.updated));
  });

  it('is the same for every choice, and comes over the wire too', async () => {
    await start({ records: 8 });
    const url = `${sandbox.origin}/__sandbox/change`;
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify({ stream: 'events', update: 1, insert: 1 }) });
    const changed = (await answer.json()) as Changed;
    for (const host of ['eu.acme.com', 'us.acme.com']) {
      expect(keysOf(rows(await get('/events?after=9', host)), 'id')).toBe(keys(both(changed)));
    }
  });

  it.each([
    [{ stream: 'board' }, 'acme has no stream "board"'],
    [{ stream: 'boards', update: 9 }, 'boards has 8 records, and 9 are to change'],
    [{ stream: 'boards', insert: -1 }, 'insert is no whole number'],
    [{ stream: 'store', insert: 1 }, 'store has no list'],
  ])('refuses %j', async (change, message) => {
    await start({ records: 8 });
    expect(() => sandbox.change(change)).toThrow(message);
  });
});
