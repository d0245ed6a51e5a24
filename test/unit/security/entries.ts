import type { ErrorCode } from '../../../framework/core/error-table.ts';
import type { ErrorKind } from '../../../framework/core/errors.ts';
import { Secret } from '../../../framework/core/secret.ts';
import { type ConnectOptions, connectSpec, type Inputs } from '../../../framework/engine/connect.ts';
import type { Connection } from '../../../framework/engine/connection.ts';
import { openSession, prepare, type Session } from '../../../framework/engine/session.ts';
import { resolve } from '../../../framework/spec/resolve.ts';
import { specOf } from '../../acme.ts';
import { canary, plainCanary } from '../../canary.ts';
import { KINDS, type Kind } from './forms.ts';
import { type Arrived, NAMES, type Reply, type World } from './world.ts';

export const SECRETS = {
  key: plainCanary('url table key'),
  token: plainCanary('url table token'),
  client: canary('url table client secret'),
  code: plainCanary('url table code'),
};

/** One way by which a URL gets into a request. */
export interface Entry {
  name: string;
  /** Where the honest URL leads. */
  host: string;
  path: string;
  /** What stands in the place of the URL: all of it, or its host. */
  takes?: 'url' | 'host';
  /** In place of the honest URL, where the way takes none. */
  honest?: string;
  /** What the honest target gets. */
  brings: keyof typeof SECRETS | 'no secret' | 'no request';
  /** What becomes of each kind of form. */
  becomes: Outcomes;
  /** Forms that fare otherwise than their kind, each with its reason. */
  but?: Readonly<Record<string, readonly [outcome: Outcome | 'cannot be', reason: string]>>;
  /** What the honest hosts say before the URL is used; the target's own answer where it gives none. */
  reply?: (request: Arrived, url: string) => Reply | undefined;
  /** Goes the whole way, and throws what comes of it. */
  run: (url: string, world: World) => Promise<void>;
}

/**
 * - `asked`: the honest host is asked, and gets the secret.
 * - `path`: the text is read as a path, below the honest host's; nobody else hears of it.
 * - `elsewhere`: another host is asked, and sees no secret. `own word`: the same, but the person named it for the secret.
 * - anything else: code and kind of the error. Nobody but the honest host heard of it.
 */
export type Outcome = 'asked' | 'path' | 'elsewhere' | 'own word' | `${ErrorCode} ${ErrorKind}`;
export type Outcomes = Readonly<Record<Kind, Outcome>>;

const all = (outcome: Outcome, more: Partial<Outcomes>): Outcomes => ({
  ...(Object.fromEntries(KINDS.map((kind) => [kind, outcome])) as Outcomes),
  honest: 'asked',
  name: 'address_refused input',
  chain: 'redirect_refused request',
  ...more,
});

/** What a person enters is looked at before it is kept. */
const ENTERED = all('input_malformed input', {});
/** What a provider names must be what the spec allows; odd spellings of that are refused when a URL is made of them. */
const CAPTURED = all('host_refused input', { spelt: 'input_malformed input' });
/** A link is read as browsers read it, from the page that it stands on. `https:x` is a path there (WHATWG URL, special scheme). */
const LINK = all('host_refused input', { spelt: 'asked', slashless: 'path', user: 'input_malformed input', nothing: 'path_missing data' });
const REDIRECT = all('redirect_refused request', { spelt: 'asked', slashless: 'path' });
/** The caller's own text: what has no // is a path, as in `items:search`. */
const CALLED = all('host_refused input', {
  ...{ spelt: 'asked', slashless: 'path', opaque: 'path', user: 'input_malformed input' },
  ...{ sign: 'input_malformed input', nothing: 'input_malformed input' },
});
/** Without a credential any public host will do. */
const ANYWHERE: Partial<Outcomes> = { other: 'elsewhere', 'bare host': 'elsewhere', address: 'address_refused input' };
const LED_AWAY = {
  'honest, honest, evil': ['elsewhere', 'It has no secret with it.'],
  'evil, and back': ['elsewhere', 'It comes back as it went: without a secret.'],
} as const;

