// An OAuth server that nobody here wrote (oidc-provider), with a small API whose tokens it judges itself.
// node oidc-server.mjs FOLDER-WITH-OIDC-PROVIDER CONFIG-JSON ; prints "ready" when it listens on 127.0.0.1.
// CONFIG: { port, redirectUri, ttl (seconds), clients: { basic, post, web }: their secrets }
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, config] = process.argv.slice(2);
const { port, redirectUri, ttl, clients } = JSON.parse(config);
const require = createRequire(join(folder, 'package.json'));
const { Provider } = await import(pathToFileURL(require.resolve('oidc-provider')).href);

const RECORDS = 23;
const grants = [];
const machine = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [] };

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    { client_id: 'machine-basic', client_secret: clients.basic, token_endpoint_auth_method: 'client_secret_basic', ...machine },
    { client_id: 'machine-post', client_secret: clients.post, token_endpoint_auth_method: 'client_secret_post', ...machine },
    {
      client_id: 'web',
      client_secret: clients.web,
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      redirect_uris: [redirectUri],
    },
  ],
  scopes: ['openid', 'offline_access', 'api:read'],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: (_context, client, code) => client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: true },
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => 'urn:api',
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({ scope: 'api:read', audience: 'urn:api', accessTokenFormat: 'opaque', accessTokenTTL: ttl }),
    },
  },
  ttl: { AccessToken: ttl, ClientCredentials: ttl, RefreshToken: 3600, Grant: 3600, Session: 3600, Interaction: 600 },
  findAccount: (_context, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
});

provider.on('grant.success', (context) =>
  grants.push({ grant: context.oidc.params.grant_type, client: context.oidc.client.clientId, ok: true }),
);
provider.on('grant.error', (context, error) =>
  grants.push({ grant: context.oidc.params?.grant_type, client: context.oidc.client?.clientId, ok: false, error: error.error }),
);

/** The access token's record at the provider, or undefined when it is unknown, used up or expired. */
async function judge(authorization) {
  const value = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1];
  if (value === undefined) return undefined;
  const token = (await provider.AccessToken.find(value)) ?? (await provider.ClientCredentials.find(value));
  return token?.isValid ? token : undefined;
}

function items(context) {
  const page = Number(context.query.page ?? 1);
  const size = Number(context.query.size ?? 10);
  const all = Array.from({ length: RECORDS }, (_, index) => ({ id: index + 1, name: `Item ${index + 1}` }));
  return { total: RECORDS, items: all.slice((page - 1) * size, page * size) };
}

provider.use(async (context, next) => {
  if (context.path === '/grants') {
    context.body = grants;
    return;
  }
  if (!context.path.startsWith('/api/')) return next();
  const token = await judge(context.get('authorization'));
  if (token === undefined) {
    context.status = 401;
    context.set('www-authenticate', 'Bearer error="invalid_token"');
    context.body = { error: { message: 'The access token is unknown or has expired' } };
  } else if (context.path === '/api/me') context.body = { client: token.clientId, account: token.accountId ?? null };
  else context.body = items(context);
});

provider.listen(port, '127.0.0.1', () => console.log('ready'));
