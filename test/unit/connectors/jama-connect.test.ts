import type { JsonObject } from '../../../framework/core/value.ts';
import { closeProviders, DAY, keysOf, provider, type Read, wire } from './provider.ts';

afterEach(closeProviders);

const API = 'GET https://acme.jamacloud.com/rest/v1';
const HEADERS = { accept: 'application/json' };

/** Pages of 50 of so many records, which end by the total: dev.jamasoftware.com/api. An empty list is asked for once. */
function pages(path: string, count: number, query: [string, string | number][] = []): string[] {
  const starts = Array.from({ length: Math.max(1, Math.ceil(count / 50)) }, (_, index) => index * 50);
  return starts.map((startAt) => wire(API + path, { query: [['startAt', startAt], ['maxResults', 50], ...query], headers: HEADERS }));
}

/** Lists of the whole site. */
const LISTS: Record<string, string> = {
  relationship_types: '/relationshiptypes',
  item_types: '/itemtypes',
  user_groups: '/usergroups',
  comments: '/comments',
};
/** Lists with the project as a parameter. */
const OF_PROJECT: Record<string, string> = {
  relationships: '/relationships',
  releases: '/releases',
  tags: '/tags',
  baselines: '/baselines',
};
/** Lists under an item. */
const OF_ITEM: Record<string, string> = {
  item_versions: 'versions',
  item_comments: 'comments',
  item_links: 'links',
  item_attachments: 'attachments',
  item_tags: 'tags',
};
/** The sandbox gives the first parent no record and the others half each: 130 are 0, 65 and 65; 3 are 0, 2 and 1. */
const MANY = [0, 65, 65];
const FEW = [0, 2, 1];

const ids = (rows: readonly JsonObject[]): number[] => rows.map(({ id }) => Number(id)).sort((a, b) => a - b);
const flat = (lists: string[][]): string[] => lists.flat().sort();
const ofParents = (parents: number[], counts: readonly number[], ask: (id: number, count: number) => string[]): string[] =>
  flat(parents.map((id, index) => ask(id, counts[index]!)));
const time = (text: string): string => `${text}.000+0000`;
const between = (name: string, from: string, to: string): [string, string][] => [
  [name, time(from)],
  [name, time(to)],
];
const SORTED: [string, string] = ['sortBy', 'modifiedDate.asc'];
/** Without "Changes since" from 2000 on, until the read begins. */
const ALL = ['2000-01-01T00:00:00', '2026-06-15T10:00:00'] as const;
/** From an hour before the first read's moment. */
const NEW = ['2026-06-15T09:00:00', '2026-06-16T10:00:00'] as const;

describe('every stream', () => {
  let asked: (stream: string) => string[];
  let read: Read;
  let projects: number[];

  beforeAll(async () => {
    const jama = await provider('jama-connect', { method: 'basic', records: 130, parents: 3 });
    read = await jama.read();
    asked = (stream) => jama.asked(stream, ['accept']);
    projects = ids(read.rows.projects!);
  });

  it('is read completely', () => {
    const parents = ['projects', 'project_items', 'pick_lists', 'test_plans', 'test_cycles', 'filters'];
    const others = [...Object.keys(LISTS), ...Object.keys(OF_PROJECT), ...Object.keys(OF_ITEM)];
    const more = ['items', 'pick_list_options', 'users', 'activities', 'test_runs', 'filter_results'];
    expect(read.counts).toEqual(
      Object.fromEntries([...parents.map((name) => [name, 3]), ...[...others, ...more].map((name) => [name, 130])]),
    );
  });

  it('asks for lists by startAt and maxResults', () => {
    for (const [stream, path] of Object.entries(LISTS)) expect(asked(stream)).toEqual(pages(path, 130).sort());
    expect(asked('users')).toEqual(pages('/users', 130, [['includeInactive', 'true']]).sort());
    expect(asked('items')).toEqual(pages('/abstractitems', 130, [...between('modifiedDate', ...ALL), SORTED]).sort());
    expect(new Set(asked('projects'))).toEqual(new Set(pages('/projects', 3)));
    expect(new Set(asked('pick_lists'))).toEqual(new Set(pages('/picklists', 3)));
    expect(asked('pick_list_options')).toEqual(
      ofParents(ids(read.rows.pick_lists!), MANY, (id, count) => pages(`/picklists/${id}/options`, count)),
    );
  });

  it('asks for lists of a project by its id', () => {
    for (const [stream, path] of Object.entries(OF_PROJECT))
      expect(asked(stream)).toEqual(ofParents(projects, MANY, (id, count) => pages(path, count, [['project', id]])));
    const activities = between('date', ...ALL);
    expect(asked('activities')).toEqual(
      ofParents(projects, MANY, (id, count) => pages('/activities', count, [['project', id], ...activities])),
    );
    for (const [stream, path] of Object.entries({ project_items: '/items', test_plans: '/testplans', filters: '/filters' })) {
      const own = ofParents(projects, FEW, (id, count) => pages(path, count, [['project', id]]));
      expect(new Set(asked(stream))).toEqual(new Set(own));
    }
  });

  it('asks for lists under an item, a test plan, a test cycle, a filter', () => {
    const items = ids(read.rows.project_items!);
    for (const [stream, path] of Object.entries(OF_ITEM))
      expect(asked(stream)).toEqual(ofParents(items, MANY, (id, count) => pages(`/items/${id}/${path}`, count)));
    const plans = ids(read.rows.test_plans!);
    const cycles = ofParents(plans, FEW, (id, count) => pages(`/testplans/${id}/testcycles`, count));
    expect(new Set(asked('test_cycles'))).toEqual(new Set(cycles));
    const runs = ofParents(ids(read.rows.test_cycles!), MANY, (id, count) => pages('/testruns', count, [['testCycle', id]]));
    expect(asked('test_runs')).toEqual(runs);
    const project = new Map(read.rows.filters!.map((filter) => [Number(filter.id), Number(filter.project)]));
    expect(asked('filter_results')).toEqual(
      ofParents(ids(read.rows.filters!), MANY, (id, count) => pages(`/filters/${id}/results`, count, [['project', project.get(id)!]])),
    );
  });
});

