import { constants, createHash, createHmac, createPublicKey, type KeyObject, timingSafeEqual, verify } from 'node:crypto';
import { parseDuration } from '../../core/duration.ts';
import type { Verdict } from '../authenticate.ts';
import type { Incoming } from '../request.ts';
import type { Scheme, SchemeContext } from '../scheme.ts';

/** A member of Signature-Input: the texts as sent, for they are what was signed. */
interface Input {
  raw: string;
  components: { raw: string; name: string; parameters: ReadonlyMap<string, string> }[];
  parameters: ReadonlyMap<string, string>;
}

/** How old a signature without a lifetime may be, and how far ahead another clock. Seconds. */
const OLDEST = 300;
const AHEAD = 60;

/**
 * HTTP Message Signatures, the verifier's side (RFC 9421, 3.2), with Content-Digest (RFC 9530). Values: as the signer's; the key may
 * also be the public one. All of `components` must be covered. A nonce serves once.
 */
export const httpSignature: Scheme = {
  type: 'http_signature',

  verify(request, context) {
    const { headers } = request;
    if (headers['signature-input'] === undefined && headers.signature === undefined) return 'missing';
    const label = context.values.label ?? 'sig1';
    const input = readInput(member(headers['signature-input'] ?? '', label));
    const signature = /^:([A-Za-z0-9+/]*={0,2}):$/.exec(member(headers.signature ?? '', label) ?? '')?.[1];
    if (input === undefined || signature === undefined || !asWanted(input, context) || !digestHolds(input, request)) return 'wrong';
    // Behind a proxy, as here, the scheme that the client used is not seen.
    const valid = ['https', 'http'].some((scheme) => {
      const base = baseOf(input, request, scheme);
      return base !== undefined && holds(base, Buffer.from(signature, 'base64'), context);
    });
    if (!valid) return 'wrong';
    const timely = timeVerdict(input, context);
    return timely === 'good' && !firstUse(input, context) ? 'wrong' : timely;
  },
};

function asWanted({ components, parameters }: Input, { values }: SchemeContext): boolean {
  const covered = components.map(({ raw }) => raw);
  const wanted = (values.components ?? '').split(' ').filter(Boolean).map(spelled);
  const text = (name: string) => stringOf(parameters.get(name));
  return (
    new Set(covered).size === covered.length &&
    wanted.every((one) => covered.includes(one)) &&
    (values.key_id === undefined || text('keyid') === values.key_id) &&
    (values.tag === undefined || text('tag') === values.tag) &&
    (values.nonce !== 'true' || (text('nonce') ?? '') !== '') &&
    (!parameters.has('alg') || text('alg') === values.alg) &&
    (values.lifetime === undefined || parameters.has('expires'))
  );
}

/** `Content-Type` → `"content-type"`; what follows a semicolon keeps its case. */
function spelled(component: string): string {
  const [name = '', ...parameters] = component.split(';');
  return [`"${name.toLowerCase()}"`, ...parameters].join(';');
}

function timeVerdict({ parameters }: Input, { values, now }: SchemeContext): Verdict {
  const second = Math.floor(now / 1000);
  const [created, expires] = ['created', 'expires'].map((name) => wholeNumber(parameters.get(name)));
  if (created === undefined || created > second + AHEAD || (parameters.has('expires') && expires === undefined)) return 'wrong';
  if (expires !== undefined && second > expires) return 'expired';
  return second - created > longest(values.lifetime) ? 'expired' : 'good';
}

function longest(lifetime: string | undefined): number {
  if (lifetime === undefined) return OLDEST;
  return /^\d+$/.test(lifetime) ? Number(lifetime) : (parseDuration(lifetime) ?? 0) / 1000;
}

function firstUse({ parameters }: Input, { memory }: SchemeContext): boolean {
  const nonce = stringOf(parameters.get('nonce'));
  if (nonce === undefined) return true;
  const used = (memory.get('http_signature nonces') ?? new Set<string>()) as Set<string>;
  memory.set('http_signature nonces', used);
  return used.size < used.add(nonce).size;
}

/** RFC 9530, 2: each digest that we know must be the body's, and one must be known. */
function digestHolds({ components }: Input, { headers, bytes }: Incoming): boolean {
  if (!components.some(({ name }) => name === 'content-digest')) return true;
  const known = (headers['content-digest'] ?? '').split(',').flatMap((part) => {
    const [, hash = '', value = ''] = /^\s*(sha-256|sha-512)=:([^:]*):\s*$/.exec(part) ?? [];
    return hash === '' ? [] : [createHash(hash.replace('-', '')).update(bytes).digest('base64') === value];
  });
  return known.length > 0 && known.every(Boolean);
}

/** RFC 9421, 2.5; undefined when a component is not there. */
function baseOf(input: Input, request: Incoming, scheme: string): string | undefined {
  let base = '';
  for (const { raw, name, parameters } of input.components) {
    const value = name.startsWith('@') ? derived(name, parameters, request, scheme) : plainField(name, parameters, request);
    if (value === undefined) return undefined;
    base += `${raw}: ${value}\n`;
  }
  return `${base}"@signature-params": ${input.raw}`;
}

const plainField = (name: string, parameters: ReadonlyMap<string, string>, { headers }: Incoming): string | undefined =>
  parameters.size === 0 ? headers[name]?.trim() : undefined;

