import fc from 'fast-check';
import { isFerruleError } from '../../../framework/core/errors.ts';
import { Secret } from '../../../framework/core/secret.ts';
import { memoryStore } from '../../../framework/credentials/memory.ts';
import { connectSpec, connectStored } from '../../../framework/engine/connect.ts';
import { hostsOf, PERSONS_SITE } from '../../../framework/spec/hosts.ts';
import { lintText } from '../../../framework/spec/lint.ts';
import { specOf } from '../../acme.ts';
import { plainCanary } from '../../canary.ts';
import { type LocalServer, type Received, serve } from '../../server.ts';

const head = (rest: string): string => `spec: 1\nname: acme\ntitle: Acme\nversion: 1.0.0\ncheck: { get: /me }\n${rest}`;
const table = (text: string): Record<string, string> =>
  Object.fromEntries(hostsOf(specOf(text)).map(({ use, hosts }) => [use, hosts.join(' ')]));

// The tricky ones of the language's worked specs, with types that this version runs. The hosts are those of its table B4.
const BULLHORN = head(`
choices:
  region:
    options:
      us: { auth: auth.bullhornstaffing.com, rest: rest.bullhornstaffing.com }
      emea: { auth: auth-emea.bullhornstaffing.com, rest: rest-emea.bullhornstaffing.com }
auth:
  oauth:
    type: oauth2_authorization_code
    authorize_url: https://\${region.auth}/oauth/authorize
    token_url: https://\${region.auth}/oauth/token
    token: { encode: query }
    refresh: { rotates: true }
    steps:
      - token
      - name: login
        post: https://\${region.rest}/rest-services/login
        query: { version: "*", access_token: "\${token.access_token}" } # ferrule-ignore secret-in-url: the provider takes it nowhere else
        capture: { rest_token: BhRestToken, rest_url: { path: restUrl, type: url, hosts: ["*.bullhornstaffing.com"] } }
        expires: { default: 10m }
    send: { headers: { Authorization: null, BhRestToken: "\${token.rest_token}" } }
http: { base_url: "\${token.rest_url}" }`);

const SALESFORCE = head(`
choices: { environment: { options: { production: { login: login.salesforce.com }, sandbox: { login: test.salesforce.com } } } }
auth:
  oauth:
    type: oauth2_authorization_code
    authorize_url: https://\${environment.login}/services/oauth2/authorize
    token_url: https://\${environment.login}/services/oauth2/token
    scopes: [api, refresh_token, cdp_query_api, cdp_profile_api]
    token:
      capture: { core: { path: instance_url, type: url, hosts: ["*.salesforce.com", "*.force.com"] } }
      expires: { default: 1h }
    steps:
      - token
      - name: exchange
        post: \${token.core}/services/a360/token
        encode: form
        body: { grant_type: "urn:salesforce:grant-type:external:cdp", subject_token: "\${token.access_token}", subject_token_type: "urn:ietf:params:oauth:token-type:access_token" }
        capture: { data_token: access_token, data_host: { path: instance_url, type: host, hosts: ["*.c360a.salesforce.com"] } }
        expires: { in: expires_in }
    send: { headers: { Authorization: "Bearer \${token.data_token}" } }
http: { base_url: "https://\${token.data_host}/api" }`);

const SELLERCLOUD = head(`
fields: { team: { title: Team name, type: subdomain } }
auth:
  login:
    type: basic
    steps:
      - name: lookup
        get: https://lookup.sellercloud.com/api/teams/\${fields.team}
        capture: { host: { path: apiHost, type: host, hosts: ["*.sellercloud.com"] } }
      - name: login
        post: https://\${token.host}/rest/api/token
        body: { Username: "\${fields.username}", Password: "\${fields.password}" }
        capture: { access_token: access_token }
        expires: { in: expires_in }
    send: { headers: { Authorization: "Bearer \${token.access_token}" } }
http: { base_url: "https://\${token.host}/rest/api" }`);

