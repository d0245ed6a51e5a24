/** Servers that are not ours, read once, changed, and read again: exactly what they themselves say has changed. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { openSink } from '../../framework/destinations/index.ts';
import type { RunEvent } from '../../framework/engine/run-events.ts';
import { type Connection, loadConnector } from '../../framework/index.ts';
import { type ChangingServer, orders, parse, type Row } from './changing-servers.ts';

let server: ChangingServer;
let connection: Connection;
let folder: string;

async function begin(started: Promise<ChangingServer>, spec: string): Promise<void> {
  server = await started;
  folder = await mkdtemp(join(tmpdir(), 'ferrule-changes-'));
  const connector = await loadConnector(`test/integration/specs/${spec}.yaml`);
  connection = await connector.connect({ fields: server.fields }, { network: { allowLoopbackAddresses: true } });
}

async function end(): Promise<void> {
  await connection?.close();
  await server?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true });
}

type Type = 'jsonl' | 'duckdb';
const TYPES: Type[] = ['jsonl', 'duckdb'];
const placeOf = (type: Type): string => join(folder, type === 'jsonl' ? 'out' : 'out.duckdb');

interface Done {
  records: number;
  skipped: number;
  complete: boolean;
  resumed: boolean;
  code: string | undefined;
}

/** One read of one stream, by a process that begins anew as far as the destination knows. `stopAt`: aborted when so many pages came. */
async function read(type: Type, stream: string, stopAt?: number): Promise<Done> {
  const into = await openSink({ type, target: placeOf(type) });
  const controller = new AbortController();
  let pages = 0;
  const onEvent = ({ type: event }: RunEvent): void => {
    if (event === 'page' && ++pages === stopAt) controller.abort();
  };
  try {
    const [outcome] = await connection.readInto(into, { streams: [stream], concurrency: 1, signal: controller.signal, onEvent });
    const { records = 0, skipped = 0, complete = false, resumed = false, error } = outcome ?? {};
    return { records, skipped, complete, resumed, code: error?.code };
  } finally {
    await into.close();
  }
}

/** All rows that are there, in the order in which they were written where the destination has one. */
async function rows(type: Type, stream: string, columns: string[]): Promise<Row[]> {
  if (type === 'jsonl') {
    const text = await readFile(join(placeOf(type), `${stream}.jsonl`), 'utf8').catch(() => '');
    const lines = text.split('\n').filter((line) => line !== '');
    return lines.map((line) => picked(JSON.parse(line) as Row, columns));
  }
  const instance = await DuckDBInstance.create(placeOf(type), { access_mode: 'READ_ONLY' });
  const database = await instance.connect();
  try {
    const result = await database.runAndReadAll(`SELECT ${columns.map((name) => `"${name}"`).join(', ')} FROM "${stream}"`);
    return (result.getRowObjectsJson() as Row[]).map((row) => picked(row, columns));
  } finally {
    database.closeSync();
    instance.closeSync();
  }
}

const picked = (row: Row, columns: string[]): Row => Object.fromEntries(columns.map((name) => [name, String(row[name])]));
const sorted = (list: Row[]): string[] => list.map((row) => JSON.stringify(row)).sort();

/** What a destination has is what the server says it has: each row once in the database, the last line of each in the lines. */
async function expectAll(type: Type, stream: string, columns: string[], account: Row[]): Promise<void> {
  const found = await rows(type, stream, columns);
  const latest = new Map(found.map((row) => [row[columns[0] as string], row]));
  if (type === 'duckdb') expect(found).toHaveLength(latest.size);
  expect(sorted([...latest.values()])).toEqual(sorted(account.map((row) => picked(row, columns))));
}

/** The lines that a read has added, where lines are kept. */
async function expectNewLines(stream: string, columns: string[], before: number, account: Row[]): Promise<void> {
  const added = (await rows('jsonl', stream, columns)).slice(before);
  expect(sorted(added)).toEqual(sorted(account.map((row) => picked(row, columns))));
}

