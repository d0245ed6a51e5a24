import { constants, createHash, createHmac, type KeyObject, sign as signWith } from 'node:crypto';
import { parseDuration } from '../../core/duration.ts';
import { FerruleError } from '../../core/errors.ts';
import { privateKey } from '../private-key.ts';
import { needed, once, type Signer, type SignerContext, type Unsigned } from '../signer.ts';

/** A covered component: `@method`, `date`, or `@query-param` with its `name` parameter (percent-encoded). */
export interface Component {
  name: string;
  parameter?: string;
}

/** RFC 9421, 2.3, in the order in which they are written. Times in seconds since the epoch. */
export interface SignatureParameters {
  created: number;
  expires?: number | undefined;
  keyid?: string | undefined;
  nonce?: string | undefined;
  tag?: string | undefined;
}

/** What the key must be, and how it signs (RFC 9421, 3.3). */
const ALGORITHMS: Readonly<Record<string, { key: string; fits(key: KeyObject): boolean; sign(base: Buffer, key: KeyObject): Buffer }>> = {
  ed25519: {
    key: 'an Ed25519 key',
    fits: (key) => key.asymmetricKeyType === 'ed25519',
    sign: (base, key) => signWith(null, base, key),
  },
  'rsa-pss-sha512': {
    key: 'an RSA key',
    fits: (key) => key.asymmetricKeyType === 'rsa' || key.asymmetricKeyType === 'rsa-pss',
    sign: (base, key) => signWith('sha512', base, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 64 }),
  },
  'rsa-v1_5-sha256': {
    key: 'an RSA key',
    fits: (key) => key.asymmetricKeyType === 'rsa',
    sign: (base, key) => signWith('sha256', base, { key, padding: constants.RSA_PKCS1_PADDING }),
  },
  'ecdsa-p256-sha256': {
    key: 'an EC key on the curve P-256',
    fits: (key) => key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1',
    sign: (base, key) => signWith('sha256', base, { key, dsaEncoding: 'ieee-p1363' }),
  },
};

/**
 * HTTP Message Signatures (RFC 9421) with Content-Digest (RFC 9530). Values: `alg`; `key` or `private_key` (PEM or JWK; base64 for
 * hmac-sha256) and `passphrase`?; `components` (space-separated: `@method @query-param;name="q" content-digest`); `key_id`?, `label`?
 * (default sig1), `lifetime`? (seconds, or a duration such as 5m), `tag`?, `nonce`? (true).
 * A listed content-digest is added (sha-256) where the request has none; `alg` is not sent, for the key decides it.
 */
export const httpSignature: Signer = {
  type: 'http_signature',

  sign(request, context) {
    const { values, now, random } = context;
    const components = readComponents(needed(context, 'components', 'components'));
    const label = values.label ?? 'sig1';
    if (!/^[a-z*][a-z0-9_.*-]*$/.test(label))
      throw malformed('label is no key of RFC 8941', 'label', 'Write lower-case letters and digits.');
    const created = Math.floor(now / 1000);
    const lifetime = values.lifetime === undefined ? undefined : seconds(values.lifetime);
    const input = signatureInput(components, {
      created,
      expires: lifetime === undefined ? undefined : created + lifetime,
      keyid: values.key_id,
      nonce: values.nonce === 'true' ? Buffer.from(random.bytes(16)).toString('base64url') : undefined,
      tag: values.tag,
    });
    const digest = components.some(({ name }) => name === 'content-digest') && request.headers['content-digest'] === undefined;
    const added: Record<string, string> = digest ? { 'content-digest': contentDigest(request.body) } : {};
    const base = signatureBase({ ...request, headers: { ...request.headers, ...added } }, components, input);
    const signature = signed(Buffer.from(base, 'latin1'), context).toString('base64');
    return { headers: { ...added, 'signature-input': `${label}=${input}`, signature: `${label}=:${signature}:` } };
  },

  about(request, { headers = {} }, context) {
    const { 'signature-input': input = '', signature: _signature, ...added } = headers;
    const components = readComponents(needed(context, 'components', 'components'));
    const base = signatureBase({ ...request, headers: { ...request.headers, ...added } }, components, input.slice(input.indexOf('=') + 1));
    return { algorithm: needed(context, 'alg', 'alg'), covers: components.map(identifier), base };
  },
};

/** RFC 9530, 2 */
export const contentDigest = (body: Uint8Array): string => `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;

/** The value of @signature-params, and of the member in Signature-Input (RFC 9421, 2.3). */
export function signatureInput(components: readonly Component[], parameters: SignatureParameters): string {
  const { created, expires, keyid, nonce, tag } = parameters;
  return [
    `(${components.map(identifier).join(' ')})`,
    `created=${created}`,
    ...(expires === undefined ? [] : [`expires=${expires}`]),
    ...(keyid === undefined ? [] : [`keyid=${quoted(keyid, 'fields.key_id')}`]),
    ...(nonce === undefined ? [] : [`nonce=${quoted(nonce, 'nonce')}`]),
    ...(tag === undefined ? [] : [`tag=${quoted(tag, 'tag')}`]),
  ].join(';');
}

/**
 * RFC 9421, 2.5. One character per byte, as header values are.
 * @throws FerruleError input_malformed when the request does not have a component
 */
export function signatureBase(request: Unsigned, components: readonly Component[], input: string): string {
  const lines = components.map((component) => `${identifier(component)}: ${componentValue(component, request)}`);
  return [...lines, `"@signature-params": ${input}`].join('\n');
}

/** `@method @query-param;name="Pet" Content-Type` → a list, in order. */
export function readComponents(text: string): Component[] {
  const components = text
    .split(/\s+/)
    .filter(Boolean)
    .map((item): Component => {
      const [, name = '', parameter] = /^(@?[A-Za-z0-9!#$%&'*+.^_`|~-]+)(?:;name="([^"\\\s]+)")?$/.exec(item) ?? [];
      if (name === '' || (name === '@query-param') !== (parameter !== undefined)) {
        throw malformed(
          `${item} is no component`,
          'components',
          'Write a header, or a derived component such as @method or @query-param;name="q".',
        );
      }
      return { name: name.toLowerCase(), ...(parameter !== undefined && { parameter }) };
    });
  const names = components.map(identifier);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  // RFC 9421, 2.5: an error, for a verifier refuses it.
  if (twice !== undefined) throw malformed(`${twice} is listed twice`, 'components', 'List each component once.');
  return components;
}

