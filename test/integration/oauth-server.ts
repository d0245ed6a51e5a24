/** oidc-provider with a client for each way to show who one is and each grant; their keys and secrets are made anew for a run. */
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import { plainCanary } from '../canary.ts';
import { authority, type Identity, selfSigned } from './certificates.ts';
import { freePort, installed, start } from './programs.ts';
import { folderFor, type Server, serverOf } from './servers.ts';

export interface OauthServer extends Server {
  /** The same provider over TLS, by `ca`; it asks for a client certificate. */
  secure: string;
  ca: string;
  redirectUri: string;
  secrets: { basic: string; post: string; web: string; jwt: string; alice: string };
  /** PEM; the public half is registered for private_key_jwt and for jwt-bearer. */
  privateKey: string;
  /** One that nobody knows. */
  strangerKey: string;
  /** For tls_client_auth, for self_signed_tls_client_auth, and one of the same authority for somebody else. */
  certificates: { machine: Identity; alone: Identity; other: Identity };
  /** Every grant that was asked of it, in order. */
  grants(): Promise<{ grant: string; client: string; ok: boolean; error?: string }[]>;
  /** How many calls its API has refused. */
  refused(): Promise<number>;
  /** RFC 7662, in the provider's own words. */
  introspect(token: string): Promise<Record<string, unknown>>;
}

const MACHINE = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [] };
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
/** Those of oidc-grants.mjs. */
const OWN_GRANTS = ['password', 'urn:ietf:params:oauth:grant-type:jwt-bearer', 'urn:ietf:params:oauth:grant-type:token-exchange'];

/** Access tokens live `ttl` seconds. */
export async function oauthServer(ttl: number): Promise<OauthServer> {
  const folder = await folderFor('oauth');
  const [port, securePort, callback] = [await freePort(), await freePort(), await freePort()];
  const [site, secure] = [`http://127.0.0.1:${port}`, `https://127.0.0.1:${securePort}`];
  const redirectUri = `http://127.0.0.1:${callback}/callback`;
  // RFC 6749, 2.3.1: form-encoded inside Basic, so odd characters are worth having; A.2 allows no others than ASCII.
  const secrets = {
    basic: `${plainCanary('oidc basic')}+/=&%:<`,
    post: `${plainCanary('oidc post')}+/=&%:<`,
    web: plainCanary('oidc web'),
    // HS256 wants 32 bytes (RFC 7518, 3.2).
    jwt: `${plainCanary('oidc jwt')}+/=&%:<`,
    alice: `${plainCanary('oidc alice')}+/=&%:< €`,
  };
  const { ca, ...signer } = authority(folder);
  const { certificate: cert, key } = signer.server('server');
  const certificates = { machine: signer.client('machine'), alone: selfSigned(folder, 'alone'), other: signer.client('other') };
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const assertionKey = { ...pair.publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256', use: 'sig' };
  const clients = clientsOf(redirectUri, secrets, assertionKey, certificates.alone);
  const tls = { cert, key, ca };
  const config = JSON.stringify({ port, securePort, tls, ttl, clients, users: { alice: secrets.alice }, assertionKey });
  const program = await start(process.execPath, [resolve('test/integration/oidc-server.mjs'), installed(), config], {
    address: `${site}/grants`,
  });
  const seen = async () =>
    (await (await fetch(`${site}/grants`)).json()) as { grants: Awaited<ReturnType<OauthServer['grants']>>; refused: number };
  return {
    ...serverOf(site, program, folder),
    ...{ secure, ca, redirectUri, secrets, certificates },
    privateKey: pem(pair.privateKey),
    strangerKey: pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey),
    grants: async () => (await seen()).grants,
    refused: async () => (await seen()).refused,
    introspect: async (token) => {
      const body = new URLSearchParams({ token, client_id: 'machine-post', client_secret: secrets.post });
      return (await (await fetch(`${site}/token/introspection`, { method: 'POST', body })).json()) as Record<string, unknown>;
    },
  };
}

const pem = (key: ReturnType<typeof generateKeyPairSync>['privateKey']): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

function clientsOf(redirectUri: string, secrets: OauthServer['secrets'], key: object, alone: Identity): object[] {
  const code = { grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], redirect_uris: [redirectUri] };
  const own = new X509Certificate(alone.certificate);
  const x5c = { ...own.publicKey.export({ format: 'jwk' }), x5c: [own.raw.toString('base64')] };
  const client = (client_id: string, method: string, more: object) => ({ client_id, token_endpoint_auth_method: method, ...more });
  return [
    client('machine-basic', 'client_secret_basic', { ...MACHINE, client_secret: secrets.basic }),
    client('machine-post', 'client_secret_post', { ...MACHINE, client_secret: secrets.post }),
    client('web', 'client_secret_basic', { ...code, client_secret: secrets.web }),
    client('machine-key', 'private_key_jwt', { ...MACHINE, token_endpoint_auth_signing_alg: 'ES256', jwks: { keys: [key] } }),
    client('machine-hmac', 'client_secret_jwt', { ...MACHINE, client_secret: secrets.jwt }),
    client('machine-tls', 'tls_client_auth', {
      ...MACHINE,
      tls_client_auth_subject_dn: 'CN=machine',
      tls_client_certificate_bound_access_tokens: true,
    }),
    client('machine-alone', 'self_signed_tls_client_auth', {
      ...MACHINE,
      jwks: { keys: [x5c] },
      tls_client_certificate_bound_access_tokens: true,
    }),
    client('tv', 'none', { ...MACHINE, application_type: 'native', grant_types: [DEVICE, 'refresh_token'] }),
    client('trusted', 'client_secret_basic', { ...MACHINE, grant_types: OWN_GRANTS, client_secret: secrets.basic }),
    client('asserter', 'none', { ...MACHINE, grant_types: OWN_GRANTS }),
  ];
}
