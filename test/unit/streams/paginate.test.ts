import { readFileSync } from 'node:fs';
import type { Paginate } from '../../../framework/core/spec-types.gen.ts';
import type { Json, JsonObject, Patch, Response } from '../../../framework/core/value.ts';
import { createPaginator, PAGINATORS } from '../../../framework/streams/paginate/index.ts';
import { linkTarget } from '../../../framework/streams/paginate/link-header.ts';

const SCOPE = {
  response: {
    type: 'map' as const,
    members: { status: { type: 'number' as const }, headers: { type: 'map' as const }, body: { type: 'any' as const } },
  },
  record: { type: 'any' as const },
  last_record: { type: 'any' as const },
  page: {
    type: 'map' as const,
    members: { index: { type: 'number' as const }, size: { type: 'number' as const }, count: { type: 'number' as const } },
  },
};

interface Turn {
  body?: Json;
  headers?: Record<string, string>;
  /** How many, with ids that count on; or the records themselves. */
  records: number | JsonObject[];
}

const respond = ({ body = null, headers = {} }: Turn): Response => ({
  status: 200,
  headers,
  cookies: {},
  body,
  bytes: new Uint8Array(),
  url: 'https://api.acme.test/v1/items?x=1',
});

/** The patches that a paginator asks with, until it stops or the turns are used up. */
function walk(options: Paginate, turns: Turn[]): (Patch | undefined)[] {
  const paginator = createPaginator(options, SCOPE);
  const patches: (Patch | undefined)[] = [paginator.first()];
  let count = 0;
  for (const [index, turn] of turns.entries()) {
    const patch = patches.at(-1);
    if (patch === undefined) throw new Error('it had stopped already');
    const first = count + 1;
    const records = Array.isArray(turn.records) ? turn.records : Array.from({ length: turn.records }, (_, at) => ({ id: first + at }));
    count += records.length;
    patches.push(paginator.next({ response: respond(turn), size: records.length, last: records.at(-1), patch, index, count, vars: {} }));
  }
  return patches;
}

const RESTART = { at: 4, from: 'at', into: 'query.since' };
const rows = (...keys: number[]): JsonObject[] => keys.map((at) => ({ at }));