const identifier = ({ name, parameter }: Component): string => (parameter === undefined ? `"${name}"` : `"${name}";name="${parameter}"`);

/** RFC 9421, 2.2 */
const DERIVED: Readonly<Record<string, (request: Unsigned, url: URL, parameter: string) => string>> = {
  '@method': ({ method }) => method,
  '@target-uri': (_, url) => url.href,
  '@authority': (_, url) => url.host,
  '@scheme': (_, url) => url.protocol.slice(0, -1),
  '@request-target': (_, url) => url.pathname + url.search,
  '@path': (_, url) => url.pathname,
  '@query': (_, url) => url.search || '?',
  '@query-param': (_, url, parameter) => queryParameter(url, parameter),
};

function componentValue({ name, parameter = '' }: Component, request: Unsigned): string {
  const url = new URL(request.href);
  url.hash = '';
  if (name.startsWith('@')) {
    const derive = Object.hasOwn(DERIVED, name) ? DERIVED[name] : undefined;
    if (derive === undefined)
      throw malformed(`${name} is no component of a request`, 'components', `Write one of ${Object.keys(DERIVED).join(', ')}.`);
    return derive(request, url, parameter);
  }
  const value = request.headers[name] ?? ofTransport(name, request, url);
  if (value === undefined)
    throw malformed(`components lists ${name}, which the request does not have`, 'components', 'Send that header, or leave it out.');
  return value.trim().replace(/[ \t]*\r?\n[ \t]+/g, ' ');
}

/** Headers that the transport adds by itself, always the same way. */
function ofTransport(name: string, { body }: Unsigned, url: URL): string | undefined {
  if (name === 'host') return url.host;
  return name === 'content-length' && body.length > 0 ? String(body.length) : undefined;
}

/** RFC 9421, 2.2.8: read as a form is, then encoded anew, so that `+` and `%20` are one. */
function queryParameter(url: URL, wanted: string): string {
  const found = [...url.searchParams].filter(([name]) => formEncoded(name) === wanted);
  if (found.length === 1) return formEncoded(found[0]![1]);
  throw malformed(
    found.length === 0 ? `The query has no ${wanted}` : `The query has ${wanted} more than once`,
    'components',
    'Cover the whole query with @query.',
  );
}

/** The application/x-www-form-urlencoded percent-encode set of the URL standard, but a space becomes %20. */
const formEncoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

/** RFC 8941, 3.3.3: printable ASCII alone. */
function quoted(text: string, where: string): string {
  if (!/^[\x20-\x7e]*$/.test(text)) throw malformed(`${where} has characters beyond ASCII`, where, 'Give it in printable ASCII.');
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

function signed(base: Buffer, context: SignerContext): Buffer {
  const { values } = context;
  const alg = needed(context, 'alg', 'alg');
  const name = values.key === undefined ? 'private_key' : 'key';
  const text = needed(context, name, `fields.${name}`);
  const where = `fields.${name}`;
  if (alg === 'hmac-sha256') return createHmac('sha256', sharedKey(text, where)).update(base).digest();
  const algorithm = Object.hasOwn(ALGORITHMS, alg) ? ALGORITHMS[alg] : undefined;
  if (algorithm === undefined)
    throw malformed('alg is not known', 'alg', `Write one of hmac-sha256, ${Object.keys(ALGORITHMS).join(', ')}.`);
  const key = once(context, `${text}\n${values.passphrase}`, () => privateKey(text, { passphrase: values.passphrase, where }));
  if (!algorithm.fits(key)) throw malformed(`The key does not fit ${alg}`, where, `Give ${algorithm.key}.`);
  return algorithm.sign(base, key);
}

function sharedKey(text: string, where: string): Buffer {
  const base64 = text.replace(/\s/g, '');
  const bytes = Buffer.from(base64, 'base64');
  // Node skips what is no base64; a key that was read short would sign wrongly without a word.
  if (bytes.length > 0 && bytes.toString('base64').replace(/=+$/, '') === base64.replace(/=+$/, '')) return bytes;
  throw malformed('The shared key is no base64', where, 'Give the key in base64.');
}

function seconds(text: string): number {
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : parseDuration(text);
  if (ms !== undefined && ms >= 1000) return Math.floor(ms / 1000);
  throw malformed('lifetime is no time of a second or more', 'lifetime', 'Write seconds, or a duration such as 5m.');
}

const malformed = (message: string, where: string, next: string): FerruleError =>
  new FerruleError('input_malformed', message, { where, next });
