import type { Random } from '../core/clock.ts';
import { encodeBody, encodeQuery } from '../core/encode.ts';
import { FerruleError } from '../core/errors.ts';
import { plainNumber } from '../core/json.ts';
import { reveal, Secret, type Text } from '../core/secret.ts';
import type { RequestDraft, Value } from '../core/value.ts';
import type { CallDraft } from './types.ts';

export interface Inherited {
  headers: Record<string, Text>;
  query: Record<string, Text | Text[]>;
}

/** Header names are lower-case in all that follows: names differ in case between a spec, an auth method and a caller. */
export function lowerCase<T>(headers: Record<string, T>): Record<string, T> {
  const result: Record<string, T> = {};
  for (const name of Object.keys(headers)) result[name.toLowerCase()] = headers[name] as T;
  return result;
}

/** `http` ← what the call names (null removes). `url` becomes absolute; `encode: query` puts the body into the query. */
export function mergeDraft(draft: CallDraft, url: URL, inherited: Inherited): RequestDraft {
  const { method, body, encode = 'json' } = draft;
  const asQuery = encode === 'query' && body !== undefined ? queryOf(body) : {};
  const merged: RequestDraft = {
    method,
    url: draft.url instanceof Secret ? new Secret(url.href) : url.href,
    query: present({ ...inherited.query, ...asQuery, ...draft.query }),
    headers: present({ ...inherited.headers, ...lowerCase(draft.headers ?? {}) }),
    cookies: { ...draft.cookies },
    encode,
  };
  if (body !== undefined && encode !== 'query') merged.body = body;
  return merged;
}

/** What the call itself names stands over what auth sends; null takes away what auth sends. */
export function ownOnTop(sent: RequestDraft, own: CallDraft, withQuery: boolean): RequestDraft {
  const headers = lowerCase(sent.headers);
  return {
    ...sent,
    headers: own.headers ? present({ ...headers, ...lowerCase(own.headers) }) : headers,
    query: own.query && withQuery ? present({ ...sent.query, ...own.query }) : sent.query,
  };
}

function present<T>(entries: Record<string, T | null | undefined>): Record<string, T> {
  const result: Record<string, T> = {};
  for (const name of Object.keys(entries)) {
    const value = entries[name];
    if (value !== null && value !== undefined) result[name] = value;
  }
  return result;
}

function queryOf(body: Value): Record<string, Text | Text[]> {
  if (body === null || typeof body !== 'object' || Array.isArray(body) || body instanceof Secret) {
    throw new FerruleError('input_malformed', 'encode: query cannot hold a body that is no map.');
  }
  const text = (value: Value): Text => {
    if (typeof value === 'string' || value instanceof Secret) return value;
    if (typeof value === 'number') return plainNumber(value);
    if (typeof value === 'boolean') return String(value);
    throw new FerruleError('input_malformed', 'encode: query cannot hold null, or a map within the body.');
  };
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, Array.isArray(value) ? value.map(text) : text(value)]));
}

export interface EncodedRequest {
  /** With the query. */
  href: string;
  headers: Record<string, string>;
  body?: Uint8Array | string;
}

/** Opens the secrets: the bytes that leave. Default headers fill in what nobody named. */
export function encodeRequest(
  draft: RequestDraft,
  url: URL,
  encoded: EncodedContent | undefined,
  defaults: Record<string, string>,
): EncodedRequest {
  const headers: Record<string, string> = { ...defaults };
  for (const [name, value] of Object.entries(draft.headers)) headers[name] = headerText(name, value);
  if (encoded?.contentType !== undefined && headers['content-type'] === undefined) headers['content-type'] = encoded.contentType;
  const cookies = Object.entries(draft.cookies);
  if (cookies.length > 0) headers.cookie = headerText('cookie', cookies.map(([name, value]) => cookie(name, reveal(value))).join('; '));
  return { href: withQuery(url.href, draft.query), headers, ...(encoded && { body: encoded.bytes }) };
}

/** A body's bytes, and what they are. */
export interface EncodedContent {
  bytes: Uint8Array | string;
  contentType: string | undefined;
}

export function encodeDraftBody({ body, encode }: RequestDraft, random: Random): EncodedContent | undefined {
  if (body === undefined) return undefined;
  return encodeBody(body, encode === 'query' ? 'json' : encode, random);
}

/** A key of `query` takes the place of the same key in the URL; all else of the URL's own query stays as it is written, since it may be signed. */
function withQuery(href: string, query: Record<string, Text | Text[]>): string {
  const names = Object.keys(query);
  if (names.length === 0) return href;
  const at = href.indexOf('?');
  if (at < 0) return `${href}?${encodeQuery(query)}`;
  const kept = href
    .slice(at + 1)
    .split('&')
    .filter((pair) => pair !== '' && !names.includes(nameOf(pair)));
  return `${href.slice(0, at)}?${[...kept, encodeQuery(query)].filter((part) => part !== '').join('&')}`;
}

function nameOf(pair: string): string {
  const name = pair.split('=', 1)[0] ?? '';
  try {
    return decodeURIComponent(name.replaceAll('+', ' '));
  } catch {
    return name; // not percent-encoded as it should be: it can only equal itself
  }
}

/** What decides where a message begins and ends, or to whom it goes, is not for a spec or a caller to set. */
const RESERVED = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'upgrade',
  'te',
  'trailer',
  'expect',
  'proxy-authorization',
  'proxy-connection',
]);

function headerText(name: string, value: Text): string {
  const text = reveal(value);
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name))
    throw new FerruleError('input_malformed', 'A header name holds a character that none may hold.', { where: 'headers' });
  if (RESERVED.has(name))
    throw new FerruleError('input_malformed', `The header ${name} cannot be set.`, { where: `headers.${name}`, next: 'Leave it out.' });
  if (/[^\t\u0020-\u007e\u0080-\u00ff]/.test(text)) {
    throw new FerruleError(
      'input_malformed',
      `The value of the header ${name} holds a line break, a control character or a letter beyond Latin-1.`,
      {
        where: `headers.${name}`,
      },
    );
  }
  return text;
}

/** RFC 6265 section 4.1.1. */
function cookie(name: string, value: string): string {
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name) || /[\s;,\\"]/.test(value)) {
    throw new FerruleError('input_malformed', 'A cookie holds a character that none may hold.', { where: 'cookies' });
  }
  return `${name}=${value}`;
}

/** Hears of every Secret in a draft, so that its text is known to the redactor before it is sent. */
export function eachSecret(value: unknown, hear: (secret: Secret) => void): void {
  if (value instanceof Secret) hear(value);
  else if (typeof value === 'object') for (const key in value) eachSecret(value[key as keyof typeof value], hear);
}