describe('paginators', () => {
  it('are those of the schema', () => {
    const schema = JSON.parse(readFileSync('schemas/paginate.schema.json', 'utf8')) as { oneOf: { $ref: string }[] };
    const types = schema.oneOf.map(({ $ref }) => $ref.replace(/^paginate\/|\.schema\.json$/g, ''));
    expect([...PAGINATORS.keys()].sort()).toEqual(types.sort());
  });

  it('none: one request', () => expect(walk({ type: 'none' }, [{ records: 3 }])).toEqual([{}, undefined]));

  it.each<[string, Paginate, Turn[], (Patch | undefined)[]]>([
    [
      'page: until an empty page',
      { type: 'page', page: 'query.page', size: 'query.per_page', page_size: 2, stop: ['empty_page'] },
      [{ records: 2 }, { records: 1 }, { records: 0 }],
      [
        { 'query.page': 1, 'query.per_page': 2 },
        { 'query.page': 2, 'query.per_page': 2 },
        { 'query.page': 3, 'query.per_page': 2 },
        undefined,
      ],
    ],
    [
      'page: until a short page, from 0',
      { type: 'page', page: 'body.p', start: 0, page_size: 2, stop: ['short_page'] },
      [{ records: 2 }, { records: 1 }],
      [{ 'body.p': 0 }, { 'body.p': 1 }, undefined],
    ],
    [
      'page: an empty page ends it without a word',
      { type: 'page', page: 'query.page' },
      [{ records: 0 }],
      [{ 'query.page': 1 }, undefined],
    ],
    [
      'offset: by what came, until the total',
      { type: 'offset', offset: 'query.startAt', size: 'query.maxResults', page_size: 50, total: 'meta.total' },
      [
        { records: 20, body: { meta: { total: 45 } } },
        { records: 20, body: { meta: { total: 45 } } },
        { records: 5, body: { meta: { total: 45 } } },
      ],
      [
        { 'query.startAt': 0, 'query.maxResults': 50 },
        { 'query.startAt': 20, 'query.maxResults': 50 },
        { 'query.startAt': 40, 'query.maxResults': 50 },
        undefined,
      ],
    ],
    [
      'offset: any stop wins',
      { type: 'offset', offset: 'query.skip', page_size: 3, total: 'total', stop: ['short_page'] },
      [{ records: 2, body: { total: 99 } }],
      [{ 'query.skip': 0 }, undefined],
    ],
    [
      'offset: a total as text',
      { type: 'offset', offset: 'query.skip', total: 'total' },
      [{ records: 2, body: { total: '2' } }],
      [{ 'query.skip': 0 }, undefined],
    ],
    [
      'page: by what came, until the total of records',
      { type: 'page', page: 'query.page', size: 'query.limit', page_size: 50, total: 'meta.total' },
      [
        { records: 20, body: { meta: { total: 45 } } },
        { records: 20, body: { meta: { total: '45' } } },
        { records: 5, body: { meta: { total: 45 } } },
      ],
      [{ 'query.page': 1, 'query.limit': 50 }, { 'query.page': 2, 'query.limit': 50 }, { 'query.page': 3, 'query.limit': 50 }, undefined],
    ],
    [
      'page: until the total of pages',
      { type: 'page', page: 'query.page', total_pages: '${response.headers["x-pages"]}' },
      [
        { records: 3, headers: { 'x-pages': '2' } },
        { records: 3, headers: { 'x-pages': '2' } },
      ],
      [{ 'query.page': 1 }, { 'query.page': 2 }, undefined],
    ],
    [
      'page: until the total of pages, from 0',
      { type: 'page', page: 'query.page', start: 0, total_pages: 'pages' },
      [
        { records: 3, body: { pages: 2 } },
        { records: 3, body: { pages: 2 } },
      ],
      [{ 'query.page': 0 }, { 'query.page': 1 }, undefined],
    ],
    [
      'page: a flag that says no more',
      { type: 'page', page: 'query.page', more: 'has_more' },
      [
        { records: 3, body: { has_more: true } },
        { records: 3, body: { has_more: false } },
      ],
      [{ 'query.page': 1 }, { 'query.page': 2 }, undefined],
    ],
    [
      'page: any stop wins, the flag',
      { type: 'page', page: 'query.page', total: 'total', total_pages: 'pages', more: 'more' },
      [{ records: 3, body: { total: 9, pages: 3, more: null } }],
      [{ 'query.page': 1 }, undefined],
    ],
    [
      'page: any stop wins, the total of records',
      { type: 'page', page: 'query.page', total: 'total', total_pages: 'pages', more: 'more' },
      [{ records: 3, body: { total: 3, pages: 3, more: true } }],
      [{ 'query.page': 1 }, undefined],
    ],
    [
      'page: any stop wins, the total of pages',
      { type: 'page', page: 'query.page', total: 'total', total_pages: 'pages', more: 'more' },
      [{ records: 3, body: { total: 9, pages: 1, more: true } }],
      [{ 'query.page': 1 }, undefined],
    ],
    [
      'page: an empty page ends it before its totals',
      { type: 'page', page: 'query.page', total: 'total', total_pages: 'pages', more: 'more' },
      [{ records: 0, body: { total: 9, pages: 3, more: true } }],
      [{ 'query.page': 1 }, undefined],
    ],
    [
      'offset: a flag that says no more, before the total',
      { type: 'offset', offset: 'query.skip', total: 'total', more: '${default(response.body.more, false)}' },
      [
        { records: 2, body: { total: 9, more: 1 } },
        { records: 2, body: { total: 9 } },
      ],
      [{ 'query.skip': 0 }, { 'query.skip': 2 }, undefined],
    ],
    [
      'offset: a restart at the ceiling, whatever the signs say there, and the key stays',
      { type: 'offset', offset: 'query.skip', size: 'query.take', page_size: 2, total: 'total', more: 'more', restart: RESTART },
      [
        { records: rows(1, 2), body: { total: 4, more: true } },
        { records: rows(3, 4), body: { total: 4, more: false } },
        { records: rows(4, 5), body: { total: 3, more: true } },
        { records: rows(6), body: { total: 3, more: false } },
      ],
      [
        { 'query.skip': 0, 'query.take': 2 },
        { 'query.skip': 2, 'query.take': 2 },
        { 'query.skip': 0, 'query.take': 2, 'query.since': 4 },
        { 'query.skip': 2, 'query.take': 2, 'query.since': 4 },
        undefined,
      ],
    ],
    [
      'offset: no page is asked for that reaches beyond the ceiling',
      { type: 'offset', offset: 'query.skip', page_size: 3, restart: RESTART },
      [{ records: rows(1, 2, 3) }, { records: rows(4, 5, 6) }],
      [{ 'query.skip': 0 }, { 'query.skip': 0, 'query.since': 3 }, { 'query.skip': 0, 'query.since': 6 }],
    ],
    [
      'offset: a restart that brings nothing is the end',
      { type: 'offset', offset: 'query.skip', page_size: 4, restart: RESTART },
      [{ records: rows(1, 2, 3, 4) }, { records: [] }],
      [{ 'query.skip': 0 }, { 'query.skip': 0, 'query.since': 4 }, undefined],
    ],
    [
      'offset: a sign before the ceiling is the end',
      { type: 'offset', offset: 'query.skip', page_size: 2, total: 'total', restart: RESTART },
      [
        { records: rows(1, 2), body: { total: 3 } },
        { records: rows(3), body: { total: 3 } },
      ],
      [{ 'query.skip': 0 }, { 'query.skip': 2 }, undefined],
    ],
    [
      'page: a restart at the ceiling, whatever the signs say there, and the key stays',
      { type: 'page', page: 'query.page', page_size: 2, total: 'total', total_pages: 'pages', restart: RESTART },
      [
        { records: rows(1, 2), body: { total: 4, pages: 2 } },
        { records: rows(3, 4), body: { total: 4, pages: 2 } },
        // More records than this total came, but not since the restart.
        { records: rows(4, 5), body: { total: 3, pages: 2 } },
        { records: rows(6), body: { total: 3, pages: 2 } },
      ],
      [{ 'query.page': 1 }, { 'query.page': 2 }, { 'query.page': 1, 'query.since': 4 }, { 'query.page': 2, 'query.since': 4 }, undefined],
    ],
    [
      'page: a flag that says no more because one page more would reach beyond',
      { type: 'page', page: 'query.page', page_size: 3, more: 'more', restart: RESTART },
      [
        { records: rows(1, 2, 3), body: { more: false } },
        { records: rows(4), body: { more: false } },
      ],
      [{ 'query.page': 1 }, { 'query.page': 1, 'query.since': 3 }, undefined],
    ],
    [
      'offset: a total that counts no further than whole pages reach',
      { type: 'offset', offset: 'query.skip', page_size: 3, total: 'total', restart: RESTART },
      [{ records: rows(1, 2, 3), body: { total: 3 } }],
      [{ 'query.skip': 0 }, { 'query.skip': 0, 'query.since': 3 }],
    ],
    [
      'offset: a short page that ends at the ceiling is not the end',
      { type: 'offset', offset: 'query.skip', page_size: 5, stop: ['short_page'], restart: RESTART },
      [{ records: rows(1, 2, 3, 4) }, { records: rows(5) }],
      [{ 'query.skip': 0 }, { 'query.skip': 0, 'query.since': 4 }, undefined],
    ],
    [
      'page: from 0, and a short page of rows of one key',
      { type: 'page', page: 'query.page', start: 0, page_size: 2, stop: ['short_page'], restart: RESTART },
      [{ records: rows(1, 2) }, { records: rows(2, 2) }, { records: rows(2, 2) }, { records: rows(2) }],
      [{ 'query.page': 0 }, { 'query.page': 1 }, { 'query.page': 0, 'query.since': 2 }, { 'query.page': 1, 'query.since': 2 }, undefined],
    ],
    [
      'next_token: from the body into the body, past a page without records',
      { type: 'next_token', from: 'nextToken', into: 'body.nextToken' },
      [
        { records: 0, body: { nextToken: 't1' } },
        { records: 2, body: { nextToken: 7 } },
        { records: 1, body: {} },
      ],
      [{}, { 'body.nextToken': 't1' }, { 'body.nextToken': 7 }, undefined],
    ],
    [
      'next_token: null and "" are the end',
      { type: 'next_token', from: 'n', into: 'query.after' },
      [{ records: 1, body: { n: '' } }],
      [{}, undefined],
    ],
    [
      'next_token: a flag that says no more',
      { type: 'next_token', from: 'n', into: 'query.after', more: 'has_more' },
      [{ records: 1, body: { n: 'x', has_more: false } }],
      [{}, undefined],
    ],
    [
      'next_token: from the last record',
      { type: 'next_token', from: '${last_record.id}', into: 'query.after', more: 'more' },
      [{ records: 2, body: { more: true } }],
      [{}, { 'query.after': 2 }],
    ],
    [
      'next_token: from a header',
      { type: 'next_token', from: '${default(response.headers["x-next"], null)}', into: 'query.after' },
      [{ records: 1, headers: { 'x-next': 'h' } }, { records: 1 }],
      [{}, { 'query.after': 'h' }, undefined],
    ],
    [
      'next_token: from the last record, until an empty page, which has none',
      { type: 'next_token', from: '${last_record.id}', into: 'body.page.after', stop: ['empty_page'] },
      [{ records: 2 }, { records: 1 }, { records: 0 }],
      [{}, { 'body.page.after': 2 }, { 'body.page.after': 3 }, undefined],
    ],
    [
      'next_token: from a header that is always there',
      { type: 'next_token', from: '${response.headers["x-next"]}', into: 'headers.X-After' },
      [
        { records: 1, headers: { 'x-next': 'h 1' } },
        { records: 1, headers: { 'x-next': '' } },
      ],
      [{}, { 'headers.X-After': 'h 1' }, undefined],
    ],
    [
      'next_url: absolute, then relative, then null',
      { type: 'next_url', from: 'links.next', size: 'query.limit', page_size: 2 },
      [
        { records: 2, body: { links: { next: 'https://api.acme.test/v1/items?page=2' } } },
        { records: 2, body: { links: { next: '/v1/items?page=3' } } },
        { records: 1, body: { links: { next: null } } },
      ],
      [{ 'query.limit': 2 }, { url: 'https://api.acme.test/v1/items?page=2' }, { url: 'https://api.acme.test/v1/items?page=3' }, undefined],
    ],
    [
      'link_header: relative, until there is none',
      { type: 'link_header' },
      [
        { records: 1, headers: { link: '<?page=1>; rel="prev", <?page=2>; rel="next"' } },
        { records: 1, headers: { link: '<?page=1>; rel=first' } },
      ],
      [{}, { url: 'https://api.acme.test/v1/items?page=2' }, undefined],
    ],
    [
      'keyset: behind the last record, until an empty page',
      { type: 'keyset', from: 'id', into: 'query.since_id', size: 'query.limit', page_size: 2 },
      [{ records: 2 }, { records: 1 }, { records: 0 }],
      [{ 'query.limit': 2 }, { 'query.since_id': 2, 'query.limit': 2 }, { 'query.since_id': 3, 'query.limit': 2 }, undefined],
    ],
    [
      'keyset: a short page, and a path into the record',
      { type: 'keyset', from: 'meta.key', into: 'body.after', page_size: 2, stop: ['short_page'] },
      [{ records: [{ meta: { key: 'b' } }, { meta: { key: 'a' } }] }, { records: [{}] }],
      [{}, { 'body.after': 'a' }, undefined],
    ],
    [
      'keyset: a flag that says no more, before the key is looked for',
      { type: 'keyset', from: 'id', into: 'query.after', more: 'has_more' },
      [
        { records: 2, body: { has_more: true } },
        { records: [{}], body: { has_more: false } },
      ],
      [{}, { 'query.after': 2 }, undefined],
    ],
    [
      'keyset: digits beyond 2^53, and 0',
      { type: 'keyset', from: 'id', into: 'query.after' },
      [{ records: [{ id: '9007199254740993' }] }, { records: [{ id: 0 }] }],
      [{}, { 'query.after': '9007199254740993' }, { 'query.after': 0 }],
    ],
    [
      'keyset: a computed path',
      { type: 'keyset', from: '${last_record.a + "," + last_record.b}', into: 'query.after' },
      [{ records: [{ a: 'x', b: 'y' }] }],
      [{}, { 'query.after': 'x,y' }],
    ],
  ])('%s', (_, options, turns, patches) => expect(walk(options, turns)).toEqual(patches));

  it.each<[string, JsonObject, string]>([
    ['is not there', { name: 'x' }, 'The key of record 2 of page 2 is missing. Path id.n finds nothing: $ has no id. It has: name.'],
    ['is null', { id: { n: null } }, 'The key at id.n of record 2 of page 2 is null, not a text or number'],
    ['is empty', { id: { n: '' } }, 'The key at id.n of record 2 of page 2 is empty, not a text or number'],
    ['is a list', { id: { n: [1] } }, 'The key at id.n of record 2 of page 2 is a list, not a text or number'],
    ['is a yes/no', { id: { n: true } }, 'The key at id.n of record 2 of page 2 is a boolean, not a text or number'],
  ])('keyset: a last record whose key %s is an error that names the place', (_, last, message) => {
    const full = { id: { n: 1 } };
    const turns = [{ records: [full, full] }, { records: [full, last] }];
    expect(() => walk({ type: 'keyset', from: 'id.n', into: 'query.after' }, turns)).toThrow(
      expect.objectContaining({ code: 'path_missing', kind: 'data', where: 'id.n', message: expect.stringContaining(message) }),
    );
  });

  it.each<[string, Paginate]>([
    ['page', { type: 'page', page: 'query.page', page_size: 2, restart: RESTART }],
    ['offset', { type: 'offset', offset: 'query.skip', page_size: 2, restart: RESTART }],
  ])('%s: a restart from the key of the last one is an error that says what to do', (_, options) => {
    const turns = [rows(1, 2), rows(2, 3), rows(3, 3), rows(3, 3)].map((records) => ({ records }));
    expect(walk(options, turns.slice(0, 3))).toHaveLength(4);
    expect(() => walk(options, turns)).toThrow(
      expect.objectContaining({
        code: 'page_cap',
        kind: 'data',
        where: 'paginate.restart',
        message: expect.stringContaining('ceiling of 4 have the same key at at'),
        next: expect.stringContaining('fewer rows share'),
      }),
    );
  });

  it('a restart needs the key, and for numbered pages a size to count by', () => {
    expect(() => walk({ type: 'offset', offset: 'query.skip', page_size: 4, restart: RESTART }, [{ records: [{}, {}, {}, {}] }])).toThrow(
      expect.objectContaining({ code: 'path_missing', message: expect.stringContaining('record 4 of page 1 is missing') }),
    );
    expect(() => walk({ type: 'page', page: 'query.page', restart: RESTART }, [])).toThrow(
      expect.objectContaining({ code: 'spec_invalid' }),
    );
  });

  it('keyset: an optional path does not make the key one', () => {
    expect(() => walk({ type: 'keyset', from: 'id?', into: 'query.after' }, [{ records: [{ name: 'x' }] }])).toThrow(
      expect.objectContaining({ code: 'path_missing', message: expect.stringContaining('record 1 of page 1 is missing') }),
    );
  });

  it.each<[string, Paginate, Turn]>([
    ['a total that is not there', { type: 'offset', offset: 'query.skip', total: 'meta.total' }, { records: 2, body: {} }],
    ['a total that is null', { type: 'offset', offset: 'query.skip', total: 'n' }, { records: 2, body: { n: null } }],
    ['a total that is empty', { type: 'offset', offset: 'query.skip', total: 'n' }, { records: 2, body: { n: '' } }],
    ['a total that is a list', { type: 'offset', offset: 'query.skip', total: 'n' }, { records: 2, body: { n: [] } }],
    ['a total that is -1', { type: 'offset', offset: 'query.skip', total: 'n' }, { records: 2, body: { n: -1 } }],
    ['a total of records that is not there', { type: 'page', page: 'query.page', total: 'n' }, { records: 2, body: { pages: 3 } }],
    ['a total of records that is words', { type: 'page', page: 'query.page', total: 'n' }, { records: 2, body: { n: 'many' } }],
    ['a total of pages that is not there', { type: 'page', page: 'query.page', total_pages: 'n' }, { records: 2, body: {} }],
    ['a total of pages that is a yes/no', { type: 'page', page: 'query.page', total_pages: 'n' }, { records: 2, body: { n: true } }],
    ['a token that is no text or number', { type: 'next_token', from: 'n', into: 'query.after' }, { records: 2, body: { n: {} } }],
    [
      'a header that is missing where nothing allows it',
      { type: 'next_token', from: '${response.headers["x-next"]}', into: 'query.after' },
      { records: 2 },
    ],
    [
      'a last record without the token',
      { type: 'next_token', from: '${last_record.id}', into: 'query.after' },
      { records: [{ name: 'x' }] },
    ],
    ['a next URL that is none', { type: 'next_url', from: 'n' }, { records: 2, body: { n: 'https://' } }],
  ])('refuse %s', (_, options, turn) =>
    expect(() => walk(options, [turn])).toThrow(expect.objectContaining({ code: 'path_missing', kind: 'data' })),
  );
});

