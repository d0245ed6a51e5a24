import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Verdict } from '../authenticate.ts';
import type { Incoming } from '../request.ts';
import type { Scheme, SchemeContext } from '../scheme.ts';

/** What a request claims of its signature, wherever it stands. */
interface Claim {
  inQuery: boolean;
  credential: string;
  signedHeaders: string[];
  signature: string;
  date: string;
  /** Seconds; of a signature in the query. */
  expires: number;
  token: string | undefined;
}

/** AWS refuses a request that is more than five minutes off; so do we. Seconds. */
const SKEW = 300;
const LONGEST = 604_800;

/**
 * AWS Signature Version 4, as the receiving side reads it (AWS, "Create a signed AWS API request" and "Authenticating requests:
 * using query parameters"). Values: as the signer's. Several headers of one name cannot be told apart here and are refused.
 */
export const awsSigv4: Scheme = {
  type: 'aws_sigv4',

  verify(request, context) {
    const inHeader = request.headers.authorization?.startsWith('AWS4-HMAC-SHA256 ') ?? false;
    const inQuery = parameters(request).some(([name]) => name === 'X-Amz-Signature');
    if (!inHeader && !inQuery) return request.headers.authorization === undefined ? 'missing' : 'wrong';
    if (inHeader && inQuery) return 'wrong';
    const claim = inHeader ? headerClaim(request) : queryClaim(request);
    return claim === undefined ? 'wrong' : judge(claim, request, context);
  },
};

function judge(claim: Claim, request: Incoming, context: SchemeContext): Verdict {
  const { values } = context;
  const signedAt = instant(claim.date);
  const wantedScope = [claim.date.slice(0, 8), values.region, values.service, 'aws4_request'].join('/');
  if (signedAt === undefined || claim.credential !== `${values.access_key_id}/${wantedScope}`) return 'wrong';
  if (!coversEnough(claim, request, context)) return 'wrong';
  if ((claim.token ?? '') !== (values.session_token ?? '')) return 'wrong';
  const payload = payloadOf(claim, request, context);
  if (payload === undefined) return 'wrong';
  const lines = canonical(claim, request, context, payload);
  const text = `AWS4-HMAC-SHA256\n${claim.date}\n${wantedScope}\n${createHash('sha256').update(lines).digest('hex')}`;
  if (!equal(claim.signature, mac(`AWS4${values.secret_access_key}`, [...wantedScope.split('/'), text]))) return 'wrong';
  return timely(claim, (context.now - signedAt) / 1000);
}

function timely(claim: Claim, age: number): Verdict {
  if (!claim.inQuery) return Math.abs(age) > SKEW ? 'expired' : 'good';
  if (!(claim.expires >= 1 && claim.expires <= LONGEST) || age < -SKEW) return 'wrong';
  return age > claim.expires ? 'expired' : 'good';
}

/** `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`; curl and some SDKs leave out the space after a comma. */
function headerClaim({ headers }: Incoming): Claim | undefined {
  const parts = new Map<string, string>();
  for (const part of headers.authorization!.slice('AWS4-HMAC-SHA256 '.length).split(',')) {
    const at = part.indexOf('=');
    parts.set(part.slice(0, at).trim(), part.slice(at + 1).trim());
  }
  const [credential, names, signature] = ['Credential', 'SignedHeaders', 'Signature'].map((name) => parts.get(name));
  const date = headers['x-amz-date'];
  if (credential === undefined || names === undefined || signature === undefined || date === undefined) return undefined;
  const token = headers['x-amz-security-token'];
  return { inQuery: false, credential, signedHeaders: names.split(';'), signature, date, expires: 0, token };
}

function queryClaim(request: Incoming): Claim | undefined {
  const found = new Map<string, string>();
  for (const [name, value] of parameters(request)) {
    if (!name.startsWith('X-Amz-')) continue;
    if (found.has(name)) return undefined;
    found.set(name, value.toString('utf8'));
  }
  const get = (name: string) => found.get(`X-Amz-${name}`);
  const [credential, names, signature, date] = [get('Credential'), get('SignedHeaders'), get('Signature'), get('Date')];
  if (get('Algorithm') !== 'AWS4-HMAC-SHA256' || !credential || !names || !signature || !date) return undefined;
  const expires = /^\d+$/.test(get('Expires') ?? '') ? Number(get('Expires')) : Number.NaN;
  return { inQuery: true, credential, signedHeaders: names.split(';'), signature, date, expires, token: get('Security-Token') };
}

/** host, content-type and each x-amz-* must be covered; the names are lower case, in order, and of headers that are there. */
function coversEnough({ signedHeaders }: Claim, { headers }: Incoming, { values }: SchemeContext): boolean {
  const ordered = signedHeaders.every((name, index) => index === 0 || signedHeaders[index - 1]! < name);
  const there = signedHeaders.every((name) => name === name.toLowerCase() && headers[name] !== undefined);
  const free = values.omit_session_token === 'true' ? 'x-amz-security-token' : undefined;
  const wanted = Object.keys(headers).filter((name) => name === 'content-type' || (name.startsWith('x-amz-') && name !== free));
  return ordered && there && ['host', ...wanted].every((name) => signedHeaders.includes(name));
}