it('asks for the second page of parents, too', async () => {
  const jama = await provider('jama-connect', { method: 'basic', records: { projects: 60, pick_lists: 60, '*': 3 } });
  expect((await jama.read('projects', 'pick_lists')).counts).toEqual({ projects: 60, pick_lists: 60 });
  expect(jama.asked('projects', ['accept'])).toEqual(pages('/projects', 60).sort());
  expect(jama.asked('pick_lists', ['accept'])).toEqual(pages('/picklists', 60).sort());
});

it.each(['projects', 'project_items'])('%s: the second read brings what changed, and nothing else', async (stream) => {
  const jama = await provider('jama-connect', { method: 'basic', records: { projects: 3, project_items: 40 } });
  await jama.read(stream);
  jama.clock.advance(DAY);
  const { updated, inserted } = jama.sandbox.change({ stream, update: 2, insert: 1 });
  const { rows } = await jama.read(stream);
  expect(keysOf(rows[stream]!, ['id'])).toEqual(keysOf([...updated, ...inserted], ['id']));
});

it('baselines: the second read brings what was made since, also in a new project', async () => {
  const jama = await provider('jama-connect', { method: 'basic', records: 40, parents: 3 });
  expect((await jama.read('baselines')).counts).toEqual({ baselines: 40 });
  jama.clock.advance(DAY);
  jama.sandbox.change({ stream: 'projects', insert: 1 });
  // One for each of four projects.
  const { inserted } = jama.sandbox.change({ stream: 'baselines', insert: 4 });
  const { rows } = await jama.read('baselines');
  expect(keysOf(rows.baselines!, ['id'])).toEqual(keysOf(inserted, ['id']));
});

it('items: the second read asks for the range since, and brings what changed', async () => {
  const jama = await provider('jama-connect', { method: 'oauth', records: 60, fields: { start_date: '2026-01-01' } });
  expect((await jama.read('items')).counts).toEqual({ items: 60 });
  jama.clock.advance(DAY);
  const { updated, inserted } = jama.sandbox.change({ stream: 'items', update: 3, insert: 2, at: '2026-06-16T09:00:00Z' });
  const { rows } = await jama.read('items');
  // The newest of the first ones is of 6 hours before its moment: none is of the hour that is read again.
  expect(keysOf(rows.items!, ['id'])).toEqual(keysOf([...updated, ...inserted], ['id']));
  expect(jama.asked('items', ['accept'])).toEqual(pages('/abstractitems', 5, [...between('modifiedDate', ...NEW), SORTED]));
});

it('items: the first read begins at "Changes since"', async () => {
  const jama = await provider('jama-connect', { method: 'basic', records: 4, fields: { start_date: '2026-01-01' } });
  await jama.read('items');
  const range = between('modifiedDate', '2026-01-01T00:00:00', '2026-06-15T10:00:00');
  expect(jama.asked('items', ['accept'])).toEqual(pages('/abstractitems', 4, [...range, SORTED]));
});

it('activities: the second read asks each project for the range since', async () => {
  const jama = await provider('jama-connect', { method: 'basic', records: 60, parents: 3 });
  const { rows: first } = await jama.read('projects', 'activities');
  jama.clock.advance(DAY);
  const { inserted } = jama.sandbox.change({ stream: 'activities', insert: 3, at: '2026-06-16T09:00:00Z' });
  const { rows } = await jama.read('activities');
  expect(keysOf(rows.activities!, ['id'])).toEqual(keysOf(inserted, ['id']));
  expect(jama.asked('activities', ['accept'])).toEqual(
    ofParents(ids(first.projects!), [1, 1, 1], (id, count) => pages('/activities', count, [['project', id], ...between('date', ...NEW)])),
  );
});

it.each(Object.entries(OF_ITEM))('%s: the second read asks only at items at which something happened', async (stream, path) => {
  const records = { projects: 3, project_items: 12, [stream]: 24 };
  const jama = await provider('jama-connect', { method: 'basic', records });
  expect((await jama.read(stream)).counts).toEqual({ [stream]: 24 });
  jama.clock.advance(DAY);
  const { updated, inserted } = jama.sandbox.change({ stream: 'project_items', update: 2, insert: 1 });
  await jama.read(stream);
  const items = ids([...updated, ...inserted]);
  expect(jama.asked(stream, ['accept'])).toEqual(ofParents(items, [0, 0, 0], (id, count) => pages(`/items/${id}/${path}`, count)));
});