function derived(name: string, parameters: ReadonlyMap<string, string>, request: Incoming, scheme: string): string | undefined {
  const query = request.search === '' ? '' : `?${request.search}`;
  const authority = request.host.replace(scheme === 'https' ? /:443$/ : /:80$/, '');
  if (name === '@query-param') return parameters.size === 1 ? queryParameter(request, stringOf(parameters.get('name'))) : undefined;
  if (parameters.size > 0) return undefined;
  switch (name) {
    case '@method':
      return request.method;
    case '@target-uri':
      return `${scheme}://${authority}${request.path}${query}`;
    case '@authority':
      return authority;
    case '@scheme':
      return scheme;
    case '@request-target':
      return request.path + query;
    case '@path':
      return request.path;
    case '@query':
      return query === '' ? '?' : query;
    default:
      return undefined;
  }
}

/** RFC 9421, 2.2.8: undefined unless the name stands there exactly once. */
function queryParameter({ query }: Incoming, wanted: string | undefined): string | undefined {
  const [first, second] = query.filter(([name]) => reencoded(name) === wanted);
  return first === undefined || second !== undefined ? undefined : reencoded(first[1]);
}

/** By the URL standard's form set: letters, digits and * - . _ stay. */
function reencoded(text: string): string {
  return [...Buffer.from(text, 'utf8')]
    .map((byte) =>
      /[A-Za-z0-9*._-]/.test(String.fromCharCode(byte))
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('');
}

/** RFC 9421, 3.3 */
const ASYMMETRIC: Readonly<Record<string, (data: Buffer, key: KeyObject, signature: Buffer) => boolean>> = {
  ed25519: (data, key, signature) => verify(null, data, key, signature),
  'rsa-pss-sha512': (data, key, signature) =>
    verify('sha512', data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 64 }, signature),
  'rsa-v1_5-sha256': (data, key, signature) => verify('sha256', data, { key, padding: constants.RSA_PKCS1_PADDING }, signature),
  'ecdsa-p256-sha256': (data, key, signature) => verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, signature),
};

function holds(base: string, signature: Buffer, { values }: SchemeContext): boolean {
  const data = Buffer.from(base, 'latin1');
  const key = values.key ?? values.private_key ?? '';
  if (values.alg === 'hmac-sha256') {
    const wanted = createHmac('sha256', Buffer.from(key, 'base64')).update(data).digest();
    return wanted.length === signature.length && timingSafeEqual(wanted, signature);
  }
  return ASYMMETRIC[values.alg ?? '']?.(data, publicKey(key, values.passphrase), signature) ?? false;
}

/** A private key, PEM or JWK, gives its public one. */
function publicKey(key: string, passphrase: string | undefined): KeyObject {
  const input = key.startsWith('{') ? { key: JSON.parse(key), format: 'jwk' } : { key, passphrase };
  return createPublicKey(input as Parameters<typeof createPublicKey>[0]);
}

/** One member's text out of a dictionary (RFC 8941, 3.2); a comma within a string ends nothing. The last of a name counts. */
function member(dictionary: string, label: string): string | undefined {
  const members = dictionary.match(/(?:"(?:[^"\\]|\\.)*"|[^",])+/g) ?? [];
  const own = members.map((text) => text.trim()).filter((text) => text.startsWith(`${label}=`));
  return own.at(-1)?.slice(label.length + 1);
}

/** `("@method" "@query-param";name="q");created=1;keyid="k"` (RFC 8941, 3.1.1) */
function readInput(raw: string | undefined): Input | undefined {
  const item = '"[^"\\\\]*"(?:;[a-z*][a-z0-9_.*-]*(?:="[^"\\\\]*")?)*';
  const [, list, rest] = new RegExp(`^\\(((?:${item}(?: ${item})*)?)\\)((?:;.*)?)$`).exec(raw ?? '') ?? [];
  if (raw === undefined || list === undefined || rest === undefined) return undefined;
  const parameters = readParameters(rest);
  if (parameters === undefined) return undefined;
  const components = (list.match(new RegExp(item, 'g')) ?? []).map((text) => {
    const end = text.indexOf('"', 1) + 1;
    return { raw: text, name: text.slice(1, end - 1), parameters: readParameters(text.slice(end)) ?? new Map<string, string>() };
  });
  return { raw, components, parameters };
}

/** `;created=1;keyid="k;1"` → texts by name, strings still in their quotes; undefined when it is malformed. */
function readParameters(text: string): ReadonlyMap<string, string> | undefined {
  const one = /;([a-z*][a-z0-9_.*-]*)(?:=("(?:[^"\\]|\\["\\])*"|-?\d{1,15}|[A-Za-z*][\w.*:/-]*))?/y;
  const found = new Map<string, string>();
  while (one.lastIndex < text.length) {
    const match = one.exec(text);
    if (match === null) return undefined;
    found.set(match[1]!, match[2] ?? '?1');
  }
  return found;
}

const stringOf = (text: string | undefined): string | undefined =>
  text?.startsWith('"') ? text.slice(1, -1).replace(/\\(["\\])/g, '$1') : undefined;

const wholeNumber = (text: string | undefined): number | undefined => (/^\d{1,15}$/.test(text ?? '') ? Number(text) : undefined);