describe('Parse Server: objects from the greatest time on, page by page in its order', () => {
  const COLUMNS = ['objectId', 'name'];
  const named = (name: string) => server.call('POST', '/classes/Project', { name });
  /** In Parse's own words; a thousand are more than there are. */
  const found = async (of: string, where: object): Promise<Row[]> => {
    const { results } = await server.call('GET', `/classes/${of}?limit=1000&where=${encodeURIComponent(JSON.stringify(where))}`);
    return results as Row[];
  };
  const since = (iso: string, word = '$gt') => ({ updatedAt: { [word]: { __type: 'Date', iso } } });
  const latest = async (): Promise<string> => {
    const { results } = await server.call('GET', '/classes/Project?order=-updatedAt&limit=1');
    return String((results as Row[])[0]?.updatedAt);
  };
  beforeAll(async () => {
    await begin(parse(), 'parse');
    for (let number = 1; number <= 53; number += 1) await named(`project ${number}`);
  });

  afterAll(end);

  it('a first read that is stopped in the middle goes on where it was', async () => {
    for (const type of TYPES) {
      const stopped = await read(type, 'projects', 2);
      expect(stopped).toMatchObject({ complete: false, code: 'aborted', resumed: false });
      expect(stopped.records).toBeGreaterThanOrEqual(20);
      expect(stopped.records).toBeLessThan(53);
      const rest = await read(type, 'projects');
      expect(rest).toMatchObject({ complete: true, resumed: true });
      // No page is read twice.
      expect((await rows(type, 'projects', COLUMNS)).length).toBe(53);
      await expectAll(type, 'projects', COLUMNS, await found('Project', {}));
    }
  });

  it('then exactly the changes: new ones, changed ones, and one with the time of the last', async () => {
    const before = await latest();
    const [first, second] = (await found('Project', since(before, '$lt'))) as [Row, Row];
    await server.call('PUT', `/classes/Project/${first.objectId}`, { name: 'renamed' });
    await server.call('PUT', `/classes/Project/${second.objectId}`, { name: 'renamed too' });
    await named('new');
    const time = { __type: 'Date', iso: before };
    await server.call('POST', '/classes/Project', { name: 'as late as the last', createdAt: time, updatedAt: time });
    const same = (await found('Project', { updatedAt: time })).filter(({ name }) => name === 'as late as the last');
    expect(same).toMatchObject([{ updatedAt: before }]);
    const changed = [...(await found('Project', since(before))), ...same];
    expect(changed).toHaveLength(4);
    for (const type of TYPES) {
      // The last one of the read before comes again and is known.
      expect(await read(type, 'projects')).toMatchObject({ complete: true, records: 4, skipped: 1, resumed: false });
      await expectAll(type, 'projects', COLUMNS, await found('Project', {}));
      expect(await read(type, 'projects')).toMatchObject({ complete: true, records: 0, skipped: 1 });
    }
    await expectNewLines('projects', COLUMNS, 53, changed);
  });

  it('changes of several pages, stopped among them', async () => {
    const before = await latest();
    const some = (await found('Project', {})).slice(0, 45);
    for (const { objectId } of some) await server.call('PUT', `/classes/Project/${objectId}`, { name: `third ${objectId}` });
    const changed = await found('Project', since(before));
    expect(changed).toHaveLength(45);
    for (const type of TYPES) {
      const stopped = await read(type, 'projects', 2);
      expect(stopped).toMatchObject({ complete: false, code: 'aborted' });
      const rest = await read(type, 'projects');
      expect(rest).toMatchObject({ complete: true, resumed: true });
      await expectAll(type, 'projects', COLUMNS, await found('Project', {}));
    }
    await expectNewLines('projects', COLUMNS, 57, changed);
  });

  it('tasks of each project from their own greatest time on', async () => {
    const projects = (await found('Project', {})).slice(0, 3);
    const add = (project: Row | undefined, name: string) =>
      server.call('POST', '/classes/Task', { name, project: { __type: 'Pointer', className: 'Project', objectId: project?.objectId } });
    for (let number = 1; number <= 23; number += 1) await add(projects[0], `first ${number}`);
    await add(projects[1], 'second 1');
    const total = (await found('Project', {})).length;
    for (const type of TYPES) {
      expect(await read(type, 'tasks')).toMatchObject({ complete: true, records: 24 });
      await expectAll(type, 'tasks', COLUMNS, await found('Task', {}));
    }
    const before = String(
      (await found('Task', {}))
        .map(({ updatedAt }) => String(updatedAt))
        .sort()
        .at(-1),
    );
    await add(projects[0], 'first 24');
    await add(projects[2], 'third 1');
    const [old] = await found('Task', { name: 'first 1' });
    await server.call('PUT', `/classes/Task/${old?.objectId}`, { name: 'first 1 again' });
    const changed = await found('Task', since(before));
    expect(changed).toHaveLength(3);
    for (const type of TYPES) {
      expect(await read(type, 'tasks')).toMatchObject({ complete: true, records: 3 });
      await expectAll(type, 'tasks', COLUMNS, await found('Task', {}));
      expect(await read(type, 'tasks')).toMatchObject({ complete: true, records: 0 });
    }
    await expectNewLines('tasks', COLUMNS, 24, changed);
    expect(total).toBeGreaterThan(40);
  });
});

