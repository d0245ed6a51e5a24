import type { Random } from './clock.ts';
import { FerruleError } from './errors.ts';
import { plainNumber } from './json.ts';
import { reveal, Secret, type Text } from './secret.ts';
import type { Encode, Value } from './value.ts';

export interface EncodedBody {
  bytes: Uint8Array | string;
  contentType: string;
}

/**
 * The bytes of a body. Secrets are opened here, so it is called where the request is sent and nowhere else.
 * @throws FerruleError input_malformed when the value has no such form (a map within a form)
 */
export function encodeBody(value: Value, encode: Exclude<Encode, 'query'>, random: Random): EncodedBody {
  switch (encode) {
    case 'json':
      return { bytes: jsonText(value), contentType: 'application/json' };
    case 'graphql':
      return { bytes: jsonText(graphqlBody(value)), contentType: 'application/json' };
    case 'form':
      return { bytes: pairs(value, 'form').map(formPair).join('&'), contentType: 'application/x-www-form-urlencoded' };
    case 'xml':
      return { bytes: scalarText(value, 'xml'), contentType: 'application/xml; charset=utf-8' };
    case 'text':
      return { bytes: scalarText(value, 'text'), contentType: 'text/plain; charset=utf-8' };
    case 'multipart':
      return multipart(value, random);
  }
}

/** `a=1&b=x%20y`, without the question mark. A list repeats its key. */
export function encodeQuery(query: Record<string, Text | Text[]>): string {
  return pairs(query, 'query')
    .map(([name, text]) => `${percent(name)}=${percent(text)}`)
    .join('&');
}

/** A lone surrogate becomes U+FFFD, as in any encoder of UTF-8; encodeURIComponent alone would throw. */
export const wellFormed = (text: string): string => Buffer.from(text, 'utf8').toString('utf8');

/** RFC 3986 unreserved characters stay, all others go. */
export function percent(text: string): string {
  if (/^[\w.~-]*$/.test(text)) return text;
  return encodeURIComponent(wellFormed(text)).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function formPair([name, text]: [string, string]): string {
  return `${percent(name).replaceAll('%20', '+')}=${percent(text).replaceAll('%20', '+')}`;
}

function jsonText(value: Value): string {
  return JSON.stringify(value, function (this: { [key: string]: unknown }, key: string, shown: unknown) {
    // JSON.stringify has called Secret.toJSON already; the holder still has the Secret itself.
    const raw = this[key];
    if (raw instanceof Secret) return raw.reveal();
    if (typeof shown === 'number' && !Number.isFinite(shown)) throw refused('json', 'a number that is not finite');
    return shown;
  });
}

/** `operation` in the spec is `operationName` on the wire (GraphQL over HTTP, section 5.1). */
function graphqlBody(value: Value): Value {
  if (!isMap(value)) throw refused('graphql', 'a body that is no map of query, variables and operation');
  const { operation, ...rest } = value;
  return operation === undefined ? rest : { ...rest, operationName: operation };
}

export const isMap = (value: Value): value is { [key: string]: Value } =>
  value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Secret);

function refused(encode: string, what: string): FerruleError {
  return new FerruleError('input_malformed', `encode: ${encode} cannot hold ${what}.`);
}

function scalarText(value: Value, encode: string): string {
  if (value instanceof Secret || typeof value === 'string') return reveal(value);
  if (typeof value === 'number') return plainNumber(value);
  if (typeof value === 'boolean') return String(value);
  throw refused(encode, value === null ? 'null' : 'a list or map here');
}

function pairs(value: Value, encode: string): [string, string][] {
  if (!isMap(value)) throw refused(encode, 'a body that is no map');
  const result: [string, string][] = [];
  for (const [name, entry] of Object.entries(value)) {
    for (const item of Array.isArray(entry) ? entry : [entry]) result.push([name, scalarText(item, encode)]);
  }
  return result;
}

/** RFC 7578; names are escaped as browsers do (HTML, multipart/form-data encoding algorithm). */
function multipart(value: Value, random: Random): EncodedBody {
  const boundary = `ferrule-${Buffer.from(random.bytes(24)).toString('hex')}`;
  let body = '';
  for (const [name, text] of pairs(value, 'multipart')) {
    if (text.includes(boundary)) throw refused('multipart', 'its own boundary');
    const escaped = name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
    body += `--${boundary}\r\nContent-Disposition: form-data; name="${escaped}"\r\n\r\n${text}\r\n`;
  }
  return { bytes: `${body}--${boundary}--\r\n`, contentType: `multipart/form-data; boundary=${boundary}` };
}