const DOCUWARE = head(`
fields: { site: { title: DocuWare URL, type: url } }
auth:
  client:
    type: oauth2_client_credentials
    steps:
      - name: identity
        get: \${fields.site}/DocuWare/Platform/Home/IdentityServiceInfo
        capture: { issuer: { path: IdentityServiceUrl, type: url, hosts: ["*.docuware.net", "*.docuware.cloud", same] } }
      - name: discovery
        get: \${token.issuer}/.well-known/openid-configuration
        capture: { endpoint: { path: token_endpoint, type: url, hosts: [same] } }
      - token
    token_url: \${token.endpoint}
    fields: { client_id: { value: docuware.platform.net.client }, client_secret: null }
    scopes: [docuware.platform]
http: { base_url: "\${fields.site}/DocuWare/Platform" }`);

const SLACK = head(`
auth:
  oauth:
    type: oauth2_authorization_code
    authorize_url: https://slack.com/oauth/v2/authorize
    token_url: https://slack.com/api/oauth.v2.access
    scopes: [channels:read, users:read]
    scope_separator: ","
    authorize: { query: { user_scope: "search:read,users:read" } }
    token: { capture: { user_token: authed_user.access_token, user_refresh_token: authed_user.refresh_token? } }
    refresh:
      - { rotates: true, capture: { user_token: null, user_refresh_token: null } }
      - body: { refresh_token: "\${token.user_refresh_token}" }
        rotates: true
        capture: { user_token: access_token, user_refresh_token: refresh_token, access_token: null, refresh_token: null }
http: { base_url: https://slack.com/api }
streams:
  search: { source: https://api.slack.com, get: /search.messages, headers: { Authorization: "Bearer \${token.user_token}" }, records: messages.matches, primary_key: [iid] }`);

const SITE = PERSONS_SITE;

describe('hosts from the text alone', () => {
  it.each([
    [
      'bullhorn',
      BULLHORN,
      {
        api: '*.bullhornstaffing.com',
        authorize: 'auth.bullhornstaffing.com auth-emea.bullhornstaffing.com',
        token: 'auth.bullhornstaffing.com auth-emea.bullhornstaffing.com',
        'step login': 'rest.bullhornstaffing.com rest-emea.bullhornstaffing.com',
      },
    ],
    [
      'salesforce-cdp',
      SALESFORCE,
      {
        api: '*.c360a.salesforce.com',
        authorize: 'login.salesforce.com test.salesforce.com',
        token: 'login.salesforce.com test.salesforce.com',
        'step exchange': '*.salesforce.com *.force.com',
      },
    ],
    ['sellercloud', SELLERCLOUD, { api: '*.sellercloud.com', 'step lookup': 'lookup.sellercloud.com', 'step login': '*.sellercloud.com' }],
    [
      'docuware',
      DOCUWARE,
      {
        api: SITE,
        'step identity': SITE,
        'step discovery': `*.docuware.net *.docuware.cloud ${SITE}`,
        token: `*.docuware.net *.docuware.cloud ${SITE}`,
      },
    ],
    ['slack', SLACK, { api: 'slack.com', authorize: 'slack.com', token: 'slack.com' }],
    [
      'duo',
      head(
        `fields: { host: { type: host, hosts: ["*.duosecurity.com"] } }\nauth: { k: bearer }\nhttp: { base_url: "https://\${fields.host}" }`,
      ),
      { api: '*.duosecurity.com' },
    ],
    [
      'snowflake',
      head(
        `fields: { account: { type: subdomain } }\nauth: { k: bearer }\nhttp: { base_url: "https://\${fields.account}.snowflakecomputing.com/api/v2" }`,
      ),
      { api: '‹label›.snowflakecomputing.com' },
    ],
    [
      'a fixed field',
      head(
        `fields: { site: { type: url, value: "https://\${fields.team}.acme.com" }, team: { type: subdomain } }\nauth: { k: bearer }\nhttp: { base_url: "\${fields.site}/v1" }`,
      ),
      { api: '‹label›.acme.com' },
    ],
  ])('%s', (_, text, expected) => {
    expect(lintText(text, 'acme.yaml').map(({ start, rule, message }) => `${start.line} ${rule} ${message}`)).toEqual([]);
    expect(table(text)).toEqual(expected);
  });
});

