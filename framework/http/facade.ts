import { PassThrough, type Readable } from 'node:stream';
import { FerruleError } from '../core/errors.ts';
import { plainNumber } from '../core/json.ts';
import { Secret, type Text } from '../core/secret.ts';
import { suggest } from '../core/suggest.ts';
import type { Method, Value } from '../core/value.ts';
import type { Answer } from './answer.ts';
import type { RawCallOptions } from './client.ts';
import type { CallDraft, Http, HttpOptions, HttpPromise, HttpResponse, StreamedResponse, Timeouts } from './types.ts';

export interface HttpEnv {
  raw(draft: CallDraft, options: RawCallOptions): Promise<Answer>;
  stream(draft: CallDraft, options: RawCallOptions): Promise<StreamedResponse>;
}

const OPTIONS = ['searchParams', 'json', 'form', 'body', 'headers', 'timeout', 'signal', 'responseType'];
const NO_OPTIONS: HttpOptions = {};
const BODIES = ['json', 'form', 'body'] as const;

/** got's call shape over our own client: a path and options in, a promise with `.json()`, `.text()`, `.buffer()` out. */
export function createHttp(env: HttpEnv, defaults: HttpOptions = NO_OPTIONS): Http {
  const method =
    (name: Method) =>
    (path: string, options: HttpOptions = {}): HttpPromise =>
      promiseOf(request(env, name, path, defaults, options), options.responseType ?? defaults.responseType);
  return {
    get: method('GET'),
    post: method('POST'),
    put: method('PUT'),
    patch: method('PATCH'),
    delete: method('DELETE'),
    head: method('HEAD'),
    stream: (path, { method: name = 'GET', ...options } = {}) => streamOf(env, name, path, defaults, options),
    extend(options) {
      checkOptions(options);
      return createHttp(env, mergeOptions(defaults, options));
    },
  };
}

/** Wrong options reject; they do not throw. */
async function request(env: HttpEnv, method: Method, path: string, defaults: HttpOptions, options: HttpOptions): Promise<Answer> {
  const { draft, more } = requestOf(method, path, options, defaults);
  return env.raw(draft, more);
}

/** The call that a request in got's shape is. */
export function requestOf(
  method: Method,
  path: string,
  options: HttpOptions,
  defaults: HttpOptions = NO_OPTIONS,
): { draft: CallDraft; more: RawCallOptions } {
  checkOptions(options);
  const merged = mergeOptions(defaults, options);
  const { responseType } = merged;
  const more = callOptions(merged);
  more.decode = responseType === undefined ? 'auto' : responseType === 'json' ? 'json' : 'bytes';
  return { draft: draftOf(method, path, merged), more };
}

/** Decoding waits until it is known what is wanted; a promise that nobody asks for its body never decodes it. */
function promiseOf(raw: Promise<Answer>, responseType: HttpOptions['responseType']): HttpPromise {
  const whole = () => raw.then((result) => responseOf(result, responseType));
  return {
    then: (onFulfilled, onRejected) => whole().then(onFulfilled, onRejected),
    catch: (onRejected) => whole().catch(onRejected),
    finally: (onFinally) => whole().finally(onFinally),
    // The caller names the type, as with got: it is a claim, not a check.
    json: <T>() => raw.then((result) => result.decode('json') as T),
    text: () => raw.then((result) => String(result.decode('text') ?? '')),
    buffer: () => raw.then(({ bytes }) => bytes),
  };
}

function responseOf(result: Answer, responseType: HttpOptions['responseType']): HttpResponse {
  const { status, headers, url } = result;
  const body =
    responseType === 'buffer'
      ? result.bytes
      : responseType === 'text'
        ? (result.decode('text') ?? '')
        : result.decode(responseType ?? 'auto');
  return { status, statusCode: status, ok: true, headers, url, body };
}