/** A header holds bytes, and is read as Latin-1: a letter beyond ASCII comes out as others. */
const inHeader = (outcome: Outcome, noUrl: Outcome, broken: Outcome): Entry['but'] => ({
  'full-width letters': [noUrl, 'As Latin-1 it holds a control character.'],
  'full-width dots': [noUrl, 'As Latin-1 it holds a control character.'],
  'a soft hyphen': [outcome, 'As Latin-1 it is the name of another host.'],
  'a line break that joins two names': [broken, 'A header ends there: what follows is no header.'],
  'a carriage return that joins two names': [broken, 'No header holds one.'],
  'a NUL in the host': [broken, 'No header holds one.'],
});
const LINK_HEADER = inHeader('host_refused input', 'path_missing data', 'response_malformed data');
const MOVED = inHeader('redirect_refused request', 'redirect_refused request', 'response_malformed data');
const TOKEN_MOVED = inHeader('redirect_refused request', 'redirect_refused request', 'token_malformed auth');

/** A spec names them all: what keeps from them must be the address. */
const ALLOWED = Object.keys(NAMES).join(', ');

const KEY = "auth: { key: { type: api_key, send: { headers: { X-Key: '${fields.api_key}' } } } }";
const API = `http: { base_url: 'https://api.acme.test/v1', hosts: [${ALLOWED}] }
${KEY}
streams:
  next: { get: /next, records: items, paginate: { type: next_url, from: next } }
  linked: { get: /linked, records: items, paginate: { type: link_header } }
  parents: { get: /parents, records: items }
  children: { parent: parents, get: '/\${parent.url}', records: items }
  whole: { parent: parents, get: '\${parent.url}', records: items }`;

const spec = (rest: string) =>
  specOf(`spec: 1
name: acme
title: Acme
version: 1.0.0
check: { get: /me }
${rest}`);

/** A token is asked for where `auth` says, and then used for one request. */
const withToken = (auth: string, more = "http: { base_url: 'https://api.acme.test/v1' }") => spec(`${more}\nauth: { app: { ${auth} } }`);
const CLIENT = 'type: oauth2_client_credentials';

const options = ({ network }: World): ConnectOptions => ({ network, environment: {}, retry: { countMax: 0 }, timeout: { total: 10_000 } });

async function using(
  document: ReturnType<typeof spec>,
  inputs: Inputs,
  world: World,
  use: (connection: Connection) => Promise<unknown>,
  more: ConnectOptions = {},
): Promise<void> {
  await using connection = await connectSpec(document, inputs, { ...options(world), ...more });
  await use(connection);
}

const api = (use: (connection: Connection, url: string) => Promise<unknown>) => (url: string, world: World) =>
  using(spec(API), { fields: { api_key: SECRETS.key } }, world, (connection) => use(connection, url));

async function read(connection: Connection, stream: string): Promise<void> {
  let pages = 0;
  for await (const _ of connection.read(stream).pages()) if (++pages > 20) throw new Error('it reads for ever');
}

/** The client as the engine uses it inside: what jobs and downloads will be made of. */
async function inside(url: string, world: World, use: (session: Session, url: string) => Promise<unknown>): Promise<void> {
  const resolved = resolve(spec(API), {});
  const fields = { api_key: SECRETS.key };
  const credential = { name: '', connector: 'acme', method: 'key', choices: {}, fields, captures: {}, expires: {}, version: 0 };
  const session = await openSession(prepare(resolved, { ...credential, created: '', updated: '' }, options(world)), options(world));
  try {
    await use(session, url);
  } finally {
    await session.close();
  }
}

const CLIENT_FIELDS = { client_id: 'app', client_secret: SECRETS.client };

const client = (auth: string, http?: string) => (world: World) =>
  using(withToken(auth, http), { fields: CLIENT_FIELDS }, world, ({ http: at }) => at.get('/target').text());

const consenting = (auth: string, world: World, consent: ConnectOptions['consent']) =>
  using(withToken(auth), { fields: CLIENT_FIELDS }, world, ({ http }) => http.get('/target').text(), { consent });

/** The page of consent was to be opened. */
class Seen extends Error {}

const location = (url: string, status: number): Reply => ({ status, head: [`location: ${url}`] });
const AUTH = { host: 'auth.acme.test', path: '/token' };
const TARGET = { host: 'api.acme.test', path: '/v1/target' };
const hosts = (more: string) => `hosts: [${more}, ${ALLOWED}]`;

const entered = (field: string, tokenUrl: string, value: string, world: World) =>
  using(
    spec(`http: { base_url: 'https://api.acme.test/v1' }
fields: { site: ${field} }
auth: { app: { ${CLIENT}, token_url: '${tokenUrl}' } }`),
    { fields: { site: value, ...CLIENT_FIELDS } },
    world,
    ({ http }) => http.get('/target').text(),
  );

