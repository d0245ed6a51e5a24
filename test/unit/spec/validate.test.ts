import { lintText } from '../../../framework/spec/lint.ts';
import { report } from '../../../framework/spec/report/index.ts';

const BASE = `spec: 1
name: acme
title: Acme
version: 1.0.0
auth: { key: { type: bearer }, oauth: { type: oauth2_client_credentials, token_url: https://acme.com/token } }
http: { base_url: https://api.acme.com, rate_limit: { requests: 10, per: 1m } }
check: { get: /me }
templates:
  listed: { primary_key: [id] }
streams:
  orders:
    source: https://acme.com/docs
    use: listed
    get: /orders
    paginate: { type: page, page: query.page }
  lines: { source: https://acme.com/docs, use: listed, parent: orders, get: '/orders/\${parent.id}/lines' }
`;

/** [what is typed wrong, place, what the report must say]: the dozen typos that people make most, and some more. */
const TYPOS: [from: string, to: string, at: string, ...says: string[]][] = [
  ['get: /orders\n', 'gte: /orders\n', '14:5', '`gte` is no key of `streams.orders`', 'Did you mean `get`?'],
  ['http: {', 'htpp: {', '6:1', '`htpp` is no key of the spec', 'Did you mean `http`?'],
  ['type: bearer', 'type: baerer', '5:22', '`baerer` is no type of `auth.key`', 'Did you mean `bearer`?'],
  ['type: bearer', 'tpye: bearer', '5:16', 'Did you mean `type`?'],
  ['type: page,', 'type: paged,', '15:23', 'Did you mean `page`?', 'next_token'],
  [
    'page: query.page',
    'page: query.page, records: data',
    '15:47',
    '`records` belongs in `streams.orders`, not in `streams.orders.paginate`',
  ],
  ['get: /orders\n', 'get: /orders\n    page_size: 5\n', '15:5', '`page_size` belongs in `streams.orders.paginate`'],
  ['streams:', 'base_url: x\nstreams:', '10:1', '`base_url` belongs in `http`'],
  ['page: query.page', 'page: query.page, from: x', '15:47', '`from` belongs in type `next_token`'],
  [
    'page: query.page',
    'page: query.page, page_size: 9, from: x, restart: { at: 99, from: x, into: query.x }',
    '15:61',
    '`from` belongs in `streams.orders.paginate.restart`',
  ],
  ['per: 1m', 'per: 1 minute', '6:74', 'Write it like `1m`'],
  ['page: query.page', 'page: query.page, page_size: lots', '15:58', 'must be a whole number, not text', 'page_size: 100'],
  ['page: query.page', "page: query.page, page_size: '${fields.x}'", '15:58', 'no ${…} can stand here'],
  [', token_url: https://acme.com/token', '', '5:32', '`auth.oauth` needs `token_url`', 'Write `token_url: https://'],
  ['use: listed\n', 'use: lsited\n', '13:10', 'Did you mean `listed`?'],
  ['parent: orders', 'parent: order', '16:64', 'Did you mean `orders`?'],
  ['${parent.id}', '${parrent.id}', '16:88', 'Did you mean parent?'],
  ['title: Acme\n', '', '1:1', 'The spec lacks `title`'],
  ['title: Acme\n', 'title:Acme\n', '3:6', 'A space is missing'],
  ['version: 1.0.0', 'version: 1.0', '4:10', "`version` can't be `1.0`", '1.0.0'],
  ['get: /me', 'get: /me, encode: frm', '7:28', 'Did you mean `form`?', 'json, form, query, xml, text, graphql'],
  [
    'check: { get: /me }',
    'check:\n  get:/me',
    '8:3',
    '`check` must be a map, not text',
    'A space is missing after `get:`: write `get: /me`',
  ],
  ['check: { get: /me }', 'check:', '7:1', '`check` must be a map, not empty'],
  ['paginate: {', 'needs: [a]\n    paginate: {', '15:5', '`needs` is a later word'],
  ['type: bearer', 'type: [bearer]', '5:22', 'must be text, not a list'],
  [
    'type: page, page: query.page',
    'type: keyset, from: id',
    '15:5',
    '`streams.orders.paginate` lacks `into`',
    'Write `into: query.since_id`',
  ],
  ['lines:', 'orderLines:', '16:3', 'Write `order_lines`'],
  ['spec: 1', 'spec: 2', '1:7', 'wants a newer Ferrule'],
  // Words of other languages.
  ['get: /orders\n', 'get: /orders\n    columns: { id: string }\n', '15:20', 'Did you mean `text`?'],
  ['type: page,', 'type: cursor,', '15:23', 'Did you mean `next_token`?'],
  ['per: 1m } }', 'per: 1m }, paginate: none }', '6:80', '`paginate` belongs in `defaults`, not in `http`'],
  ['get: /orders\n', 'get: /orders\n    records: $.data[*]\n', '15:20', 'Write `data`: a list gives its items.'],
  ['get: /orders\n', "get: /orders\n    records: '$.a[0].b[*].c'\n", '15:23', 'Write `a.0.b.*.c`'],
  ['page: query.page', 'page: page', '15:35', 'Did you mean `query.page`?'],
  ['rate_limit:', "errors: { message: '${error.text}' }, rate_limit:", '6:60', 'Write `error.text`.'],
];

