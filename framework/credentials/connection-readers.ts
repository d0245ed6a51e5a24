import { Secret } from '../core/secret.ts';
import { suggest } from '../core/suggest.ts';
import type { InitiateOAuth, ParsedConnection } from './connection.ts';

/** What the properties are collected into, before it is known whether they fit together. */
export interface ConnectionDraft extends Pick<ParsedConnection, 'tokens' | 'oauth' | 'storage'> {
  initiate?: InitiateOAuth;
  /** Seconds from the timestamp. */
  expiresIn?: number;
  /** Milliseconds since the epoch. */
  tokenTimestamp?: number;
  retry: NonNullable<ParsedConnection['runtime']['retry']>;
  network: NonNullable<ParsedConnection['runtime']['network']>;
  log: NonNullable<ParsedConnection['runtime']['log']>;
  proxy: { server?: string; port?: number; user?: string; password?: Secret; tls?: boolean };
  timeout?: number;
  limit?: number;
}

/** One property's value, and the way to say what is wrong with it. Messages never repeat the value. */
export interface Given {
  text: string;
  wrong(problem: string, hint?: string): void;
  notSupported(problem: string, instead: string): void;
}

export const FALSE = /^(?:false|no|0)$/i;
export const TRUE = /^(?:true|yes|1)$/i;

export function word<const T extends string>(given: Given, words: readonly T[]): T | undefined {
  const found = words.find((one) => one.toLowerCase() === given.text.toLowerCase());
  if (found !== undefined) return found;
  const near = suggest(given.text, words);
  given.wrong('has a value that it cannot have', `${near === undefined ? '' : `Did you mean ${near}? `}It is one of ${words.join(', ')}.`);
  return undefined;
}

export function whole(given: Given, least: number, most: number): number | undefined {
  const value = /^\d{1,15}$/.test(given.text) ? Number(given.text) : Number.NaN;
  if (value >= least && value <= most) return value;
  given.wrong('has a value that it cannot have', `Give a whole number from ${least} to ${most}.`);
  return undefined;
}

export function truth(given: Given): boolean | undefined {
  if (TRUE.test(given.text)) return true;
  if (FALSE.test(given.text)) return false;
  given.wrong('is neither True nor False');
  return undefined;
}

export function statuses(given: Given): number[] | undefined {
  const list = given.text.split(/[|,]/).map((status) => status.trim());
  if (list.every((status) => /^[1-5]\d\d$/.test(status))) return list.map(Number);
  given.wrong('is no list of HTTP statuses', 'Write them as in 429|503.');
  return undefined;
}

/** Unix time in seconds, or in milliseconds when it is too large for that: 10^11 seconds are the year 5138. */
export function timestamp(given: Given): number | undefined {
  const value = whole(given, 1, 999_999_999_999_999);
  return value === undefined || value >= 1e11 ? value : value * 1000;
}

export function headers(given: Given): Record<string, Secret> | undefined {
  const result: Record<string, Secret> = {};
  for (const line of given.text.split(/\r?\n/)) {
    if (line.trim() === '') continue;
    // RFC 9110, 5.1 and 5.5: a token, a colon, visible characters.
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\t]*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined || value === undefined) {
      given.wrong('has a line that is no header', 'Write Name: value, one a line.');
      return undefined;
    }
    if (isNoName(name, given)) return undefined;
    result[name] = new Secret(value);
  }
  return oneAtLeast(result, given);
}

function oneAtLeast<T extends object>(named: T, given: Given): T | undefined {
  if (Object.keys(named).length > 0) return named;
  given.wrong('names nothing', 'Leave it out.');
  return undefined;
}

/** Objects in code take it for something else than a name, so it would be lost without a word. */
function isNoName(name: string, given: Given): boolean {
  if (name === '__proto__') given.wrong('has a name that nothing can have: __proto__');
  return name === '__proto__';
}

export function parameters(given: Given): Record<string, Secret> | undefined {
  const result: Record<string, Secret> = {};
  for (const [name, value] of new URLSearchParams(given.text)) {
    if (name === '' || Object.hasOwn(result, name)) {
      given.wrong('has a parameter without a name, or twice', 'Write them as in a=1&b=2.');
      return undefined;
    }
    if (isNoName(name, given)) return undefined;
    result[name] = new Secret(value);
  }
  return oneAtLeast(result, given);
}

export function serverCertificate(given: Given, draft: ConnectionDraft): void {
  if (given.text === '*') given.notSupported('Trusting any certificate is not supported.', "Give the provider's own CA as a PEM file.");
  else if (/^[0-9a-f :]+$/i.test(given.text)) given.notSupported('A thumbprint is not supported.', 'Give the certificate as a PEM file.');
  else if (given.text.startsWith('-----BEGIN')) draft.network.ca = given.text;
  else draft.network.caFile = given.text;
}

export function storage(given: Given, draft: ConnectionDraft): void {
  const [, id] = /^memory:\/\/(.*)$/i.exec(given.text) ?? [];
  if (id === '') given.wrong('has no id behind memory://', 'Write memory:// and any name.');
  else draft.storage = id === undefined ? { type: 'file', path: given.text } : { type: 'memory', id };
}

/** Sets what could be read; what could not has been reported. */
export function set<T extends object, K extends keyof T>(target: T, key: K, value: T[K] | undefined): void {
  if (value !== undefined) target[key] = value;
}

export function prefix(given: Given, { network }: ConnectionDraft): void {
  // RFC 9110, 11.1: a scheme is a token.
  if (/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(given.text)) network.authorizationPrefix = `${given.text} `;
  else given.wrong('is no word that can stand before a token', 'Write one word, as in Token.');
}
