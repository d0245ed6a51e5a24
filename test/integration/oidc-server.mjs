// An OAuth server that nobody here wrote (oidc-provider), with a small API whose tokens it judges itself.
// node oidc-server.mjs FOLDER-WITH-OIDC-PROVIDER CONFIG-JSON ; prints "ready" when it listens on 127.0.0.1.
// CONFIG: { port, securePort, tls: { cert, key, ca }, ttl (seconds), clients: their metadata, users, assertionKey }
import { X509Certificate } from 'node:crypto';
import { createServer } from 'node:https';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { registerGrants } from './oidc-grants.mjs';

const [folder, config] = process.argv.slice(2);
const { port, securePort, tls, ttl, clients, users, assertionKey } = JSON.parse(config);
const require = createRequire(join(folder, 'package.json'));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const { Provider, errors } = await load('oidc-provider');

const RECORDS = 23;
const RESOURCES = ['urn:api', 'https://orders.acme.test/v1'];
const grants = [];
let refused = 0;

/** The certificate that the client has shown, or undefined; on the port without TLS there is never one. */
const certificateOf = ({ socket }) => {
  const { raw } = socket.getPeerCertificate?.() ?? {};
  return raw && new X509Certificate(raw);
};

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients,
  scopes: ['openid', 'offline_access', 'api:read'],
  clientAuthMethods: [
    ...['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt'],
    ...['tls_client_auth', 'self_signed_tls_client_auth', 'none'],
  ],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: (_context, client, code) => client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    devInteractions: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    registration: { enabled: true },
    mTLS: {
      ...{ enabled: true, certificateBoundAccessTokens: true, tlsClientAuth: true, selfSignedTlsClientAuth: true },
      getCertificate: certificateOf,
      certificateAuthorized: ({ socket }) => socket.authorized === true,
      certificateSubjectMatches: (context, property, expected) =>
        property === 'tls_client_auth_subject_dn' && certificateOf(context)?.subject === expected,
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => 'urn:api',
      useGrantedResource: () => true,
      getResourceServerInfo: (_context, audience) => {
        if (!RESOURCES.includes(audience)) throw new errors.InvalidTarget();
        return { scope: 'api:read', audience, accessTokenFormat: 'opaque', accessTokenTTL: ttl };
      },
    },
  },
  ttl: { AccessToken: ttl, ClientCredentials: ttl, RefreshToken: 3600, Grant: 3600, Session: 3600, Interaction: 600, DeviceCode: 600 },
  findAccount: (_context, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
});
registerGrants(provider, { errors, jose: await load('jose'), users, assertionKey });

provider.on('grant.success', (context) =>
  grants.push({ grant: context.oidc.params.grant_type, client: context.oidc.client.clientId, ok: true }),
);
provider.on('grant.error', (context, error) =>
  grants.push({ grant: context.oidc.params?.grant_type, client: context.oidc.client?.clientId, ok: false, error: error.error }),
);

/** The access token's record at the provider, or undefined when it is unknown, used up, expired or bound to another certificate. */
async function judge(context) {
  const value = /^Bearer (\S+)$/.exec(context.get('authorization'))?.[1];
  if (value === undefined) return undefined;
  const token = (await provider.AccessToken.find(value)) ?? (await provider.ClientCredentials.find(value));
  // RFC 8705, 3.1: the SHA-256 of the certificate.
  const bound = token?.['x5t#S256'];
  const shown = certificateOf(context)?.fingerprint256.replaceAll(':', '');
  if (bound !== undefined && (shown === undefined || Buffer.from(shown, 'hex').toString('base64url') !== bound)) return undefined;
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
    context.body = { grants, refused };
    return;
  }
  if (!context.path.startsWith('/api/')) return next();
  const token = await judge(context);
  if (token === undefined) {
    refused += 1;
    context.status = 401;
    context.set('www-authenticate', 'Bearer error="invalid_token"');
    context.body = { error: { message: 'The access token is unknown or has expired' } };
  } else if (context.path === '/api/me') context.body = { client: token.clientId, account: token.accountId ?? null };
  else context.body = items(context);
});

// A certificate that nobody vouches for is let in: whether it is the client's is the provider's to say.
createServer({ ...tls, requestCert: true, rejectUnauthorized: false }, provider.callback()).listen(securePort, '127.0.0.1', () =>
  provider.listen(port, '127.0.0.1', () => console.log('ready')),
);
