import { isFerruleError } from '../core/errors.ts';
import { parseJson } from '../core/json.ts';
import type { Json } from '../core/value.ts';

const MASK = '[secret]';

/** RFC 6749 sections 5.1 and 5.2: what stands beside a token and is none, as far as it has the form that it should have. */
const PLAIN: Record<string, RegExp> = {
  token_type: /^[\w-]{1,30}$/,
  expires_in: /^\d{1,13}$/,
  scope: /^[\x20-\x7e]{0,2000}$/,
  error: /^[\w .-]{1,80}$/,
};

/** Headers that say how an answer travels, and nothing that anybody could sign in with. */
const PLAIN_HEADERS = new Set(
  `age cache-control connection content-encoding content-length content-type date expires keep-alive pragma retry-after server
  transfer-encoding vary via x-request-id x-correlation-id`.split(/\s+/),
);

/**
 * The answer of a token request or a login, as it may be shown: its keys, and values that are no secret by their name and form. Which
 * of the others the spec will take for a token is not known here, so all are masked. No JSON: its size alone.
 */
export function maskSecretAnswer(text: string): string {
  let value: Json;
  try {
    value = parseJson(text, 'text');
  } catch (error) {
    if (isFerruleError(error)) return `(${Buffer.byteLength(text)} bytes)`;
    throw error;
  }
  return JSON.stringify(masked(value, ''));
}

export const isPlainHeader = (name: string): boolean => PLAIN_HEADERS.has(name) || /^(x-)?ratelimit-/.test(name);

function masked(value: Json, name: string): Json {
  if (value === null || typeof value === 'boolean' || value === '') return value;
  if (Array.isArray(value)) return value.map((item) => masked(item, name));
  if (typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, masked(inner, key)]));
  return Object.hasOwn(PLAIN, name) && PLAIN[name]?.test(String(value)) ? value : MASK;
}