describe('an OData service of CAP: windows by when it says that an order was changed, items of changed orders', () => {
  const COLUMNS = ['ID', 'customer', 'amount'];
  const order = (ID: number) => ({
    ID,
    customer: `customer ${ID}`,
    amount: `${ID}.25`,
    items: [{ ID: ID * 10, product: `product ${ID}` }],
  });
  /** By the service's own links, however many pages there are. */
  const found = async (of: string, filter?: string): Promise<Row[]> => {
    const all: Row[] = [];
    let next: string | undefined = `${of}?$orderby=ID${filter === undefined ? '' : `&$filter=${encodeURIComponent(filter)}`}`;
    while (next !== undefined) {
      const page: Row = await server.call('GET', `/${next}`);
      all.push(...(page.value as Row[]));
      next = page['@odata.nextLink'] as string | undefined;
    }
    return all;
  };
  const latest = async (): Promise<string> => {
    const { value } = await server.call('GET', '/Orders?$orderby=modifiedAt%20desc&$top=1');
    return String((value as Row[])[0]?.modifiedAt);
  };
  beforeAll(async () => {
    await begin(orders(), 'orders');
    for (let ID = 1; ID <= 53; ID += 1) await server.call('POST', '/Orders', order(ID));
  });

  afterAll(end);

  it('a first read that is stopped in the middle goes on at the link that came next', async () => {
    for (const type of TYPES) {
      const stopped = await read(type, 'orders', 2);
      expect(stopped).toMatchObject({ complete: false, code: 'aborted' });
      expect(stopped.records).toBeLessThan(53);
      expect(await read(type, 'orders')).toMatchObject({ complete: true, resumed: true, records: 53 - stopped.records });
      expect((await rows(type, 'orders', COLUMNS)).length).toBe(53);
      await expectAll(type, 'orders', COLUMNS, await found('Orders'));
      expect(await read(type, 'items')).toMatchObject({ complete: true, records: 53 });
      await expectAll(type, 'items', ['ID', 'product', 'parent_ID'], await found('Items'));
    }
  });

  it('then exactly the changes, then none', async () => {
    const before = await latest();
    await server.call('PATCH', '/Orders(7)', { customer: 'renamed' });
    await server.call('PATCH', '/Orders(8)', {
      items: [
        { ID: 80, product: 'product 8' },
        { ID: 81, product: 'one more' },
      ],
    });
    await server.call('POST', '/Orders', order(54));
    const changed = await found('Orders', `modifiedAt gt ${before}`);
    expect(changed.map(({ ID }) => ID)).toEqual([7, 8, 54]);
    const items = (await found('Items')).filter(({ parent_ID }) => [7, 8, 54].includes(Number(parent_ID)));
    expect(items.map(({ ID }) => ID)).toEqual([70, 80, 81, 540]);
    for (const type of TYPES) {
      expect(await read(type, 'orders')).toMatchObject({ complete: true, records: 3, skipped: 0 });
      await expectAll(type, 'orders', COLUMNS, await found('Orders'));
      expect(await read(type, 'orders')).toMatchObject({ complete: true, records: 0 });
      expect(await read(type, 'items')).toMatchObject({ complete: true, records: 4 });
      await expectAll(type, 'items', ['ID', 'product', 'parent_ID'], await found('Items'));
      expect(await read(type, 'items')).toMatchObject({ complete: true, records: 0 });
    }
    await expectNewLines('orders', COLUMNS, 53, changed);
    await expectNewLines('items', ['ID', 'product', 'parent_ID'], 53, items);
  });

  it('changes of several pages, stopped among them', async () => {
    const before = await latest();
    for (let ID = 1; ID <= 45; ID += 1) await server.call('PATCH', `/Orders(${ID})`, { customer: `third ${ID}` });
    const changed = await found('Orders', `modifiedAt gt ${before}`);
    expect(changed).toHaveLength(45);
    for (const type of TYPES) {
      const stopped = await read(type, 'orders', 2);
      expect(stopped).toMatchObject({ complete: false, code: 'aborted' });
      expect(await read(type, 'orders')).toMatchObject({ complete: true, resumed: true, records: 45 - stopped.records });
      await expectAll(type, 'orders', COLUMNS, await found('Orders'));
    }
    await expectNewLines('orders', COLUMNS, 56, changed);
  });
});
