import { readdirSync, readFileSync } from 'node:fs';
import { Ajv, type ErrorObject } from 'ajv';
import { parse } from 'yaml';

/** The schema for editors takes files as they are written, and gives one diagnostic per typo. */
const schema = JSON.parse(readFileSync('schemas/connector.gen.schema.json', 'utf8')) as object;
const validate = new Ajv({ allErrors: true, strict: false }).compile(schema);

/** Without those that only say that another stands below. */
const diagnostics = (text: string): string[] => {
  validate(parse(text));
  return (validate.errors ?? []).filter(({ keyword }) => keyword !== 'if').map(describeError);
};
const describeError = ({ instancePath, keyword, params }: ErrorObject): string =>
  `${instancePath} ${keyword} ${String(params.additionalProperty ?? params.missingProperty ?? '')}`.trim();

const GOOD = `spec: 1
name: acme
title: Acme
version: 1.0.0
categories: shop
auth: { key: bearer, oauth: { type: oauth2_client_credentials, token_url: https://acme.com/token, steps: [token, { get: /x, capture: { a: b } }] } }
http: { base_url: https://api.acme.com, rate_limit: { requests: 10, per: 1s }, errors: { rules: { status: 401, kind: auth } } }
fields: { size: { options: [small, { value: l, label: Large }] }, id: { options: { get: /ids, value: id } } }
check: { get: /me, query: { n: 1, yes: true, list: [1, 2], gone: null } }
defaults: { primary_key: id, paginate: { page_size: 10 } }
streams:
  orders: { source: https://acme.com/docs, get: /orders, paginate: none, columns: { id: integer, at: { type: date } } }
  items: { source: [{ url: https://acme.com/docs }, https://acme.com/more], get: /items, paginate: { type: page, page: query.page } }
`;

describe('schemas/connector.gen.schema.json', () => {
  it.each(readdirSync('connectors').filter((name) => name.endsWith('.yaml')))('takes connectors/%s as it is written', (name) => {
    expect(diagnostics(readFileSync(`connectors/${name}`, 'utf8'))).toEqual([]);
  });

  it('takes every shorthand and its long form', () => {
    expect(diagnostics(GOOD)).toEqual([]);
  });

  it.each([
    ['key: bearer', 'key: baerer', '/auth/key enum'],
    ['type: oauth2_client_credentials', 'type: oauth2_client', '/auth/oauth/type enum'],
    ['token_url:', 'token_uri:', '/auth/oauth additionalProperties token_uri'],
    ['get: /orders', 'gte: /orders', '/streams/orders additionalProperties gte'],
    ['page: query.page', 'page: query.page, size: {}', '/streams/items/paginate/size type'],
    ['page: query.page', 'page: query.page, from: x', '/streams/items/paginate additionalProperties from'],
    ['paginate: none', 'paginate: non', '/streams/orders/paginate enum'],
    ['paginate: { page_size: 10 }', 'paginate: { page_sise: 10 }', '/defaults/paginate additionalProperties page_sise'],
    ['requests: 10', 'request: 10', '/http/rate_limit additionalProperties request'],
    ['kind: auth', 'kind: oauth', '/http/errors/rules/kind enum'],
    ['id: integer', 'id: int', '/streams/orders/columns/id enum'],
    ['label: Large', 'lable: Large', '/fields/size/options/1 additionalProperties lable'],
    ['capture: { a: b }', 'capture: { a: [b] }', '/auth/oauth/steps/1/capture/a type'],
    ['title: Acme\n', '', 'required title'],
    ['title: Acme', 'titel: Acme', 'additionalProperties titel'],
  ])('%s → %s gives what is wrong and no more', (from, to, expected) => {
    expect(GOOD).toContain(from);
    expect(diagnostics(GOOD.replace(from, to))).toEqual([expected]);
  });
});