function streamOf(env: HttpEnv, method: Method, path: string, defaults: HttpOptions, options: HttpOptions): Readable {
  const out = new PassThrough();
  const begin = async () => {
    checkOptions(options);
    const merged = mergeOptions(defaults, options);
    const stop = new AbortController();
    const onSignal = () => stop.abort();
    merged.signal?.addEventListener('abort', onSignal, { once: true });
    if (merged.signal?.aborted) stop.abort();
    out.once('close', () => {
      merged.signal?.removeEventListener('abort', onSignal);
      stop.abort();
    });
    const { body } = await env.stream(draftOf(method, path, merged), { ...callOptions(merged), signal: stop.signal, decode: 'bytes' });
    body.once('error', (error) => out.destroy(error));
    body.pipe(out);
  };
  begin().catch((error: Error) => out.destroy(error));
  return out;
}

function checkOptions(options: HttpOptions): void {
  for (const name of Object.keys(options)) {
    if (OPTIONS.includes(name)) continue;
    const near = suggest(name, OPTIONS);
    throw new FerruleError('option_unknown', `There is no option ${name}.`, {
      where: name,
      next: near === undefined ? `The options are ${OPTIONS.join(', ')}.` : `Did you mean ${near}?`,
    });
  }
  const bodies = BODIES.filter((name) => options[name] !== undefined);
  if (bodies.length > 1)
    throw new FerruleError('input_malformed', `A request has one body, not ${bodies.join(' and ')}.`, { where: bodies.join(', ') });
}

function mergeOptions(defaults: HttpOptions, options: HttpOptions): HttpOptions {
  if (defaults === NO_OPTIONS) return options;
  const merged: HttpOptions = { ...defaults };
  // A body of the call replaces any other kind of body that stands in the defaults.
  if (BODIES.some((name) => options[name] !== undefined)) for (const name of BODIES) delete merged[name];
  for (const [name, value] of Object.entries(options)) if (value !== undefined) Object.assign(merged, { [name]: value });
  if (defaults.headers && options.headers) merged.headers = { ...lower(defaults.headers), ...lower(options.headers) };
  if (defaults.searchParams !== undefined && options.searchParams !== undefined) {
    merged.searchParams = { ...entriesOf(defaults.searchParams), ...entriesOf(options.searchParams) };
  }
  return merged;
}

const lower = (headers: NonNullable<HttpOptions['headers']>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

type Params = Exclude<NonNullable<HttpOptions['searchParams']>, string | URLSearchParams>;

function entriesOf(params: NonNullable<HttpOptions['searchParams']>): Params {
  if (typeof params !== 'string' && !(params instanceof URLSearchParams)) return params;
  const result: Record<string, string[]> = {};
  for (const [name, value] of new URLSearchParams(params)) result[name] = [...(result[name] ?? []), value];
  return result;
}

function draftOf(method: Method, path: string, options: HttpOptions): CallDraft {
  const { searchParams, json, form, body, headers } = options;
  const draft: CallDraft = { method, url: path };
  if (searchParams !== undefined) draft.query = texts(entriesOf(searchParams));
  if (headers)
    draft.headers = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value === undefined || value === null ? null : textOf(value)]),
    );
  if (json !== undefined) draft.body = json as Value;
  else if (form !== undefined) Object.assign(draft, { body: texts(form), encode: 'form' });
  else if (typeof body === 'string') Object.assign(draft, { body, encode: 'text' });
  return draft;
}

function texts(params: Params): Record<string, Text | Text[]> {
  const result: Record<string, Text | Text[]> = {};
  for (const [name, value] of Object.entries(params)) {
    if (value === null || value === undefined) continue;
    result[name] = isList(value) ? value.map(textOf) : textOf(value);
  }
  return result;
}

const isList = (value: unknown): value is readonly (string | number | boolean | Secret)[] => Array.isArray(value);

const textOf = (value: string | number | boolean | Secret): Text =>
  typeof value === 'string' || value instanceof Secret ? value : typeof value === 'number' ? plainNumber(value) : String(value);

function callOptions({ signal, timeout, body }: HttpOptions): RawCallOptions {
  const result: RawCallOptions = {};
  if (signal) result.signal = signal;
  if (timeout !== undefined) result.timeout = typeof timeout === 'number' ? timeout : withoutRequest(timeout);
  if (body instanceof Uint8Array) result.payload = body;
  return result;
}

/** got calls the whole `request`. */
function withoutRequest(timeout: Partial<Timeouts> & { request?: number }): Partial<Timeouts> {
  const { request, ...rest } = timeout;
  return request === undefined ? rest : { total: request, ...rest };
}
