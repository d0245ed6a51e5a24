import { createHmac, createPublicKey, createVerify } from 'node:crypto';
import { same, type Verdict } from '../authenticate.ts';
import { type Incoming, mediaType, pairs } from '../request.ts';
import type { Scheme, SchemeContext } from '../scheme.ts';

/** Milliseconds that a timestamp may be off, either way. */
const DRIFT = 300_000;

interface Sent {
  /** Without realm and oauth_signature. */
  protocol: [string, string][];
  one: ReadonlyMap<string, string>;
  /** The query but for the credential in it. */
  query: [string, string][];
}

/** OAuth 1.0a as a provider checks it (RFC 5849, 3.2): signature, then time, then that timestamp, nonce and token are new together. */
export const oauth1: Scheme = {
  type: 'oauth1',

  verify(request, context) {
    const sent = credential(request);
    if (sent === undefined) return 'missing';
    if (!fits(sent.one, context) || !signed(sent, request, context)) return 'wrong';
    const [time, nonce, token] = ['oauth_timestamp', 'oauth_nonce', 'oauth_token'].map((name) => sent.one.get(name) ?? '');
    if (Math.abs(Number(time) * 1000 - context.now) > DRIFT) return 'expired';
    return firstUse(`${time} ${nonce} ${token}`, context);
  },

  challenge: (_verdict, _request, { values }) => `OAuth realm="${(values.realm ?? 'sandbox').replaceAll(/["\\]/g, '\\$&')}"`,
};

/** RFC 5849, 3.5: the header, or else the query. (The third place, a form body, is none that the client has.) */
function credential({ headers, query }: Incoming): Sent | undefined {
  if (headers.authorization !== undefined) {
    const list = /^OAuth\s+(.*)$/is.exec(headers.authorization)?.[1];
    return sorted(list === undefined ? [] : headerPairs(list), query);
  }
  const own = ([name]: [string, string]): boolean => name.startsWith('oauth_');
  return query.some(own)
    ? sorted(
        query.filter(own),
        query.filter((pair) => !own(pair)),
      )
    : undefined;
}

/** RFC 5849, 3.2: none may stand twice; the empty map fits nothing. */
function sorted(all: [string, string][], query: [string, string][]): Sent {
  const one = new Map(all);
  const protocol = all.filter(([name]) => name !== 'realm' && name !== 'oauth_signature');
  return { protocol, one: one.size === all.length ? one : new Map(), query };
}

/** RFC 5849, 3.5.1: `name="value"`, both percent-encoded; the realm is a plain quoted string. */
function headerPairs(list: string): [string, string][] {
  return [...list.matchAll(/([^\s,="]+)="((?:[^"\\]|\\.)*)"/g)].map(([, name = '', value = '']) => [
    name.toLowerCase() === 'realm' ? 'realm' : decode(name),
    name.toLowerCase() === 'realm' ? value.replaceAll(/\\(.)/g, '$1') : decode(value),
  ]);
}

/** A broken escape stays as it is, and so fits nothing. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function fits(one: ReadonlyMap<string, string>, { values }: SchemeContext): boolean {
  const given = (name: string): string => one.get(`oauth_${name}`) ?? '';
  const expected = ['consumer_key', 'token', 'callback', 'verifier'] as const;
  return (
    expected.every((name) => same(given(name), values[name] ?? '')) &&
    given('signature_method') === (values.signature_method ?? 'HMAC-SHA1') &&
    (one.get('oauth_version') ?? '1.0') === '1.0' &&
    (values.placement === 'query' || one.get('realm') === values.realm) &&
    /^[1-9]\d{0,11}$/.test(given('timestamp')) &&
    given('nonce') !== ''
  );
}

/** The sandbox stands behind plain HTTP whatever the provider's scheme is, so either one may have been signed. */
function signed(sent: Sent, request: Incoming, { values }: SchemeContext): boolean {
  const signature = sent.one.get('oauth_signature') ?? '';
  const method = sent.one.get('oauth_signature_method');
  const key = [values.consumer_secret, values.token_secret].map((secret) => strict(secret ?? '')).join('&');
  if (method === 'PLAINTEXT') return same(signature, key);
  const hash = method?.endsWith('SHA256') ? 'sha256' : 'sha1';
  return ['https', 'http'].some((scheme) => {
    const base = baseText(scheme, request, sent);
    if (method?.startsWith('HMAC')) return same(signature, createHmac(hash, key).update(base).digest('base64'));
    return createVerify(hash)
      .update(base)
      .verify(createPublicKey(values.private_key ?? ''), signature, 'base64');
  });
}

/** RFC 5849, 3.4.1 */
function baseText(scheme: string, request: Incoming, { protocol, query }: Sent): string {
  const port = scheme === 'https' ? ':443' : ':80';
  const host = request.host.endsWith(port) ? request.host.slice(0, -port.length) : request.host;
  const form = mediaType(request.headers['content-type']) === 'application/x-www-form-urlencoded' ? pairs(request.body) : [];
  const encoded = [...query, ...form, ...protocol].map(([name, value]) => ({ name: strict(name), value: strict(value) }));
  encoded.sort(
    (a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)) || Buffer.compare(Buffer.from(a.value), Buffer.from(b.value)),
  );
  const text = encoded.map(({ name, value }) => `${name}=${value}`).join('&');
  return `${request.method.toUpperCase()}&${strict(`${scheme}://${host}${request.path}`)}&${strict(text)}`;
}

/** RFC 5849, 3.6: all but letters, digits, "-", ".", "_" and "~", as bytes of UTF-8. */
function strict(text: string): string {
  let encoded = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const char = String.fromCharCode(byte);
    encoded += /[A-Za-z0-9._~-]/.test(char) ? char : `%${byte < 16 ? '0' : ''}${byte.toString(16).toUpperCase()}`;
  }
  return encoded;
}

/** Kept, oldest first, for as long as the timestamp would pass: one may be ahead of us by the whole drift. */
function firstUse(use: string, { memory, now }: SchemeContext): Verdict {
  const known = memory.get('oauth1') as Map<string, number> | undefined;
  const uses = known ?? new Map<string, number>();
  if (known === undefined) memory.set('oauth1', uses);
  for (const [old, at] of uses) {
    if (now - at <= 2 * DRIFT) break;
    uses.delete(old);
  }
  if (uses.has(use)) return 'wrong';
  uses.set(use, now);
  return 'good';
}
