import { createHmac, createSign } from 'node:crypto';
import { percent } from '../../core/encode.ts';
import { FerruleError } from '../../core/errors.ts';
import { privateKey } from '../private-key.ts';
import type { Signer, SignerContext, Unsigned } from '../signer.ts';

/** Name and value, decoded. */
type Pair = readonly [name: string, value: string];

/** What signs: the secrets of RFC 5849, 3.4.2 and 3.4.4, or the key of 3.4.3. */
export interface SigningKeys {
  consumer_secret?: string | undefined;
  token_secret?: string | undefined;
  /** PEM or JWK, for RSA. */
  private_key?: string | undefined;
}

/** RFC 5849, 3.4.2 to 3.4.4; the SHA-256 forms are the same with another hash. */
const METHODS: Readonly<Record<string, (base: string, keys: SigningKeys) => string>> = {
  'HMAC-SHA1': (base, keys) => createHmac('sha1', secrets(keys)).update(base).digest('base64'),
  'HMAC-SHA256': (base, keys) => createHmac('sha256', secrets(keys)).update(base).digest('base64'),
  'RSA-SHA1': (base, keys) => rsa('RSA-SHA1', base, keys),
  'RSA-SHA256': (base, keys) => rsa('RSA-SHA256', base, keys),
  PLAINTEXT: (_base, keys) => secrets(keys),
};

/**
 * OAuth 1.0a (RFC 5849). Values: `consumer_key`, `consumer_secret`, `token` and `token_secret` (none before there is a token),
 * `signature_method` (default HMAC-SHA1), `private_key` (PEM or JWK, for RSA-*), `realm`, `placement` (header or query), and for the
 * steps to a token `callback` (2.1) and `verifier` (2.3).
 */
export const oauth1: Signer = {
  type: 'oauth1',
  sign(request, context) {
    const { values } = context;
    const sent = protocolParameters(context);
    const signed: Pair[] = [...sent, ['oauth_signature', oauth1Signature(request, sent, values)]];
    if (values.placement === 'query') return { href: withQuery(request.href, signed) };
    const realm = values.realm === undefined ? [] : [`realm=${quoted(values.realm)}`];
    const parts = [...realm, ...signed.map(([name, value]) => `${name}="${percent(value)}"`)];
    return { headers: { authorization: `OAuth ${parts.join(', ')}` } };
  },

  about(request, { headers, href }, { values }) {
    const algorithm = values.signature_method ?? 'HMAC-SHA1';
    if (algorithm === 'PLAINTEXT') return { algorithm, covers: [] };
    const said = headers?.authorization ?? new URL(href ?? request.href).search.slice(1);
    const sent = [...said.matchAll(/\b(oauth_\w+)="?([^"&]*)/g)].map(
      ([, name = '', value = '']): Pair => [name, decodeURIComponent(value)],
    );
    const form = /^application\/x-www-form-urlencoded *(;|$)/i.test(request.headers['content-type'] ?? '');
    const base = signatureBase(
      request,
      sent.filter(([name]) => name !== 'oauth_signature'),
    );
    return {
      algorithm,
      covers: ['method', 'URL', 'query', ...(form ? ['form body'] : []), ...sent.map(([name]) => name).slice(0, -1)],
      base,
    };
  },
};

/** RFC 5849, 3.1, but for the signature. An empty `token` is no token. */
function protocolParameters({ values, now, random }: SignerContext): Pair[] {
  const method = values.signature_method ?? 'HMAC-SHA1';
  if (!Object.hasOwn(METHODS, method)) {
    throw new FerruleError('input_malformed', 'signature_method is none that Ferrule knows', {
      where: 'signature_method',
      next: `Use one of ${Object.keys(METHODS).join(', ')}.`,
    });
  }
  const pairs: (readonly [string, string | undefined])[] = [
    ['oauth_consumer_key', present('consumer_key', values.consumer_key)],
    ['oauth_token', values.token || undefined],
    ['oauth_signature_method', method],
    ['oauth_timestamp', String(Math.floor(now / 1000))],
    ['oauth_nonce', Buffer.from(random.bytes(16)).toString('hex')],
    ['oauth_version', '1.0'],
    ['oauth_callback', values.callback],
    ['oauth_verifier', values.verifier],
  ];
  return pairs.filter((pair): pair is Pair => pair[1] !== undefined);
}

