import { createHmac, hash } from 'node:crypto';
import { FerruleError } from '../../core/errors.ts';
import { needed, once, type Signer, type SignerContext, type Unsigned } from '../signer.ts';

export type HeaderPair = readonly [name: string, value: string];

/** A request as it is signed. `path` and `query` as they are sent (raw UTF-8 is allowed), the query without its question mark. */
export interface Message {
  method: string;
  path: string;
  query: string;
  /** With host. A name may stand several times; a value may hold line breaks. */
  headers: readonly HeaderPair[];
}

export interface Signing {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
  service: string;
  region: string;
  /** Milliseconds since the epoch. */
  now: number;
  /** False, as S3 wants it: the path is neither cleaned of dots and empty segments nor encoded twice. */
  normalize: boolean;
  /** What stands for the body: its SHA-256 in lower-case hex, or UNSIGNED-PAYLOAD. */
  payload: string;
  /** Whether x-amz-content-sha256 goes along (header placement only). */
  sendPayload: boolean;
  /** The token goes along, but is not signed. */
  omitSessionToken: boolean;
  /** Seconds that a signature in the query holds. */
  expires: number;
  /** The key of the day (AWS, "Create a signed AWS API request", step 4), when it is known. */
  signingKey?: Buffer;
}

/** Each stage, so that a refused signature can be compared stage by stage. */
export interface Signed {
  canonicalRequest: string;
  stringToSign: string;
  /** Lower-case hex. */
  signature: string;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const UNSIGNED = 'UNSIGNED-PAYLOAD';

/** Changed or taken away by proxies and transports, so a signature over them would break on the way; authorization is being made. */
const UNSTABLE = new Set(
  'accept-encoding authorization connection expect keep-alive proxy-authorization te trailer transfer-encoding upgrade user-agent x-amzn-trace-id'.split(
    ' ',
  ),
);

/**
 * AWS Signature Version 4 (AWS, "Create a signed AWS API request"). Values: `access_key_id`, `secret_access_key`, `session_token`?,
 * `service`, `region`, `placement`? (header, query), `expires`? (seconds, query; default 300), `signed_body`? (yes or true, no, unsigned;
 * default yes for s3, else no), `normalize`? (false as S3 wants it; default true but for s3), `omit_session_token`? (true, false).
 * In the query, S3's body is always UNSIGNED-PAYLOAD.
 */
export const awsSigv4: Signer = {
  type: 'aws_sigv4',

  sign(request, context) {
    const { url, path, inQuery, signing, message } = messageOf(request, context);
    if (inQuery) return { href: `${url.origin}${path}?${signInQuery(message, signing).query}` };
    const headers = Object.fromEntries(signInHeaders(message, signing).headers);
    return path === url.pathname ? { headers } : { headers, href: `${url.origin}${path}${url.search}` };
  },

  about(request, _signature, context) {
    const { inQuery, signing, message } = messageOf(request, context);
    const { stringToSign, canonicalRequest: signed } = inQuery ? signInQuery(message, signing) : signInHeaders(message, signing);
    const lines = signed.split('\n');
    const body = signing.payload === UNSIGNED ? [] : ['body'];
    return { algorithm: ALGORITHM, covers: ['method', 'path', 'query', ...body, ...(lines.at(-2) ?? '').split(';')], base: stringToSign };
  },
};

/** The request as it is signed, and how. */
function messageOf(request: Unsigned, context: SignerContext) {
  const url = new URL(request.href);
  const inQuery = word(context, 'placement', ['header', 'query'], 'header') === 'query';
  const signing = signingOf(context, request.body, inQuery);
  const { 'x-amz-date': _date, 'x-amz-security-token': _token, 'x-amz-content-sha256': _hash, ...kept } = request.headers;
  // Of a path that is signed as it is sent, all but unreserved characters travel encoded, as AWS's own libraries send it: servers
  // do not agree on what stands for a bare ( or +.
  const path = signing.normalize ? url.pathname : plainPath(url.pathname);
  const message: Message = {
    method: request.method,
    path,
    query: url.search.slice(1),
    headers: [...Object.entries(kept), ['host', url.host]],
  };
  return { url, path, inQuery, signing, message };
}

/** The headers to add, in the order of AWS's own examples: security token, date, hash of the body, authorization. */
export function signInHeaders(message: Message, signing: Signing): Signed & { headers: HeaderPair[] } {
  const token: HeaderPair[] = signing.sessionToken === undefined ? [] : [['x-amz-security-token', signing.sessionToken]];
  const date: HeaderPair = ['x-amz-date', timestamp(signing.now)];
  const hash: HeaderPair[] = signing.sendPayload ? [['x-amz-content-sha256', signing.payload]] : [];
  const covered = { ...message, headers: [...message.headers, ...(signing.omitSessionToken ? [] : token), date, ...hash] };
  const signed = sign(covered, signing);
  const authorization = `${ALGORITHM} Credential=${signing.accessKeyId}/${scope(signing)}, SignedHeaders=${signedNames(covered.headers)}, Signature=${signed.signature}`;
  return { ...signed, headers: [...token, date, ...hash, ['authorization', authorization]] };
}

/** `query`: the message's own and the signature's parameters. */
export function signInQuery(message: Message, signing: Signing): Signed & { query: string } {
  const parameters: [string, string][] = [
    ['X-Amz-Algorithm', ALGORITHM],
    ['X-Amz-Credential', `${signing.accessKeyId}/${scope(signing)}`],
    ['X-Amz-Date', timestamp(signing.now)],
    ['X-Amz-SignedHeaders', signedNames(message.headers)],
    ['X-Amz-Expires', String(signing.expires)],
  ];
  const token: [string, string][] = signing.sessionToken === undefined ? [] : [['X-Amz-Security-Token', signing.sessionToken]];
  const covered = joinQuery(message.query, [...parameters, ...(signing.omitSessionToken ? [] : token)]);
  const signed = sign({ ...message, query: covered }, signing);
  const after: [string, string][] = [...(signing.omitSessionToken ? token : []), ['X-Amz-Signature', signed.signature]];
  return { ...signed, query: joinQuery(covered, after) };
}

function joinQuery(query: string, parameters: [string, string][]): string {
  return [...(query === '' ? [] : [query]), ...parameters.map(([name, value]) => `${name}=${encoded(octets(value))}`)].join('&');
}

function sign(message: Message, signing: Signing): Signed {
  const { service, region, now, secretAccessKey } = signing;
  const request = canonicalRequest(message, signing);
  const stringToSign = [ALGORITHM, timestamp(now), scope(signing), sha256(request)].join('\n');
  const key = signing.signingKey ?? signingKey(timestamp(now).slice(0, 8), region, service, secretAccessKey);
  return { canonicalRequest: request, stringToSign, signature: hmac(key, stringToSign).toString('hex') };
}

const signingKey = (day: string, region: string, service: string, secret: string): Buffer =>
  [region, service, 'aws4_request'].reduce((last, step) => hmac(last, step), hmac(`AWS4${secret}`, day));

export function canonicalRequest(message: Message, { normalize, payload }: Pick<Signing, 'normalize' | 'payload'>): string {
  const headers = grouped(message.headers).map(([name, values]) => `${name}:${values.join(',')}\n`);
  return [
    message.method,
    normalize ? normalPath(message.path) : plainPath(message.path),
    canonicalQuery(message.query),
    headers.join(''),
    signedNames(message.headers),
    payload,
  ].join('\n');
}

/** Names in order, each with its values as sent, runs of white space made one space. */
function grouped(headers: readonly HeaderPair[]): [string, string[]][] {
  const made = groupings.get(headers) ?? groupsOf(headers);
  groupings.set(headers, made);
  return made;
}

/** One signature looks at its headers three times. */
const groupings = new WeakMap<readonly HeaderPair[], [string, string[]][]>();

function groupsOf(headers: readonly HeaderPair[]): [string, string[]][] {
  const groups = new Map<string, string[]>();
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    if (UNSTABLE.has(key)) continue;
    const clean = /^\s|\s$|\s\s|[\t\r\n]/.test(value) ? value.replace(/[ \t\r\n]+/g, ' ').replace(/^ | $/g, '') : value;
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [clean]);
    else known.push(clean);
  }
  return [...groups].sort(([a], [b]) => order(a, b));
}