describe('the results of jobs', () => {
  const job = (download: string): string =>
    head(`
auth: { key: bearer }
http: { base_url: https://api.acme.com }
streams:
  usage:
    primary_key: [id]
    job:
      create: { post: /exports, capture: { id: id } }
      poll: { get: "/exports/\${job.id}", capture: { url: { path: url, type: url } } }
      status: state
      states: { done: [complete] }
      download: { get: "${download}" }`);

  it.each([
    ['a host that only the answer names', '${job.url}', '‹a host that an answer names›'],
    ['another host that the spec names', 'https://files.acme.com/${job.id}', 'files.acme.com'],
  ])('says of %s that the credential stays behind', (_, download, host) => {
    expect(table(job(download))).toEqual({ api: 'api.acme.com', 'download, without the credential': host });
    // Nor is its capture asked for hosts, as one that becomes the host of a call with the credential is.
    expect(lintText(job(download), 'acme.yaml').filter(({ severity }) => severity === 'error')).toEqual([]);
  });

  it.each(['/exports/${job.id}/file', 'https://api.acme.com/${job.id}'])("has no row of its own for the API's host: %s", (download) => {
    expect(table(job(download))).toEqual({ api: 'api.acme.com' });
  });
});

describe('chains of steps, run', () => {
  let server: LocalServer;
  afterEach(() => server.close());
  const A = plainCanary('chain-access');
  const R = plainCanary('chain-refresh');
  const S = plainCanary('chain-second');
  const P = plainCanary('chain-password');
  const map = (hosts: string[]) => ({
    sandbox: { addresses: Object.fromEntries(hosts.map((host) => [`https://${host}`, server.origin])) },
  });
  const seen = () =>
    server.received.map(
      ({ method, host, path, query, body }) => `${method} ${host}${path}${query.size > 0 ? `?${query}` : ''}${body && ` ${body}`}`,
    );
  const headersOf = (at: number, name: string) => server.received.at(at)?.headers[name];

  it('bullhorn: a token in the query, then a login that names the host', async () => {
    server = await serve(({ path }) => {
      if (path === '/oauth/token') return { json: { access_token: A, refresh_token: `${R}2`, expires_in: 600 } };
      if (path === '/rest-services/login')
        return { json: { BhRestToken: S, restUrl: 'https://rest7.bullhornstaffing.com/rest-services/e9/' } };
      return { json: { ok: 1 } };
    });
    const hosts = ['auth-emea.bullhornstaffing.com', 'rest-emea.bullhornstaffing.com', 'rest7.bullhornstaffing.com'];
    const inputs = { choices: { region: 'emea' }, fields: { client_id: 'app', client_secret: P }, tokens: { refresh_token: R } };
    await using connection = await connectSpec(specOf(BULLHORN), inputs, map(hosts));
    expect(await connection.http.get('entity/Job').json()).toEqual({ ok: 1 });
    expect(seen()).toEqual([
      `POST auth-emea.bullhornstaffing.com/oauth/token?grant_type=refresh_token&refresh_token=${R}&client_id=app&client_secret=${P}`,
      `POST rest-emea.bullhornstaffing.com/rest-services/login?version=*&access_token=${A}`,
      'GET rest7.bullhornstaffing.com/rest-services/e9/entity/Job',
    ]);
    expect(headersOf(2, 'bhresttoken')).toBe(S);
    expect(headersOf(2, 'authorization')).toBeUndefined();
  });

  it('salesforce-cdp: the token answer names the host of the exchange, the exchange that of the API', async () => {
    server = await serve(({ path }) => {
      if (path === '/services/oauth2/token') return { json: { access_token: A, instance_url: 'https://acme.my.salesforce.com' } };
      if (path === '/services/a360/token') return { json: { access_token: S, instance_url: 'x1.c360a.salesforce.com', expires_in: 7200 } };
      return { json: { ok: 1 } };
    });
    const hosts = ['login.salesforce.com', 'acme.my.salesforce.com', 'x1.c360a.salesforce.com'];
    const inputs = { choices: { environment: 'production' }, fields: { client_id: 'app', client_secret: P }, tokens: { refresh_token: R } };
    await using connection = await connectSpec(specOf(SALESFORCE), inputs, map(hosts));
    await connection.http.get('v1/query');
    expect(seen().map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'POST login.salesforce.com/services/oauth2/token',
      'POST acme.my.salesforce.com/services/a360/token',
      'GET x1.c360a.salesforce.com/api/v1/query',
    ]);
    expect(server.received[1]?.body).toBe(
      `grant_type=urn%3Asalesforce%3Agrant-type%3Aexternal%3Acdp&subject_token=${A}&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token`,
    );
    expect(headersOf(2, 'authorization')).toBe(`Bearer ${S}`);
  });

  it('sellercloud: a look-up names the host; one that the spec does not allow gets nothing', async () => {
    let named = 'eu.sellercloud.com';
    server = await serve(({ path }) => {
      if (path.startsWith('/api/teams/')) return { json: { apiHost: named } };
      if (path === '/rest/api/token') return { json: { access_token: A, expires_in: 3600 } };
      return { json: { ok: 1 } };
    });
    const options = map(['lookup.sellercloud.com', 'eu.sellercloud.com', 'sellercloud.com.evil.test']);
    const inputs = { fields: { team: 'blue', username: 'u', password: P } };
    await using connection = await connectSpec(specOf(SELLERCLOUD), inputs, options);
    await connection.http.get('orders');
    expect(seen()).toEqual([
      'GET lookup.sellercloud.com/api/teams/blue',
      `POST eu.sellercloud.com/rest/api/token {"Username":"u","Password":"${P}"}`,
      'GET eu.sellercloud.com/rest/api/orders',
    ]);
    for (const bad of [
      'sellercloud.com.evil.test',
      'evil.test/.sellercloud.com',
      'u@eu.sellercloud.com',
      'sellercloud.com',
      'eu.sellercloud.com:444',
    ]) {
      named = bad;
      server.received.length = 0;
      await expect(connectSpec(specOf(SELLERCLOUD), inputs, options)).rejects.toMatchObject({ code: 'host_refused' });
      expect(seen()).toEqual(['GET lookup.sellercloud.com/api/teams/blue']);
    }
  });

  it('docuware: the site names its issuer, the issuer its token endpoint', async () => {
    server = await serve(({ path }) => {
      if (path.endsWith('/IdentityServiceInfo')) return { json: { IdentityServiceUrl: 'https://login.docuware.cloud/id1/' } };
      if (path.endsWith('/openid-configuration')) return { json: { token_endpoint: 'https://login.docuware.cloud/id1/connect/token' } };
      if (path.endsWith('/connect/token')) return { json: { access_token: A, expires_in: 3600 } };
      return { json: { ok: 1 } };
    });
    await using connection = await connectSpec(
      specOf(DOCUWARE),
      { fields: { site: 'https://acme.test/' } },
      map(['acme.test', 'login.docuware.cloud']),
    );
    await connection.http.get('/FileCabinets');
    expect(seen()).toEqual([
      'GET acme.test/DocuWare/Platform/Home/IdentityServiceInfo',
      'GET login.docuware.cloud/id1/.well-known/openid-configuration',
      'POST login.docuware.cloud/id1/connect/token grant_type=client_credentials&scope=docuware.platform&client_id=docuware.platform.net.client',
      'GET acme.test/DocuWare/Platform/FileCabinets',
    ]);
  });

  it('slack: two tokens that rotate, each with its own request', async () => {
    server = await serve(({ body }) => {
      if (body.includes(`refresh_token=${R}`)) return { json: { access_token: A, refresh_token: `new-${R}`, expires_in: 100 } };
      if (body.includes(`refresh_token=user-${R}`)) return { json: { access_token: S, refresh_token: `user-new-${R}`, expires_in: 100 } };
      return { json: { messages: { matches: [] } } };
    });
    const store = memoryStore();
    const fields = { client_id: 'app', client_secret: P };
    const tokens = { access_token: 'old', refresh_token: R, expires_at: 0 };
    const { sandbox } = map(['slack.com']);
    await (await connectSpec(specOf(SLACK), { fields, tokens }, { sandbox, store, name: 'both' })).close();
    const captures = { user_token: new Secret('old'), user_refresh_token: new Secret(`user-${R}`) };
    await store.update('both', async (kept) => ({ ...kept, captures: { ...kept.captures, ...captures } }));
    await using connection = await connectStored(specOf(SLACK), 'both', { sandbox, store });
    for await (const _ of connection.read('search'));
    expect(seen()).toEqual([
      `POST slack.com/api/oauth.v2.access grant_type=refresh_token&refresh_token=${R}&client_id=app&client_secret=${P}`,
      `POST slack.com/api/oauth.v2.access grant_type=refresh_token&refresh_token=user-${R}&client_id=app&client_secret=${P}`,
      'GET slack.com/api/search.messages',
    ]);
    expect(headersOf(2, 'authorization')).toBe(`Bearer ${S}`);
  });
});