/** `oauth_signature` of RFC 5849, 3.4, not percent-encoded. `parameters`: the others of the protocol, among them oauth_signature_method. */
export function oauth1Signature(request: Unsigned, parameters: readonly Pair[], keys: SigningKeys): string {
  const method = parameters.find(([name]) => name === 'oauth_signature_method')?.[1] ?? '';
  return METHODS[method]!(signatureBase(request, parameters), keys);
}

/** RFC 5849, 3.4.1.1. The query is that of the href; the body's parameters count only where it is a form (3.4.1.3.1). */
export function signatureBase({ method, href, headers, body }: Unsigned, parameters: readonly Pair[]): string {
  const url = new URL(href);
  const form = /^application\/x-www-form-urlencoded *(;|$)/i.test(headers['content-type'] ?? '');
  const all = [
    ...formPairs(url.search.slice(1)),
    ...(form ? formPairs(Buffer.from(body).toString('latin1')) : []),
    ...parameters.map(([name, value]): Pair => [percent(name), percent(value)]),
  ];
  // By name, then by value (3.4.1.3.2): joined text would order otherwise, for "=" sorts after "-" and "%".
  all.sort((a, b) => order(a[0], b[0]) || order(a[1], b[1]));
  const joined = all.map((pair) => pair.join('=')).join('&');
  // URL has already lowered the host and dropped a default port (3.4.1.2).
  return [method, `${url.origin}${url.pathname}`, joined].map(percent).join('&');
}

const order = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** Pairs of application/x-www-form-urlencoded text, each half encoded anew (RFC 5849, 3.6). */
function formPairs(text: string): Pair[] {
  return text.split('&').flatMap((piece) => {
    if (piece === '') return [];
    const [name = '', ...value] = piece.split('=');
    return [[recoded(name), recoded(value.join('='))] as const];
  });
}

/** Byte by byte, so that what is no UTF-8 stays what it is. */
function recoded(text: string): string {
  const decoded = text.replaceAll('+', ' ').replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return decoded.replace(/[^\w.~-]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

function secrets({ consumer_secret, token_secret = '' }: SigningKeys): string {
  return `${percent(present('consumer_secret', consumer_secret))}&${percent(token_secret)}`;
}

/** RSASSA-PKCS1-v1_5; another kind of key would sign too, but with a signature of another kind. */
function rsa(algorithm: string, base: string, { private_key }: SigningKeys): string {
  const where = 'fields.private_key';
  const key = privateKey(present('private_key', private_key), { where });
  if (key.asymmetricKeyType !== 'rsa') {
    throw new FerruleError('input_malformed', 'The private key is no RSA key', {
      where,
      next: 'Give the RSA key, or choose another signature_method.',
    });
  }
  return createSign(algorithm).update(base).sign(key, 'base64');
}

function present(name: string, value: string | undefined): string {
  if (value === undefined) throw new FerruleError('input_missing', `${name} is missing`, { where: `fields.${name}` });
  return value;
}

/** RFC 5849, 3.5.3: after the request's own. */
function withQuery(href: string, pairs: readonly Pair[]): string {
  const { origin, pathname, search } = new URL(href);
  const added = pairs.map((pair) => pair.map(percent).join('=')).join('&');
  return `${origin}${pathname}${search === '' ? '?' : `${search}&`}${added}`;
}

/** RFC 9110, 5.6.4. The realm alone is not percent-encoded (RFC 5849, 3.5.1). */
function quoted(realm: string): string {
  if (!/^[\x20-\x7e]*$/.test(realm)) {
    throw new FerruleError('input_malformed', 'realm has a character that no header can hold', {
      where: 'realm',
      next: 'Give the realm in plain ASCII, on one line.',
    });
  }
  return `"${realm.replace(/["\\]/g, '\\$&')}"`;
}