const signedNames = (headers: readonly HeaderPair[]): string =>
  grouped(headers)
    .map(([name]) => name)
    .join(';');

/** Encoded on top of what is sent: an encoded path is encoded twice, as all services but S3 do. */
function normalPath(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(encoded(octets(segment)));
  }
  return `/${kept.join('/')}${kept.length > 0 && path.endsWith('/') ? '/' : ''}`;
}

const plainPath = (path: string): string =>
  path
    .split('/')
    .map((segment) => encoded(decoded(segment)))
    .join('/') || '/';

function canonicalQuery(query: string): string {
  const pairs = query
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const [name = '', ...value] = part.split('=');
      return [encoded(decoded(name)), encoded(decoded(value.join('=')))] as const;
    });
  pairs.sort((a, b) => order(a[0], b[0]) || order(a[1], b[1]));
  return pairs.map(([name, value]) => `${name}=${value}`).join('&');
}

/** By code unit, never by locale. */
const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const PLAIN = /^[A-Za-z0-9._~-]*$/;
/** UTF-8, one character per byte: what percent-encoding speaks of. */
const octets = (text: string): string => (ASCII.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1'));
const ASCII = /^[\x20-\x7e]*$/;
const decoded = (text: string): string =>
  octets(text).replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
const encoded = (bytes: string): string =>
  PLAIN.test(bytes)
    ? bytes
    : bytes.replace(/[^A-Za-z0-9._~-]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);

const sha256 = (data: string | Uint8Array): string => hash('sha256', data, 'hex');
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();

/** 20150830T123600Z */
function timestamp(now: number): string {
  if (now === stamped.now) return stamped.text;
  const iso = new Date(now).toISOString();
  stamped = { now, text: `${iso.slice(0, 4)}${iso.slice(5, 7)}${iso.slice(8, 13)}${iso.slice(14, 16)}${iso.slice(17, 19)}Z` };
  return stamped.text;
}

/** One signature names its time five times. */
let stamped = { now: Number.NaN, text: '' };
const scope = ({ now, region, service }: Signing): string => `${timestamp(now).slice(0, 8)}/${region}/${service}/aws4_request`;

function signingOf(context: SignerContext, body: Uint8Array, inQuery: boolean): Signing {
  const { values, now } = context;
  const service = plain(context, 'service', 'service');
  const signed = word(context, 'signed_body', ['yes', 'true', 'no', 'unsigned'], service === 's3' ? 'yes' : 'no');
  const unsigned = signed === 'unsigned' || (inQuery && service === 's3');
  const secretAccessKey = needed(context, 'secret_access_key', 'fields.secret_access_key');
  const region = plain(context, 'region', 'region');
  const day = timestamp(now).slice(0, 8);
  return {
    accessKeyId: plain(context, 'access_key_id', 'fields.access_key_id'),
    secretAccessKey,
    signingKey: once(context, [day, region, service, secretAccessKey].join('\n'), () => signingKey(day, region, service, secretAccessKey)),
    // A field that was left blank is no token.
    sessionToken: values.session_token === '' ? undefined : values.session_token,
    service,
    region,
    now,
    normalize: word(context, 'normalize', ['true', 'false'], service === 's3' ? 'false' : 'true') === 'true',
    payload: unsigned ? UNSIGNED : sha256(body),
    sendPayload: !inQuery && signed !== 'no',
    omitSessionToken: word(context, 'omit_session_token', ['true', 'false'], 'false') === 'true',
    expires: seconds(context),
  };
}

/** These stand in the credential scope, where a slash, comma or space would end them. */
function plain(context: SignerContext, name: string, where: string): string {
  const value = needed(context, name, where);
  if (/^[\x21-\x2b\x2d\x2e\x30-\x7e]+$/.test(value)) return value;
  throw new FerruleError('input_malformed', `${name} has a character that cannot stand in a signature`, {
    where,
    next: 'Give it as AWS shows it, without spaces, commas and slashes.',
  });
}

function word({ values }: SignerContext, name: string, words: readonly string[], otherwise: string): string {
  const value = values[name] ?? otherwise;
  if (words.includes(value)) return value;
  throw new FerruleError('input_malformed', `${name} is none of ${words.join(', ')}`, {
    where: name,
    next: `Write one of ${words.join(', ')}.`,
  });
}

function seconds({ values }: SignerContext): number {
  const value = values.expires ?? '300';
  if (/^[1-9]\d{0,5}$/.test(value) && Number(value) <= 604_800) return Number(value);
  throw new FerruleError('input_malformed', 'expires is no number of seconds from 1 to 604800', {
    where: 'expires',
    next: 'Write whole seconds, at most 604800 (7 days).',
  });
}
