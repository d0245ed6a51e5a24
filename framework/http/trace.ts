import { isSensitiveName, type Redactor, redactUrl } from '../core/redact.ts';
import { Secret } from '../core/secret.ts';
import type { RequestDraft } from '../core/value.ts';

const MASK = '[secret]';
/** Longest excerpt in an error, in characters. */
const IN_ERROR = 300;
/** Longest body in an event. */
const IN_EVENT = 4000;
/** Text read beyond a cut, so that a secret that lies across it is seen whole. */
const OVERLAP = 8192;

/** Everything that is shown goes through here. */
export interface Shown {
  /** Method and URL without query. */
  where(method: string, url: URL): string;
  url(href: string, bare: boolean): string;
  headers(headers: Record<string, string | string[] | undefined>, draft?: RequestDraft): Record<string, string>;
  /** At most 300 characters in one line. */
  excerpt(text: string): string;
  body(body: string | Uint8Array | undefined): string | undefined;
}

export function createShown(redactor: Redactor): Shown {
  const cut = (text: string, most: number) => {
    const whole = text.length <= most + OVERLAP;
    const masked = redactor.redact(maskNamed(whole ? text : text.slice(0, most + OVERLAP)));
    // Masks are short: what lay beyond the cut must not move up into it half seen.
    const sure = whole ? masked : masked.slice(0, Math.max(0, masked.length - OVERLAP));
    return sure.length <= most && whole ? sure : `${sure.slice(0, most)}…`;
  };
  return {
    where: (method, url) => redactor.redact(`${method} ${url.origin}${url.pathname}`),
    // A download URL is a credential in itself: its query is not shown at all.
    url: (href, bare) => redactor.redact(bare ? href.replace(/\?.*$/s, `?${MASK}`) : redactUrl(href)),
    headers(headers, draft) {
      const result: Record<string, string> = {};
      for (const [name, value] of Object.entries(headers)) {
        if (value === undefined) continue;
        const secret = isSensitiveName(name) || draft?.headers[name] instanceof Secret;
        const text = Array.isArray(value) ? value.join(', ') : value;
        result[name] = secret ? MASK : redactor.redact(name === 'location' ? redactUrl(text) : text);
      }
      return result;
    },
    excerpt: (text) => cut(text.replace(/\s+/g, ' ').trim(), IN_ERROR - 1),
    body: (body) => (body === undefined || body.length === 0 ? undefined : cut(textOf(body), IN_EVENT)),
  };
}

/** Values that are secrets by their names (a token answer's, a form's) are masked though nobody knows them yet. */
function maskNamed(text: string): string {
  const json = text.replace(/"([\w.-]{1,60})"(\s*:\s*)"((?:[^"\\]|\\.)*)("|$)/g, (all, name: string, colon: string, value: string) =>
    value !== '' && isSensitiveName(name) && !isErrorCode(name, value) ? `"${name}"${colon}"${MASK}"` : all,
  );
  return json.replace(/(^|[?&\s])([\w.-]{1,60})=([^&\s"<>]+)/g, (all, before: string, name: string) =>
    isSensitiveName(name) ? `${before}${name}=${MASK}` : all,
  );
}

/** `code` is an authorization code in a callback, but a word in an error. */
const isErrorCode = (name: string, value: string) =>
  /code$/i.test(name) && /^([A-Z_]{2,40}|[a-z_]{2,40}|[A-Z][A-Za-z]{1,39}|\d{1,5})$/.test(value);

function textOf(body: string | Uint8Array): string {
  if (typeof body === 'string') return body;
  // More than a cut looks at, even at four bytes a character.
  const head = Buffer.from(body.buffer, body.byteOffset, Math.min(body.length, 5 * (IN_EVENT + OVERLAP)));
  const text = head.toString('utf8');
  return /(?!\s)\p{Cc}/u.test(text.slice(0, 200)) ? `(${body.length} bytes)` : text;
}