/** The last line of the canonical request; undefined when what was sent is not allowed or not true of the body. */
function payloadOf({ inQuery }: Claim, { headers, bytes }: Incoming, { values }: SchemeContext): string | undefined {
  const s3 = values.service === 's3';
  const hash = createHash('sha256').update(bytes).digest('hex');
  const unsignedAllowed = s3 || values.signed_body === 'unsigned';
  const stated = headers['x-amz-content-sha256'];
  if (stated === 'UNSIGNED-PAYLOAD') return unsignedAllowed ? stated : undefined;
  if (stated !== undefined) return stated === hash ? hash : undefined;
  if (inQuery) return unsignedAllowed ? 'UNSIGNED-PAYLOAD' : hash;
  // S3 wants the header on every request with an Authorization header.
  return s3 ? undefined : hash;
}

function canonical(claim: Claim, request: Incoming, { values }: SchemeContext, payload: string): string {
  const asIs = (values.normalize ?? String(values.service !== 's3')) === 'false';
  let lines = `${request.method}\n${asIs ? keptPath(request.path) : cleanPath(request.path)}\n`;
  const without = new Set(['X-Amz-Signature', ...(values.omit_session_token === 'true' ? ['X-Amz-Security-Token'] : [])]);
  const query = parameters(request)
    .filter(([name]) => !(claim.inQuery && without.has(name)))
    .map(([name, value]) => [uriEncode(Buffer.from(name, 'latin1')), uriEncode(value)] as const);
  query.sort(([n1, v1], [n2, v2]) => Buffer.compare(Buffer.from(n1), Buffer.from(n2)) || Buffer.compare(Buffer.from(v1), Buffer.from(v2)));
  lines += `${query.map((pair) => pair.join('=')).join('&')}\n`;
  for (const name of claim.signedHeaders) lines += `${name}:${request.headers[name]!.trim().replaceAll(/ {2,}/g, ' ')}\n`;
  return `${lines}\n${claim.signedHeaders.join(';')}\n${payload}`;
}

/** Pairs of the query as sent: names as one character per byte, values as bytes. A plus sign is a plus sign. */
function parameters({ search }: Incoming): [string, Buffer][] {
  const found: [string, Buffer][] = [];
  for (const part of search.split('&')) {
    if (part === '') continue;
    const at = part.indexOf('=');
    const name = at < 0 ? part : part.slice(0, at);
    found.push([unescaped(name).toString('latin1'), unescaped(at < 0 ? '' : part.slice(at + 1))]);
  }
  return found;
}

/** The bytes that a part of the target stands for; node:http gives one character per byte. */
function unescaped(part: string): Buffer {
  const bytes: number[] = [];
  for (let at = 0; at < part.length; at += 1) {
    const hex = part[at] === '%' ? /^[0-9A-Fa-f]{2}/.exec(part.slice(at + 1, at + 3))?.[0] : undefined;
    bytes.push(hex === undefined ? part.charCodeAt(at) : Number.parseInt(hex, 16));
    if (hex !== undefined) at += 2;
  }
  return Buffer.from(bytes);
}

/** AWS's UriEncode: A-Z a-z 0-9 - . _ ~ stay, every other byte becomes %XX. */
function uriEncode(bytes: Buffer): string {
  let text = '';
  for (const byte of bytes) {
    const char = String.fromCharCode(byte);
    text += /[A-Za-z0-9._~-]/.test(char) ? char : `%${(byte < 16 ? '0' : '') + byte.toString(16).toUpperCase()}`;
  }
  return text;
}

/** RFC 3986, 5.2.4, empty segments left out, and encoded once more than it was sent. */
function cleanPath(path: string): string {
  const input = path
    .replaceAll(/\/{2,}/g, '/')
    .split('/')
    .slice(1);
  const output: string[] = [];
  input.forEach((segment) => {
    if (segment === '..') output.pop();
    else if (segment !== '.') output.push(segment);
  });
  return `/${output.map((segment) => uriEncode(Buffer.from(segment, 'latin1'))).join('/')}`;
}

/** As S3 has it: encoded once, whatever was sent. */
const keptPath = (path: string): string =>
  path
    .split('/')
    .map((segment) => uriEncode(unescaped(segment)))
    .join('/');

/** Milliseconds since the epoch of 20150830T123600Z. */
function instant(date: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date)?.slice(1).map(Number);
  if (parts === undefined) return undefined;
  const [year, month, day, hour, minute, second] = parts as [number, number, number, number, number, number];
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** HMAC-SHA256 along the list, each result the next one's key. */
function mac(secret: string, steps: readonly string[]): string {
  let key: Buffer = Buffer.from(secret, 'utf8');
  for (const step of steps) key = createHmac('sha256', key).update(step, 'utf8').digest();
  return key.toString('hex');
}

function equal(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
