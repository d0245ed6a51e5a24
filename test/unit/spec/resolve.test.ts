import type { SpecDocument } from '../../../framework/core/spec-types.gen.ts';
import { lay } from '../../../framework/spec/merge.ts';
import { resolve, substitute } from '../../../framework/spec/resolve.ts';
import { acme, specOf } from '../../acme.ts';

const head = (rest: string): SpecDocument =>
  specOf(`spec: 1
name: acme
title: Acme
version: 1.0.0
check: { get: /me }
${rest}`);

describe('the order of inheritance', () => {
  // One header, one page size and one query key are set on every level; what each stream gets was worked out by hand from
  // "http / defaults ← choice options in order of declaration ← auth method ← template ← the stream".
  const LEVELS = head(`choices:
  region:
    default: eu
    options:
      na: { api: na.acme.test }
      eu:
        api: eu.acme.test
        http: { headers: { X-Level: region, x-region: region } }
        defaults: { paginate: { page_size: 20 }, query: { level: region, region: region } }
  edition:
    default: pro
    options:
      lite: {}
      pro:
        http: { headers: { x-level: edition, X-Edition: edition } }
        defaults: { paginate: { page_size: 30 }, query: { level: edition, edition: edition } }
auth:
  plain: none
  special:
    type: none
    http: { headers: { X-LEVEL: method }, timeout: { total: 1m } }
    defaults: { paginate: { page_size: 40 }, query: { level: method, edition: null } }
http:
  base_url: https://\${region.api}
  headers: { X-Level: http, X-Http: http }
  timeout: { connect: 1s, response: 2s }
  rate_limit: { requests: 1, per: 1s }
defaults:
  records: data
  paginate: { type: page, page: query.page, page_size: 10 }
  query: { level: defaults, base: "yes" }
templates:
  list: { get: '/\${with.path}', paginate: { page_size: 50 }, query: { level: template }, primary_key: [id, day] }
streams:
  bare: { get: /bare }
  templated: { use: list, with: { path: items }, primary_key: [id] }
  own: { use: list, with: { path: own }, post: /own, paginate: { page_size: 60 }, query: { level: stream, base: null }, records: null }
  other: { use: list, with: { path: other }, paginate: { type: offset, offset: query.skip } }
  off: { get: /off, paginate: none }
`);

  it('takes the last word of each level, under the first method', () => {
    const { http, streams } = resolve(LEVELS);
    expect(http.headers).toEqual({ 'X-Level': 'edition', 'X-Http': 'http', 'x-region': 'region', 'X-Edition': 'edition' });
    expect(http.timeout).toEqual({ connect: '1s', response: '2s', total: '10m' });
    expect(streams.bare).toMatchObject({
      method: 'GET',
      url: '/bare',
      records: 'data',
      paginate: { type: 'page', page: 'query.page', page_size: 30 },
      query: { level: 'edition', base: 'yes', region: 'region', edition: 'edition' },
    });
  });

  it('lays the method over choices, the template over the method, the stream over the template', () => {
    const { http, streams } = resolve(LEVELS, { method: 'special' });
    expect(http.headers).toEqual({ 'X-Level': 'method', 'X-Http': 'http', 'x-region': 'region', 'X-Edition': 'edition' });
    expect(http.timeout).toEqual({ connect: '1s', response: '2s', total: '1m' });
    expect(streams.bare?.paginate).toEqual({ type: 'page', page: 'query.page', page_size: 40 });
    // A null in the query stays: on the wire it takes away what http says.
    expect(streams.bare?.query).toEqual({ level: 'method', base: 'yes', region: 'region', edition: null });
    expect(streams.templated).toMatchObject({
      url: '/items',
      primary_key: ['id'],
      paginate: { type: 'page', page: 'query.page', page_size: 50 },
    });
    expect(streams.templated?.query.level).toBe('template');
    expect(streams.own).toMatchObject({ method: 'POST', url: '/own', primary_key: ['id', 'day'], records: '$' });
    expect(streams.own?.query).toEqual({ level: 'stream', base: null, region: 'region', edition: null });
    expect(streams.own?.paginate).toEqual({ type: 'page', page: 'query.page', page_size: 60 });
  });

  it('leaves out options that were not chosen; a tagged value of another type replaces', () => {
    const { http, streams } = resolve(LEVELS, { choices: { region: 'na', edition: 'lite' } });
    expect(http.headers).toEqual({ 'X-Level': 'http', 'X-Http': 'http' });
    expect(streams.bare?.paginate).toEqual({ type: 'page', page: 'query.page', page_size: 10 });
    expect(streams.other?.paginate).toEqual({ type: 'offset', offset: 'query.skip' });
    expect(streams.off?.paginate).toEqual({ type: 'none' });
  });
});

describe('null', () => {
  it('takes away what a stream inherits, key by key or whole', () => {
    const { streams } = resolve(
      acme(`auth: { n: none }
defaults: { query: { a: b }, headers: { X-A: a }, paginate: { type: page, page: query.page } }
templates: { t: { media_type: a/b, add: { x: 1, y: 2 }, cookies: { c: d }, body: { z: 1 }, remove: [q] } }
streams:
  whole: { use: t, post: /x, query: null, headers: ~, cookies: null, add: null, media_type: null, body: null, paginate: null, remove: null }
  keys: { use: t, post: /x, add: { x: null }, body: { z: null } }`),
    );
    expect(streams.whole).toMatchObject({ query: {}, headers: {}, cookies: {}, add: {}, remove: [], paginate: { type: 'none' } });
    expect(streams.whole).not.toHaveProperty('media_type');
    expect(streams.whole).not.toHaveProperty('body');
    expect(streams.keys).toMatchObject({ add: { y: 2 }, body: {}, cookies: { c: 'd' }, media_type: 'a/b' });
  });
});