describe('one mistake', () => {
  it('the spec without one is clean', () => {
    expect(lintText(BASE, 'acme.yaml')).toEqual([]);
  });

  it.each(TYPOS)('%j → %j is one finding at %s', (from, to, at, ...says) => {
    expect(BASE).toContain(from);
    const text = BASE.replace(from, to);
    const findings = lintText(text, 'acme.yaml');
    const shown = report('text', findings, { source: () => text });
    expect(findings.map(({ start }) => `${start.line}:${start.column}`)).toEqual([at]);
    for (const words of says) expect(shown).toContain(words);
    const [block = ''] = shown.split(/\n1 /);
    expect(block.length).toBeLessThanOrEqual(300);
  });

  it('a key with a percent sign is a name like any other', () => {
    for (const key of ['%', '100%25', 'a~1b']) {
      const text = `${BASE}fields:\n  '${key}': { title: X }\n`;
      const line = text.split('\n').length - 1;
      expect(lintText(text, 'acme.yaml').map(({ rule, start, path }) => [rule, start.line, path])).toEqual([
        ['bad-name', line, ['fields', key]],
      ]);
      const inside = BASE.replace('type: bearer', `type: bearer, fields: { token: { title: T }, '${key}': 1 }`);
      expect(() => lintText(inside, 'acme.yaml')).not.toThrow();
    }
  });

  it('several are all reported, each once', () => {
    const text = BASE.replace('type: bearer', 'type: baerer').replace('per: 1m', 'per: 1x').replace('use: listed\n', 'usee: listed\n');
    expect(lintText(text, 'acme.yaml').map(({ rule, start }) => `${start.line} ${rule}`)).toEqual([
      '5 bad-tag',
      '6 bad-value',
      '13 unknown-key',
    ]);
  });

  it('the sound rest of a broken spec is still looked at', () => {
    const text = BASE.replace('per: 1m', 'per: 1x').replace('${parent.id}', '${parrent.id}');
    expect(lintText(text, 'acme.yaml').map(({ rule }) => rule)).toEqual(['bad-value', 'expression-name']);
  });

  it('counts warnings as errors when asked', () => {
    const text = BASE.replace('check: { get: /me }\n', '');
    expect(lintText(text, 'acme.yaml').map(({ severity }) => severity)).toEqual(['warning']);
    expect(lintText(text, 'acme.yaml', { warningsAsErrors: true }).map(({ severity }) => severity)).toEqual(['error']);
  });
});
