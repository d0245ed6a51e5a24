import type { Errors } from '../core/spec-types.gen.ts';
import { type Data, plant, segments, write } from './data.ts';
import { lookupsIn } from './reading.ts';

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
  /** In place of `body`, where it is no text. */
  bytes?: Buffer;
  /** One Set-Cookie each. */
  cookies?: readonly string[];
}

export const json = (status: number, body: Data, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  body: write(body),
});

export const html = (status: number, body: string): Answer => ({
  status,
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body: `<!doctype html>\n<html lang="en"><meta charset="utf-8">${body}</html>\n`,
});

export const redirect = (location: string): Answer => ({ status: 302, headers: { location, 'cache-control': 'no-store' }, body: '' });

/** A refusal in the provider's own shape: its words where `errors.message` reads them, its code where `errors.code` does. */
export function refusal(errors: Errors | undefined, status: number, message: string, headers: Record<string, string> = {}): Answer {
  const words = errors?.rules?.find((rule) => rule.status?.includes(status) && rule.message !== undefined)?.message ?? errors?.message;
  let body: Data = {};
  if (errors?.code != null) body = plant(body, placeOf(errors.code), codeOf(status));
  body = plant(body, words == null ? ['message'] : placeOf(words), message);
  return json(status, body, headers);
}

/** Where a path, or the first look-up of a computed one, stands in the body. */
export function placeOf(path: string): string[] {
  if (!path.startsWith('${')) return segments(path).map((segment) => (segment === '*' ? '0' : segment));
  const found = lookupsIn(path, 'response').find(([part, ...rest]) => part === 'body' && rest.length > 0);
  return found?.slice(1) ?? ['message'];
}

const CODES: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  406: 'NOT_ACCEPTABLE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  429: 'TOO_MANY_REQUESTS',
};
const codeOf = (status: number): string => CODES[status] ?? 'INTERNAL_ERROR';

/** Says a request is wrong; caught where the answer is made. */
export class Refused extends Error {
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(status: number, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}
