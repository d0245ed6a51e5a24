import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { LanguageServer } from './language-server.ts';
import { installed } from './programs.ts';

/** What a person sees in an editor that uses yaml-language-server with the generated schema. */
const SPEC = `spec: 1
name: acme
title: Acme
version: 1.0.0
auth: { key: bearer, oauth: { type: oauth2_client_credentials, token_url: https://acme.com/token } }
http: { base_url: https://api.acme.com, rate_limit: { requests: 10, per: 1s } }
check: { get: /me, query: { n: 1, yes: true } }
streams:
  orders: { source: https://acme.com/docs, get: /orders, paginate: none, columns: { id: integer } }
  items: { source: https://acme.com/docs, get: /items, paginate: { type: page, page: query.page } }
`;

describe('yaml-language-server', () => {
  let server: LanguageServer;

  beforeAll(async () => {
    const schema = pathToFileURL(resolve('schemas/connector.gen.schema.json')).href;
    server = await LanguageServer.start(installed('node_modules', 'yaml-language-server', 'bin', 'yaml-language-server'), schema);
  });
  afterAll(() => server.stop());

  const diagnostics = async (text: string): Promise<string[]> =>
    (await server.open(text)).diagnostics.map(
      ({ range, message }) => `${range.start.line + 1}:${range.start.character + 1} ${message.split('\n')[0]}`,
    );

  it('has nothing to say of sound specs, shorthand or not', async () => {
    expect(await diagnostics(SPEC)).toEqual([]);
    for (const name of readdirSync('connectors').filter((each) => each.endsWith('.yaml'))) {
      expect([name, await diagnostics(readFileSync(`connectors/${name}`, 'utf8'))]).toEqual([name, []]);
    }
  });

  it.each([
    ['key: bearer', 'key: baerer', /^5:14 Value is not accepted.*"bearer"/],
    ['type: oauth2_client_credentials', 'type: oauth2_client', /^5:37 Value is not accepted.*"oauth2_client_credentials"/],
    ['token_url:', 'token_uri:', /^5:64 Property token_uri is not allowed/],
    ['get: /orders', 'gte: /orders', /^9:44 Property gte is not allowed/],
    ['page: query.page', 'page: query.page, from: x', /^10:98 Property from is not allowed/],
    ['paginate: none', 'paginate: non', /^9:68 Value is not accepted.*"next_token"/],
    ['requests: 10', 'request: 10', /^6:55 Property request is not allowed/],
    ['id: integer', 'id: int', /^9:89 Value is not accepted.*"integer"/],
    ['title: Acme\n', '', /^1:1 Missing property "title"/],
  ])('%j → %j is one diagnostic', async (from, to, expected) => {
    expect(SPEC).toContain(from);
    expect(await diagnostics(SPEC.replace(from, to))).toEqual([expect.stringMatching(expected)]);
  });

  it('completes keys and words', async () => {
    expect(await server.complete('spec: 1\n', 1, 0)).toEqual(expect.arrayContaining(['name', 'auth', 'http', 'streams']));
    expect(await server.complete('auth:\n  key:\n    type: \n', 2, 10)).toEqual(
      expect.arrayContaining(['basic', 'bearer', 'oauth2_authorization_code']),
    );
    expect(await server.complete('streams:\n  orders:\n    \n', 2, 4)).toEqual(
      expect.arrayContaining(['get', 'records', 'paginate', 'primary_key']),
    );
    // Only what this paginator has.
    const page = await server.complete('streams:\n  orders:\n    paginate:\n      type: page\n      \n', 4, 6);
    expect(page).toEqual(expect.arrayContaining(['page', 'size', 'start']));
    expect(page).not.toContain('from');
    expect(await server.complete('check:\n  get: /me\n  encode: \n', 2, 10)).toEqual(expect.arrayContaining(['json', 'form', 'graphql']));
  });
});