describe('the Link header (RFC 8288)', () => {
  it.each<[string, string, string | undefined]>([
    ['<https://a.test/?p=2>; rel="next"', 'next', 'https://a.test/?p=2'],
    ['<https://a.test/?p=2>; REL=Next', 'next', 'https://a.test/?p=2'],
    ['<a>; title="x, rel=\\"next\\""; rel=prev, <b>;rel="last next"', 'next', 'b'],
    ['<a>; title="; rel=next"; rel=prev, <b>; rel=next', 'next', 'b'],
    ['<a,b>; rel=next', 'next', 'a,b'],
    ['<a>; rel=next; rel=prev', 'prev', undefined],
    ['<a>; rel=prev', 'next', undefined],
    ['', 'next', undefined],
    ['garbage', 'next', undefined],
    // Found by test/fuzz; RFC 9110, 5.6.1.2 and 5.6.4, RFC 8288, appendix B.
    [', ,<a>; rel=next', 'next', 'a'],
    ['<a>; rel=prev,,<b>; rel=next', 'next', 'b'],
    ['<a>; rel="n\\ext"', 'next', 'a'],
    ['<a>; rel=next;', 'next', 'a'],
    ['<a>;; rel=next', 'next', 'a'],
    ['<a>; rel = "prev", <b>; rel', 'next', undefined],
  ])('%s', (header, rel, target) => expect(linkTarget(header, rel)).toBe(target));

  it('is read in linear time', () => {
    const started = performance.now();
    expect(linkTarget(`<${'a'.repeat(50_000)}`, 'next')).toBeUndefined();
    expect(linkTarget(`<a>${'; x="'.repeat(20_000)}`, 'next')).toBeUndefined();
    expect(linkTarget(`<a>;a=${' '.repeat(60_000)}"`, 'next')).toBeUndefined();
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it.each<[string, Paginate, Turn]>([
    ['itself', { type: 'next_url', from: 'n' }, { records: 2, body: { n: 'https://api.acme.test/v1/items?x=1' } }],
    ['itself with a fragment', { type: 'next_url', from: 'n' }, { records: 2, body: { n: '?x=1#next' } }],
    ['itself in a header', { type: 'link_header' }, { records: 2, headers: { link: '<?x=1>; rel="next"' } }],
  ])('a next URL that is %s is told before the page is read twice', (_, options, turn) => {
    expect(() => walk(options, [turn])).toThrow(expect.objectContaining({ code: 'page_repeated' }));
  });
});
