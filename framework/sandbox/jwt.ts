import { constants, createHmac, type KeyObject, verify } from 'node:crypto';
import { same, type Verdict } from './authenticate.ts';
import { type Data, type DataMap, isDataMap } from './data.ts';
import { publicHalf } from './keys.ts';

export interface Jwt {
  header: DataMap;
  claims: DataMap;
  /** What was signed. */
  input: string;
  signature: Buffer;
}

/** RFC 7515, 7.1. Undefined: it is none. */
export function readJwt(text: string): Jwt | undefined {
  const match = /^(([\w-]+)\.([\w-]+))\.([\w-]*)$/.exec(text);
  if (match === null) return undefined;
  const [, input, header, claims, signature] = match as unknown as [string, string, string, string, string];
  try {
    const [first, second] = [header, claims].map((part) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Data);
    if (!isDataMap(first) || !isDataMap(second)) return undefined;
    return { header: first, claims: second, input, signature: Buffer.from(signature, 'base64url') };
  } catch {
    return undefined;
  }
}

/** Seconds that a client's clock may be ahead. */
const AHEAD = 60;

/**
 * How a JWT stands that must be signed with this algorithm and key and make these claims (RFC 7519, 7.2; RFC 7523, 3). A claim that is
 * wanted and a list must hold the wanted value.
 */
export function jwtVerdict(text: string, wanted: { alg: string; key: string; claims: Record<string, Data> }, now: number): Verdict {
  const jwt = readJwt(text);
  if (jwt === undefined || jwt.header.alg !== wanted.alg || !signed(jwt, wanted.alg, wanted.key)) return 'wrong';
  const fits = ([name, value]: [string, Data]): boolean =>
    [jwt.claims[name] ?? null].flat().some((one) => JSON.stringify(one) === JSON.stringify(value)) ||
    JSON.stringify(jwt.claims[name]) === JSON.stringify(value);
  if (!Object.entries(wanted.claims).every(fits)) return 'wrong';
  const { exp, iat, nbf } = jwt.claims;
  const seconds = now / 1000;
  if ([iat, nbf].some((time) => time !== undefined && !(Number(time) <= seconds + AHEAD))) return 'wrong';
  return exp !== undefined && !(Number(exp) > seconds) ? 'expired' : 'good';
}

/** RFC 7518, 3.1; RFC 8037, 3.1. The key is the client's own; of a pair only the public half is used. */
function signed({ input, signature }: Jwt, alg: string, key: string): boolean {
  const hash = `sha${alg.slice(2)}`;
  if (alg.startsWith('HS')) {
    return same(signature.toString('base64url'), createHmac(hash, secretOf(key)).update(input).digest('base64url'));
  }
  const publicKey = publicHalf(key);
  if (publicKey === undefined) return false;
  return verify(alg === 'EdDSA' ? null : hash, Buffer.from(input), options(publicKey, alg), signature);
}

const options = (key: KeyObject, alg: string): Parameters<typeof verify>[2] => ({
  key,
  dsaEncoding: 'ieee-p1363',
  ...(alg.startsWith('PS') && { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }),
});

/** Text, or bytes as a JWK (RFC 7518, 6.4). */
function secretOf(key: string): Buffer {
  const jwk = key.startsWith('{') ? (JSON.parse(key) as { k?: unknown }) : undefined;
  return jwk === undefined ? Buffer.from(key, 'utf8') : Buffer.from(String(jwk.k), 'base64url');
}
