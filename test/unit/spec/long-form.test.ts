import { loadText } from '../../../framework/spec/load.ts';
import { longForm } from '../../../framework/spec/long-form.ts';
import { shapeAt, walk } from '../../../framework/spec/shape.ts';
import { readSource } from '../../../framework/spec/source.ts';
import type { SpecTree } from '../../../framework/spec/tree.ts';

const long = (text: string): SpecTree => {
  const { tree } = readSource(text, 'acme.yaml');
  if (tree === undefined) throw new Error('no tree');
  return longForm(tree);
};

describe('longForm', () => {
  it.each([
    ['auth: { key: bearer }', { auth: { key: { type: 'bearer' } } }],
    ['defaults: { paginate: none, primary_key: id }', { defaults: { paginate: { type: 'none' }, primary_key: ['id'] } }],
    ['defaults: { paginate: { page_size: 5 }, primary_key: null }', { defaults: { paginate: { page_size: 5 }, primary_key: null } }],
    [
      'auth: { a: { type: basic, steps: [token, { get: /x, capture: { t: a.b, n: null } }] } }',
      { auth: { a: { type: 'basic', steps: [{ type: 'token' }, { type: 'call', get: '/x', capture: { t: { path: 'a.b' }, n: null } }] } } },
    ],
    [
      'auth: { a: { type: oauth2_authorization_code, refresh: { rotates: true } } }',
      { auth: { a: { type: 'oauth2_authorization_code', refresh: [{ rotates: true }] } } },
    ],
    [
      'fields: { a: { options: [x, { value: y, label: Y }] }, b: { options: { get: /b } } }',
      { fields: { a: { options: { list: [{ value: 'x' }, { value: 'y', label: 'Y' }] } }, b: { options: { get: '/b' } } } },
    ],
    ['http: { rate_limit: { requests: 1, per: 1s } }', { http: { rate_limit: [{ requests: 1, per: '1s' }] } }],
    ['http: { errors: { rules: { status: 401 } } }', { http: { errors: { rules: [{ status: [401] }] } } }],
    [
      'streams: { s: { source: https://a, columns: { id: integer } } }',
      { streams: { s: { source: [{ url: 'https://a' }], columns: { id: { type: 'integer' } } } } },
    ],
    [
      'streams: { s: { source: [https://a, { url: https://b, trust: vendor }] } }',
      { streams: { s: { source: [{ url: 'https://a' }, { url: 'https://b', trust: 'vendor' }] } } },
    ],
  ])('%s', (text, expected) => {
    expect(long(text).value).toEqual(expected);
  });

  it('takes text as written where text is wanted, and numbers where numbers are', () => {
    const text = `version: 1.10
fields: { a: { example: 007, default: 1.50, title: true }, b: { type: number, default: 1.50 }, c: { type: boolean, default: true } }
check: { get: /me, query: { v: 1.10, yes: true, list: [1e3, 007], gone: null }, headers: { X-Day: 2022-11-28 }, body: { n: 1.10, t: true } }
http: { retry: { max_retries: 3 } }
`;
    expect(long(text).value).toEqual({
      version: '1.10',
      // A default is a number where the field is one.
      fields: {
        a: { example: '007', default: '1.50', title: 'true' },
        b: { type: 'number', default: 1.5 },
        c: { type: 'boolean', default: true },
      },
      check: {
        get: '/me',
        query: { v: '1.10', yes: 'true', list: ['1e3', '007'], gone: null },
        headers: { 'X-Day': '2022-11-28' },
        body: { n: 1.1, t: true },
      },
      http: { retry: { max_retries: 3 } },
    });
  });

  it('lets what is put in stand where the short form stands', () => {
    const tree = long('auth: { key: bearer }\nstreams: { s: { source: https://a } }\n');
    expect(tree.range(['auth', 'key', 'type']).start).toEqual({ line: 1, column: 14, offset: 13 });
    expect(tree.range(['streams', 's', 'source', 0, 'url']).start).toEqual({ line: 2, column: 25, offset: 46 });
  });

  it('leaves what has the wrong kind to validation', () => {
    expect(long('auth: [bearer]\nfields: x\nstreams: { s: { paginate: [page], columns: [a] } }').value).toEqual({
      auth: ['bearer'],
      fields: 'x',
      streams: { s: { paginate: ['page'], columns: ['a'] } },
    });
  });

  it('knows kind, place and scope of every leaf of a spec', () => {
    const tree = long(
      'http: { base_url: https://a, headers: { A: b } }\nstreams: { s: { records: a, paginate: { type: page, page: query.p }, body: { a: [{ b: c }] } } }',
    );
    const kinds: Record<string, string> = {};
    walk(tree, ({ path, node, shape }) => {
      if (node.kind === 'scalar') kinds[path.join('.')] = [shape.kind, shape.place, shape.scope].join(' ').trim();
    });
    expect(kinds).toEqual({
      'http.base_url': 'text url api',
      'http.headers.A': 'text header api',
      'streams.s.records': 'path  response',
      'streams.s.paginate.type': 'word',
      'streams.s.paginate.page': 'target',
      'streams.s.body.a.0.b': 'value body stream',
    });
    expect(shapeAt(tree, ['streams', 's', 'nonsense'])).toBeUndefined();
  });

  it('gives a frozen, typed spec only when nothing is wrong', () => {
    const good = 'spec: 1\nname: acme\ntitle: Acme\nversion: 1.0.0\nauth: { key: bearer }\nhttp: { base_url: https://a }\n';
    const { spec, findings } = loadText(good, 'acme.yaml');
    expect(findings).toEqual([]);
    expect(Object.isFrozen(spec?.auth.key)).toBe(true);
    expect(loadText(`${good}stream: {}`, 'acme.yaml').spec).toBeUndefined();
  });
});