describe('merging', () => {
  const over = (...values: object[]): unknown => lay(values.map((value, at) => ({ value, from: String(at) })));

  it('knows the words of the language only where they stand in a call', () => {
    expect(
      over({ get: '/a', body: { get: 1, headers: { A: 1 } } }, { post: '/b', body: { post: 2, headers: { a: 2 }, delete: 3 } }),
    ).toEqual({
      post: '/b',
      body: { get: 1, post: 2, delete: 3, headers: { A: 1, a: 2 } },
    });
    const paginators = over({ body: { paginate: { type: 'a', x: 1 } } }, { body: { paginate: { type: 'b', y: 2 } } });
    expect(paginators).toEqual({ body: { paginate: { type: 'b', x: 1, y: 2 } } });
  });

  it('sends no null of YAML in a body, however deep it stands', () => {
    expect(
      over(
        { body: { a: 1, b: { c: 2 } } },
        { body: { a: null, b: { c: null }, query: { n: null }, list: [null, { q: null, r: [null, 1] }] } },
      ),
    ).toEqual({
      body: { b: {}, query: {}, list: [{ r: [1] }] },
    });
  });

  it('keeps fields whose names are words of the language', () => {
    const spec = head(`http: { base_url: https://api.acme.test }\nauth: { a: { type: none, fields: { get: {}, post: {} } } }`);
    expect(resolve(spec).fields.map(({ name }) => name)).toEqual(['get', 'post']);
  });
});

describe('renewal inherits from the token request', () => {
  const AUTH = (rest: string) =>
    acme(
      `auth: { o: { type: oauth2_authorization_code, authorize_url: 'https://auth.acme.test/a', token_url: 'https://auth.acme.test/t'${rest} } }`,
    );

  it('key by key, but for the grant itself', () => {
    const { refresh } = resolve(
      AUTH(`, token: { encode: json, headers: { X-A: a }, body: { grant_type: code, audience: api }, capture: { site: site }, expires: { default: 1h } },
    refresh: [{ rotates: true, capture: { site: null, extra: extra } }, { body: { refresh_token: '\${token.extra}' } }]`),
    ).method;
    expect(refresh).toHaveLength(2);
    expect(refresh?.[0]).toMatchObject({
      rotates: true,
      encode: 'json',
      headers: { 'X-A': 'a' },
      expires: { in: 'expires_in?', default: '1h' },
    });
    expect(refresh?.[0]?.body).toEqual({ grant_type: 'refresh_token', refresh_token: '${token.refresh_token}', audience: 'api' });
    expect(Object.keys(refresh?.[0]?.capture ?? {})).toEqual(['access_token', 'refresh_token', 'token_type', 'scope', 'id_token', 'extra']);
    expect(refresh?.[1]?.body).toEqual({ grant_type: 'refresh_token', refresh_token: '${token.extra}', audience: 'api' });
    expect(refresh?.[1]?.capture.site).toEqual({ path: 'site' });
  });

  it('client credentials are renewed by a new token, or as the author says', () => {
    const credentials = (rest: string) =>
      acme(`auth: { o: { type: oauth2_client_credentials, token_url: 'https://auth.acme.test/t'${rest} } }`);
    expect(resolve(credentials('')).method.refresh).toBeUndefined();
    expect(resolve(credentials(', refresh: { rotates: true }')).method.refresh?.[0]).toMatchObject({
      rotates: true,
      body: { grant_type: 'refresh_token', refresh_token: '${token.refresh_token}' },
    });
  });
});

describe('parameters of templates', () => {
  it.each([
    ['/${with.a}/${ with.a }', 'x y', '/x y/x y'],
    ['${with.a}', 'a ${fields.b}', 'a $${fields.b}'],
    ['${with.a}{b}', '$', '$${b}'],
    ['$${with.a} ${with.a}', 'x', '$${with.a} x'],
    ['${with.a == "x" ? 1 : 2}', 'x', '${"x" == "x" ? 1 : 2}'],
    ['${"with.a " + with.a + fields.with_a}', 'a"b', '${"with.a " + "a\\"b" + fields.with_a}'],
    ['${with.b}', 'x', '${with.b}'],
  ])('%s with %s', (text, a, expected) => {
    expect(substitute({ deep: [text] }, { a })).toEqual({ deep: [expected] });
  });
});

describe('names that objects have anyway', () => {
  it.each(['constructor', 'prototype'])('%s is a choice, an option, a field, a stream like any other', (name) => {
    const spec = head(`choices:
  ${name}: { default: ${name}, options: { ${name}: { path: inside } } }
fields:
  ${name}: {}
auth: { plain: none }
http: { base_url: 'https://api.acme.test/\${${name}.path}' }
streams:
  ${name}: { get: '/\${fields.${name}}', records: data, primary_key: [id], source: 'https://acme.test' }`);
    const resolved = resolve(spec, {});
    expect(resolved.choices).toEqual({ [name]: { id: name, path: 'inside' } });
    expect(Object.keys(resolved.streams)).toEqual([name]);
    expect(() => resolve(spec, { choices: { toString: 'x' } })).toThrow(expect.objectContaining({ code: 'input_unknown' }));
    expect(() => resolve(spec, { method: 'constructor' })).toThrow(expect.objectContaining({ code: 'input_unknown' }));
  });
});