const discovered = (url: string): Reply => ({
  json: { issuer: 'https://auth.acme.test', token_endpoint: url, authorization_endpoint: url },
});
const NO_PORT = 'A host has no port: that belongs to a URL.';

export const ENTRIES: readonly Entry[] = [
  {
    ...{ name: 'token URL of a field of type url', ...AUTH, brings: 'client', becomes: ENTERED },
    run: (url, world) => entered(`{ title: Site, type: url, ${hosts('auth.acme.test')} }`, '${fields.site}', url, world),
  },
  {
    // Whose site it is, only the person knows: any public host is right.
    ...{ name: 'token URL of a field of type url without hosts', ...AUTH, brings: 'client' },
    becomes: { ...ENTERED, other: 'own word', address: 'address_refused input' },
    but: {
      ...Object.fromEntries(
        ['a letter of another alphabet', 'a dot at the end', 'the right host behind #', 'the right host behind ?', 'an encoded slash'].map(
          (name) => [name, ['input_malformed input', 'Two readers may take it for two hosts, or it is more than a site.']] as const,
        ),
      ),
      ...Object.fromEntries(
        ['decimal', 'octal', 'hexadecimal', 'short', 'metadata in decimal'].map(
          (name) => [name, ['input_malformed input', 'A number is no host that a person would write.']] as const,
        ),
      ),
      'IPv4 in IPv6': ['input_malformed input', 'Readers of URLs write it otherwise.'],
      'a space in front': ['own word', 'Spaces around what a person types are cut.'],
    },
    run: (url, world) => entered('{ title: Site, type: url }', '${fields.site}', url, world),
  },
  {
    ...{ name: 'token URL of a field of type host', ...AUTH, takes: 'host', brings: 'client', becomes: ENTERED },
    but: { 'the port of https': ['input_malformed input', NO_PORT] },
    run: (url, world) => entered(`{ title: Site, type: host, ${hosts('auth.acme.test')} }`, 'https://${fields.site}/token', url, world),
  },
  {
    ...{ name: 'token URL captured by a step', ...AUTH, brings: 'client', becomes: CAPTURED },
    reply: ({ path }, url) => (path === '/login' ? { json: { token_url: url } } : undefined),
    run: (_, world) =>
      client(`${CLIENT}, token_url: '\${token.there}', steps:
  [{ name: login, get: 'https://auth.acme.test/login', capture: { there: { path: token_url, type: url, ${hosts('auth.acme.test')} } } }, token]`)(
        world,
      ),
  },
  {
    ...{ name: 'next_url', ...TARGET, brings: 'key', becomes: LINK },
    reply: ({ path }, url) => (path === '/v1/next' ? { json: { items: [{ id: 1 }], next: url } } : undefined),
    run: api((connection) => read(connection, 'next')),
  },
  {
    ...{ name: 'link_header', ...TARGET, brings: 'key', becomes: LINK, but: LINK_HEADER },
    reply: ({ path }, url) => (path === '/v1/linked' ? { head: [`link: <${url}>; rel="next"`], json: { items: [{ id: 1 }] } } : undefined),
    run: api((connection) => read(connection, 'linked')),
  },
  {
    ...{ name: 'redirect of an API call', ...TARGET, brings: 'key', becomes: REDIRECT, but: MOVED },
    reply: ({ path }, url) => (path === '/v1/moved' ? location(url, 302) : undefined),
    run: api(({ http }) => http.get('/moved').text()),
  },
  {
    ...{ name: 'redirect of an API call with a body', ...TARGET, brings: 'key', becomes: REDIRECT, but: MOVED },
    reply: ({ path }, url) => (path === '/v1/moved' ? location(url, 307) : undefined),
    run: api(({ http }) => http.post('/moved', { json: { a: 1 } }).text()),
  },
  {
    // It is bound to its own origin, so that a name is not even looked up.
    ...{ name: 'redirect of a token call with a body', ...AUTH, brings: 'client', but: TOKEN_MOVED },
    becomes: { ...REDIRECT, name: 'redirect_refused request' },
    reply: ({ path }, url) => (path === '/moved' ? location(url, 307) : undefined),
    run: (_, world) => client(`${CLIENT}, token_url: 'https://auth.acme.test/moved', client_auth: post`)(world),
  },
  {
    ...{ name: 'redirect of a token call with a Basic header', ...AUTH, brings: 'client', but: TOKEN_MOVED },
    becomes: { ...REDIRECT, name: 'redirect_refused request' },
    reply: ({ path }, url) => (path === '/moved' ? location(url, 302) : undefined),
    run: (_, world) => client(`${CLIENT}, token_url: 'https://auth.acme.test/moved', client_auth: basic`)(world),
  },
  {
    ...{ name: 'download', ...TARGET, brings: 'no secret', becomes: { ...CALLED, ...ANYWHERE }, but: LED_AWAY },
    run: (text, world) => inside(text, world, ({ client: at }, url) => at.call({ method: 'GET', url }, { bare: true })),
  },
  {
    ...{ name: 'redirect of a download', ...TARGET, brings: 'key' },
    // A redirect is read as browsers read it, and takes no secret along wherever it leads.
    becomes: { ...REDIRECT, ...ANYWHERE, sign: 'elsewhere' },
    but: { ...inHeader('elsewhere', 'redirect_refused request', 'response_malformed data'), ...LED_AWAY },
    reply: ({ path }, url) => (path === '/v1/moved' ? location(url, 302) : undefined),
    run: (text, world) =>
      inside(text, world, ({ client: at }) => {
        // Its own secrets are for its own origin.
        const own = { headers: { 'X-Ticket': new Secret(SECRETS.key), 'X-Api-Key': SECRETS.key }, cookies: { s: SECRETS.key } };
        return at.call({ method: 'GET', url: 'https://api.acme.test/v1/moved', ...own }, { bare: true });
      }),
  },
  {
    ...{ name: 'token endpoint that an issuer names', ...AUTH, brings: 'client', becomes: CAPTURED },
    reply: ({ path }, url) => (/openid/.test(path) ? discovered(url) : undefined),
    run: (_, world) => client(`${CLIENT}, issuer: 'https://auth.acme.test', issuer_hosts: [${ALLOWED}]`)(world),
  },
  {
    // Nothing is sent there by us: the person's browser opens it.
    ...{ name: 'page of consent that an issuer names', ...AUTH, brings: 'no request' },
    becomes: { ...CAPTURED, name: 'asked', chain: 'asked' },
    reply: ({ path }, url) => (/openid/.test(path) ? discovered(url) : undefined),
    run: async (_, world) => {
      let opened = '';
      const auth = `type: oauth2_authorization_code, issuer: 'https://auth.acme.test', issuer_hosts: [${ALLOWED}], token_url: 'https://auth.acme.test/token'`;
      const consent: ConnectOptions['consent'] = async ({ authorizeUrl }) => {
        opened = new URL(authorizeUrl).host;
        throw new Seen();
      };
      await consenting(auth, world, consent).catch((error: unknown) => {
        if (!(error instanceof Seen)) throw error;
      });
      if (opened !== 'auth.acme.test' && !Object.hasOwn(NAMES, opened)) throw new Error(`the browser is sent to ${opened}`);
    },
  },
  {
    // RFC 8414, 3.3: identical, character by character.
    ...{ name: 'issuer that its metadata name', host: 'auth.acme.test', path: '', brings: 'client' },
    becomes: all('token_malformed auth', { name: 'token_malformed auth' }),
    but: {
      'upper case': ['token_malformed auth', 'It is compared as text.'],
      'the port of https': ['token_malformed auth', 'It is compared as text.'],
      ...Object.fromEntries(
        ['a redirect to itself', 'six redirects', 'honest, honest, evil', 'https, http, https', 'evil, and back'].map(
          (name) => [name, ['cannot be', 'A name is compared, not asked: it redirects nobody.']] as const,
        ),
      ),
    },
    reply: ({ path }, url) => (/openid/.test(path) ? { json: { issuer: url, token_endpoint: 'https://auth.acme.test/token' } } : undefined),
    run: (_, world) => client(`${CLIENT}, issuer: 'https://auth.acme.test', issuer_hosts: [${ALLOWED}]`)(world),
  },
  {
    ...{ name: 'issuer that a resource names', host: 'auth.acme.test', path: '', brings: 'client', becomes: CAPTURED },
    reply: ({ path }, url) => {
      if (/protected-resource/.test(path)) return { json: { resource: 'https://api.acme.test/v1', authorization_servers: [url] } };
      return /authorization-server/.test(path) ? discovered('https://auth.acme.test/token') : undefined;
    },
    run: (_, world) =>
      client(`${CLIENT}, discovery: resource, resource: 'https://api.acme.test/v1', issuer_hosts: [auth.acme.test, ${ALLOWED}]`)(world),
  },
  {
    ...{ name: 'captured URL in base_url', host: 'api.acme.test', path: '/v1', brings: 'token', becomes: CAPTURED },
    reply: ({ path }, url) => (path === '/token' ? { json: { access_token: SECRETS.token, site: url } } : undefined),
    run: (_, world) =>
      client(
        `${CLIENT}, token_url: 'https://auth.acme.test/token', token: { capture: { site: { path: site, type: url, ${hosts('api.acme.test')} } } }`,
        "http: { base_url: '${token.site}' }",
      )(world),
  },
  {
    ...{ name: 'captured host in base_url', host: 'api.acme.test', path: '', takes: 'host', brings: 'token' },
    becomes: all('host_refused input', {}),
    but: { 'the port of https': ['host_refused input', NO_PORT] },
    reply: ({ path }, url) => (path === '/token' ? { json: { access_token: SECRETS.token, site: url } } : undefined),
    run: (_, world) =>
      client(
        `${CLIENT}, token_url: 'https://auth.acme.test/token', token: { capture: { site: { path: site, type: host, ${hosts('api.acme.test')} } } }`,
        "http: { base_url: 'https://${token.site}/v1' }",
      )(world),
  },
  {
    ...{ name: 'address that a consent callback brings', host: 'auth.acme.test', path: '', brings: 'client', becomes: CAPTURED },
    run: (url, world) =>
      consenting(
        `type: oauth2_authorization_code, authorize_url: 'https://auth.acme.test/authorize', token_url: '\${token.there}/token',
  authorize: { capture: { there: { path: '\${callback.there}', type: url, ${hosts('auth.acme.test')} } } }`,
        world,
        async ({ authorizeUrl, redirectUri }) => {
          const state = new URL(authorizeUrl).searchParams.get('state') ?? '';
          return `${redirectUri}?${new URLSearchParams({ code: SECRETS.code, state, there: url })}`;
        },
      ),
  },
  ...['children', 'whole'].map(
    (stream): Entry => ({
      // A record's value is one part of a path, whatever it looks like: no stream is led to another host by one.
      ...{
        name: stream === 'whole' ? "URL that is a parent's" : "path made of a parent's URL",
        ...TARGET,
        honest: 'target',
        brings: 'key',
      },
      becomes: all('path', { name: 'path' }),
      but: {
        'upper case': ['path', 'It is a part of a path.'],
        'the port of https': ['path', 'It is a part of a path.'],
      },
      reply: ({ path }, url) => (path === '/v1/parents' ? { json: { items: [{ url }] } } : undefined),
      run: api((connection) => read(connection, stream)),
    }),
  ),
  {
    ...{ name: 'http.get', ...TARGET, brings: 'key', becomes: CALLED },
    run: api(({ http }, url) => http.get(url).text()),
  },
  {
    ...{ name: 'http.stream', ...TARGET, brings: 'key', becomes: CALLED },
    run: api(async ({ http }, url) => {
      for await (const _ of http.stream(url));
    }),
  },
  {
    ...{ name: 'Location of a job, asked with the credential', ...TARGET, brings: 'key', becomes: CALLED },
    but: {
      ...inHeader('host_refused input', 'input_malformed input', 'response_malformed data'),
      'a space in front': ['host_refused input', 'A header begins behind it.'],
    },
    reply: ({ path }, url) => (path === '/v1/jobs' ? location(url, 202) : undefined),
    run: api(async ({ http }) => {
      const { headers } = await http.post('/jobs', { json: {} });
      await http.get(headers.location ?? '').text();
    }),
  },
  {
    ...{ name: 'Location of a job, asked without', ...TARGET, brings: 'no secret', becomes: { ...CALLED, ...ANYWHERE } },
    but: {
      ...inHeader('elsewhere', 'input_malformed input', 'response_malformed data'),
      'a space in front': ['elsewhere', 'A header begins behind it.'],
      ...LED_AWAY,
    },
    reply: ({ path }, url) => (path === '/v1/jobs' ? location(url, 202) : undefined),
    run: (text, world) =>
      inside(text, world, async ({ client: at }) => {
        const { headers } = await at.call({ method: 'POST', url: '/jobs', body: {} });
        await at.call({ method: 'GET', url: headers.location ?? '' }, { bare: true });
      }),
  },
];
