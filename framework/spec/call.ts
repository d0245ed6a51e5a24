import type { ResolvedCall } from '../core/resolved.ts';
import type { Expires } from '../core/spec-types.gen.ts';
import type { Encode, Method } from '../core/value.ts';
import { lay, type Plain } from './merge.ts';

const METHOD_KEYS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** A call's words as the runtime wants them; method and path from its one method key. */
export function resolveCall(call: Plain, fallback?: { method: Method; url: string }): ResolvedCall {
  return callOf(lay([{ value: call, from: '' }]), fallback);
}

/** The same for one whose layers have been laid. */
export function callOf(merged: Plain, fallback?: { method: Method; url: string }): ResolvedCall {
  const key = METHOD_KEYS.find((word) => typeof merged[word] === 'string');
  return {
    ...(pick(merged, 'name', 'media_type', 'body', 'expires', 'errors', 'decode', 'sign') as { expires?: Expires }),
    ...(typeof merged.expect === 'string' && { expect: merged.expect }),
    method: key === undefined ? (fallback?.method ?? 'GET') : (key.toUpperCase() as Method),
    url: key === undefined ? (fallback?.url ?? '') : String(merged[key]),
    query: (merged.query ?? {}) as ResolvedCall['query'],
    headers: (merged.headers ?? {}) as ResolvedCall['headers'],
    cookies: (merged.cookies ?? {}) as ResolvedCall['cookies'],
    encode: (merged.encode ?? 'json') as Encode,
    capture: (merged.capture ?? {}) as ResolvedCall['capture'],
  };
}

/** Those of the keys that there are. */
export function pick<T extends object>(value: T, ...keys: (keyof T | string)[]): Partial<T> {
  const picked: Plain = {};
  for (const key of keys as string[]) {
    const item = (value as Plain)[key];
    if (item !== undefined && Object.hasOwn(value, key)) picked[key] = item;
  }
  return picked as Partial<T>;
}
