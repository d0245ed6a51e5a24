import { isSensitiveName, type Redactor, redactUrl } from '../core/redact.ts';
import { Secret } from '../core/secret.ts';
import type { RequestDraft } from '../core/value.ts';
import { isPlainHeader, maskSecretAnswer } from './secret-answer.ts';

const MASK = '[secret]';
/** Longest excerpt in an error, in characters. */
const IN_ERROR = 300;
/** Longest place in an error. */
const IN_WHERE = 300;
/** Longest body in an event. */
const IN_EVENT = 4000;
/** Text read beyond a cut, so that a secret that lies across it is seen whole. */
const OVERLAP = 8192;

/** Of a text whose beginning is shown. */
const LOOKED_AT = 64 * 1024;

/** Everything that is shown goes through here. */
export interface Shown {
  /** Method and URL without query. */
  where(method: string, url: URL): string;
  url(href: string, bare: boolean): string;
  headers(headers: Record<string, string | string[] | undefined>, draft?: RequestDraft): Record<string, string>;
  /** Of an answer. */
  answerHeaders(headers: Record<string, string | string[] | undefined>, status: number): Record<string, string>;
  /** At most 300 characters in one line. */
  excerpt(text: string): string;
  /** A provider's error code; undefined where it may be a code that tokens are asked for with. */
  errorCode(text: string): string | undefined;
  /** The same of an answer that does not decode. */
  answerExcerpt(text: string): string;
  body(body: string | Uint8Array | undefined): string | undefined;
  answer(body: Uint8Array | undefined, status: number): string | undefined;
}

/** `secretAnswers`: good answers hold tokens that nobody knows yet, under names that only the spec knows. Refusals are shown: their words are needed. */
export function createShown(redactor: Redactor, secretAnswers = false): Shown {
  const cut = (text: string, most: number, complete = true) => {
    const whole = complete && text.length <= most + OVERLAP;
    const masked = redactor.redact(maskNamed(whole ? text : text.slice(0, most + OVERLAP), secretAnswers));
    // Masks are short: what lay beyond the cut must not move up into it half seen.
    const sure = whole ? masked : masked.slice(0, Math.max(0, masked.length - OVERLAP));
    return sure.length <= most && whole ? sure : `${sure.slice(0, most)}…`;
  };
  const hides = (status: number) => secretAnswers && status >= 200 && status < 300;
  const excerpt = (text: string) => {
    // An answer may have megabytes, which would take seconds for 300 characters.
    const head = text.slice(0, LOOKED_AT);
    return cut(head.replace(/\s+/g, ' ').trim(), IN_ERROR - 1, head.length === text.length);
  };
  const body = (bytes: string | Uint8Array | undefined) =>
    bytes === undefined || bytes.length === 0 ? undefined : cut(textOf(bytes), IN_EVENT);
  const headersOf = (headers: Record<string, string | string[] | undefined>, isSecret: (name: string) => boolean) => {
    const result: Record<string, string> = {};
    for (const [name, value] of Object.entries(headers)) {
      if (value === undefined) continue;
      const text = Array.isArray(value) ? value.join(', ') : value;
      // Some headers hold URLs (link, location, refresh), and those hold secrets by name.
      result[name] = isSecret(name) ? MASK : redactor.redact(maskNamed(name === 'location' ? redactUrl(text) : text, secretAnswers));
    }
    return result;
  };
  return {
    where: (method, url) => {
      const whole = redactor.redact(`${method} ${url.origin}${url.pathname}`);
      return whole.length <= IN_WHERE ? whole : `${whole.slice(0, IN_WHERE)}…`;
    },
    // A download URL is a credential in itself: its query is not shown at all.
    url: (href, bare) => redactor.redact(bare ? href.replace(/\?.*$/s, `?${MASK}`) : redactUrl(href)),
    headers: (headers, draft) => headersOf(headers, (name) => isSensitiveName(name) || draft?.headers[name] instanceof Secret),
    answerHeaders: (headers, status) => headersOf(headers, (name) => isSensitiveName(name) || (hides(status) && !isPlainHeader(name))),
    excerpt,
    errorCode: (text) => (secretAnswers && !isCodeWord(text) ? undefined : excerpt(text)),
    answerExcerpt: (text) => (secretAnswers ? '(not shown: it may hold a token)' : excerpt(text)),
    body,
    answer: (bytes, status) =>
      bytes === undefined || bytes.length === 0 || !hides(status)
        ? body(bytes)
        : body(maskSecretAnswer(Buffer.from(bytes).toString('utf8'))),
  };
}

/**
 * Values that are secrets by their names (a token answer's, a form's) are masked though nobody knows them yet. `exchange`: of
 * tokens; elsewhere a key `code` in JSON is a column of the provider's, such as a coupon's.
 */
function maskNamed(text: string, exchange: boolean): string {
  const json = text.replace(/"([\w.-]{1,60})"(\s*:\s*)"((?:[^"\\]|\\.)*)("|$)/g, (all, name: string, colon: string, value: string) =>
    value !== '' && isSensitiveName(name) && (exchange || name.toLowerCase() !== 'code') && !isErrorCode(name, value)
      ? `"${name}"${colon}"${MASK}"`
      : all,
  );
  return json.replace(/(^|[?&\s])([\w.-]{1,60})=([^&\s"<>]+)/g, (all, before: string, name: string) =>
    isSensitiveName(name) ? `${before}${name}=${MASK}` : all,
  );
}

/** `code` is an authorization code in a callback, but a word in an error. */
const isErrorCode = (name: string, value: string) => /code$/i.test(name) && isCodeWord(value);

const isCodeWord = (value: string) => /^([A-Z_.]{2,40}|[a-z_.-]{2,40}|[A-Z][A-Za-z]{1,39}|([A-Z]{1,10})?\d{1,7})$/.test(value);

function textOf(body: string | Uint8Array): string {
  if (typeof body === 'string') return body;
  // More than a cut looks at, even at four bytes a character.
  const head = Buffer.from(body.buffer, body.byteOffset, Math.min(body.length, 5 * (IN_EVENT + OVERLAP)));
  const text = head.toString('utf8');
  return /(?!\s)\p{Cc}/u.test(text.slice(0, 200)) ? `(${body.length} bytes)` : text;
}