describe('what is printed is what the client does', () => {
  const POOL = [
    'acme.test',
    'api.acme.test',
    'a.b.acme.test',
    'xacme.test',
    'acme.test.evil.test',
    'files.acme.test',
    'other.test',
    'acme.test:8443',
  ];
  const KEY = plainCanary('hosts-key');
  const fits = (pattern: string, host: string): boolean =>
    pattern.startsWith('*.') ? !host.includes(':') && host.endsWith(pattern.slice(1)) : pattern === host;

  it('the credential reaches a host just when a pattern has it', async () => {
    const server = await serve(() => ({ json: {} }));
    const base = fc.constantFrom('choice', 'url', 'field', 'host');
    const pool = fc.constantFrom(...POOL);
    const hosts = fc.uniqueArray(fc.constantFrom(...POOL, '*.acme.test', '*.b.acme.test', '*.other.test'), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(base, pool, pool, hosts, async (how, one, two, further) => {
        const bases = { choice: 'https://${at.host}', url: '${at.url}', field: '${fields.site}', host: 'https://${fields.host}' };
        const typed = { ...(how === 'field' && { site: `https://${one}/x` }), ...(how === 'host' && { host: one.replace(/:.*/, '') }) };
        const spec = specOf(
          head(`choices: { at: { options: { one: { host: '${one}', url: 'https://${one}' }, two: { host: '${two}', url: 'https://${two}' } } } }
fields: { ${how === 'field' ? 'site: { type: url }' : ''} ${typed.host === undefined ? '' : `host: { type: host, hosts: ['${typed.host}'] }`} }
auth: { k: { type: api_key, send: { headers: { X-Key: '\${fields.api_key}' } } } }
http: { base_url: '${bases[how]}', hosts: ${JSON.stringify(further)} }`),
        );
        const [api] = hostsOf(spec);
        const reached = new Set<string>();
        for (const option of ['one', 'two']) {
          const addresses = Object.fromEntries(POOL.map((host) => [`https://${host}`, server.origin]));
          await using connection = await connectSpec(
            spec,
            { choices: { at: option }, fields: { api_key: KEY, ...typed } },
            { sandbox: { addresses } },
          );
          for (const host of POOL) {
            server.received.length = 0;
            try {
              await connection.http.get(`https://${host}/x`);
            } catch (error) {
              if (!isFerruleError(error) || error.code !== 'host_refused') throw error;
            }
            if (server.received.some(({ headers }: Received) => headers['x-key'] === KEY)) reached.add(host);
          }
        }
        const printed = POOL.filter((host) =>
          api?.hosts.some((pattern) => fits(pattern, host) || (pattern === PERSONS_SITE && host === one)),
        );
        expect([...reached].sort()).toEqual(printed.sort());
      }),
      { numRuns: 60 },
    );
    await server.close();
  });
});
