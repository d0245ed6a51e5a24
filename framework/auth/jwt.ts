import { constants, createHmac, type KeyObject, sign } from 'node:crypto';
import { FerruleError } from '../core/errors.ts';
import type { JsonObject } from '../core/value.ts';
import { privateKey, readJwk } from './private-key.ts';

interface Algorithm {
  /** Node's name; null where the key decides. */
  hash: string | null;
  /** Key types of node:crypto; none: a shared secret. */
  types: readonly string[];
  curve?: string;
  pss?: true;
  /** What an error asks for. */
  needs: string;
}

const rsa = (bits: number): Algorithm => ({ hash: `sha${bits}`, types: ['rsa'], needs: 'an RSA key' });
const pss = (bits: number): Algorithm => ({ hash: `sha${bits}`, types: ['rsa', 'rsa-pss'], pss: true, needs: 'an RSA key' });
const ec = (bits: number, curve: string, name: string): Algorithm => ({ hash: `sha${bits}`, types: ['ec'], curve, needs: `a ${name} key` });
const hmac = (bits: number): Algorithm => ({ hash: `sha${bits}`, types: [], needs: 'a shared secret' });

/** RFC 7518 section 3.1 without `none`, and RFC 8037 section 3.1 with Ed25519 alone. */
const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map([
  ['HS256', hmac(256)],
  ['HS384', hmac(384)],
  ['HS512', hmac(512)],
  ['RS256', rsa(256)],
  ['RS384', rsa(384)],
  ['RS512', rsa(512)],
  ['PS256', pss(256)],
  ['PS384', pss(384)],
  ['PS512', pss(512)],
  ['ES256', ec(256, 'prime256v1', 'P-256')],
  ['ES384', ec(384, 'secp384r1', 'P-384')],
  ['ES512', ec(512, 'secp521r1', 'P-521')],
  ['EdDSA', { hash: null, types: ['ed25519'], needs: 'an Ed25519 key' }],
]);

export interface JwsKey {
  /** `HS256`, `RS256`, `PS256`, `ES256` (each also 384 and 512) or `EdDSA`. */
  alg: string;
  /** HS*: the secret's bytes, text of which the UTF-8 bytes count, or a JWK of type oct. Else what `privateKey` reads. */
  key: string | Uint8Array;
  /** Opens an encrypted PEM. */
  passphrase?: string;
  /** The field that an error about the key names. */
  where?: string;
}

export interface JwtOptions extends JwsKey {
  /** Laid over `typ: JWT` and the JWK's `kid`; `alg` is always the algorithm that signs. */
  header?: JsonObject;
  /** As they are: iat, exp, nbf and jti are the caller's business. */
  claims: JsonObject;
}

/**
 * A signed JWT in compact form (RFC 7519; RFC 7515 section 7.1).
 * @throws FerruleError input_malformed: an unknown `alg` (`jwt.alg`), a key that cannot be read or does not fit it (`where`)
 */
export function signJwt(options: JwtOptions): string {
  const kid = typeof options.key === 'string' ? readJwk(options.key)?.kid : undefined;
  const header = { alg: options.alg, typ: 'JWT', ...(typeof kid === 'string' && { kid }), ...options.header };
  const input = `${base64url({ ...header, alg: options.alg })}.${base64url(options.claims)}`;
  return `${input}.${signJws(input, options)}`;
}

/**
 * The signature over a JWS signing input (`header.payload`, both base64url; RFC 7515 section 5.1), in base64url.
 * @throws FerruleError input_malformed
 */
export function signJws(signingInput: string, options: JwsKey): string {
  const { alg, where = 'jwt.key' } = options;
  const algorithm = ALGORITHMS.get(alg);
  if (!algorithm) {
    throw new FerruleError('input_malformed', `${JSON.stringify(alg)} is no algorithm that signs a JWT here.`, {
      where: 'jwt.alg',
      next: `Use one of ${[...ALGORITHMS.keys()].join(', ')}.`,
    });
  }
  if (algorithm.types.length === 0) {
    const secret = sharedSecret(options.key, alg, where);
    return createHmac(algorithm.hash!, secret).update(signingInput).digest('base64url');
  }
  const key = privateKey(options.key, { passphrase: options.passphrase, where });
  if (!fits(key, algorithm)) throw misfit(alg, algorithm, where);
  try {
    // RFC 7518 section 3.5: the salt is as long as the hash. Section 3.4: R and S side by side, not DER.
    const padding = algorithm.pss && { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
    return sign(algorithm.hash, Buffer.from(signingInput), { key, dsaEncoding: 'ieee-p1363', ...padding }).toString('base64url');
  } catch {
    // An RSA key too short for the hash, or an RSA-PSS key that allows another hash only.
    throw misfit(alg, algorithm, where);
  }
}

/** When a JWT ends by its own `exp`, in ms since the epoch. Nothing is verified; undefined when the text is no JWT or says nothing. */
export const jwtExpiry = (token: string): number | undefined => jwtTime(token, 'exp');

/** The same of one of its times (RFC 7519, 4.1). */
export function jwtTime(token: string, claim: 'exp' | 'iat'): number | undefined {
  const payload = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(token)?.[1];
  if (payload === undefined) return undefined;
  try {
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as JsonObject | null;
    const named = claims?.[claim];
    const expiry = typeof named === 'number' ? named * 1000 : undefined;
    return Number.isFinite(expiry) ? expiry : undefined;
  } catch {
    return undefined;
  }
}

const base64url = (part: JsonObject): string => Buffer.from(JSON.stringify(part)).toString('base64url');

const fits = (key: KeyObject, { types, curve }: Algorithm): boolean =>
  types.includes(key.asymmetricKeyType ?? '') && (curve === undefined || key.asymmetricKeyDetails?.namedCurve === curve);

function misfit(alg: string, { needs }: Algorithm, where: string): FerruleError {
  return new FerruleError('input_malformed', `${alg} needs ${needs}, and this key is another kind or too short.`, {
    where,
    next: 'Give a key of that kind, or choose the algorithm that belongs to the key.',
  });
}

/** A key pair's PEM or JWK in the place of a secret is a mistake that would only show as a refused token. */
function sharedSecret(key: string | Uint8Array, alg: string, where: string): Uint8Array {
  const jwk = typeof key === 'string' ? readJwk(key) : undefined;
  const isPair = jwk ? jwk.kty !== 'oct' : typeof key === 'string' && key.includes('-----BEGIN ');
  if (isPair) throw new FerruleError('input_malformed', `${alg} needs a shared secret, and this is one half of a key pair.`, { where });
  const secret = jwk ? Buffer.from(typeof jwk.k === 'string' ? jwk.k : '', 'base64url') : Buffer.from(key as string);
  if (secret.length === 0) throw new FerruleError('input_malformed', `${alg} needs a shared secret, and this one is empty.`, { where });
  return secret;
}
