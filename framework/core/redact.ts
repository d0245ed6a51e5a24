import { wellFormed } from './encode.ts';
import { reveal, type Secret } from './secret.ts';

const MASK = '[secret]';
/** Shorter values stand in too many innocent words to be replaced inside one. */
const SHORTEST_INSIDE = 4;

/**
 * Replaces every form of every known secret in a text: raw, base64 at each of the three offsets in both alphabets,
 * percent-encoded, JSON- and HTML-escaped. The last guard before text leaves for a person, a log or a file; the first
 * is that secrets are `Secret`.
 */
export class Redactor {
  readonly #known = new Set<string>();
  #forms: string[] = [];
  #whole: RegExp[] = [];

  get size(): number {
    return this.#known.size;
  }

  add(secret: string | Secret): void {
    const text = reveal(secret);
    if (text === '' || this.#known.has(text)) return;
    this.#known.add(text);
    if (text.length < SHORTEST_INSIDE) {
      this.#whole.push(new RegExp(`(?<![\\w-])${escapeRegExp(text)}(?![\\w-])`, 'g'));
      return;
    }
    // Longest first: a form that holds another one must go before it.
    this.#forms = [...new Set([...this.#forms, ...formsOf(text)])].sort((a, b) => b.length - a.length);
  }

  redact(text: string): string {
    let result = text;
    for (const form of this.#forms) {
      if (result.includes(form)) result = result.replaceAll(form, MASK);
    }
    for (const pattern of this.#whole) result = result.replace(pattern, MASK);
    return result;
  }
}

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');

function formsOf(text: string): string[] {
  const lines = text.split(/\r?\n/).filter((line) => line.length >= 16);
  const texts = lines.length > 1 ? [text, ...lines] : [text];
  const forms: string[] = [];
  for (const one of texts) forms.push(one, ...percentForms(one), ...jsonForms(one), ...htmlForms(one), ...base64Forms(one));
  return forms.filter((form) => form.length >= SHORTEST_INSIDE);
}

/** RFC 3986 with each set of characters that encoders leave alone, form encoding (+ for space), both hex cases. */
function percentForms(text: string): string[] {
  const url = encodeURIComponent(wellFormed(text));
  const strict = url.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const form = new URLSearchParams({ a: text }).toString().slice(2);
  const path = encodeURI(wellFormed(text));
  const all = [url, strict, form, path, url.replaceAll('%20', '+'), strict.replaceAll('%20', '+')];
  return [...all, ...all.map((one) => one.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase()))];
}

function jsonForms(text: string): string[] {
  const json = JSON.stringify(text).slice(1, -1);
  const hex = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  const ascii = json.replace(/[\u0080-\uffff]/g, hex);
  const html = ascii.replace(/[<>&']/g, hex);
  const all = [json, ascii, html, json.replaceAll('/', '\\/'), ascii.replaceAll('/', '\\/')];
  // Text of an error that was put into JSON a second time.
  return [...all, JSON.stringify(json).slice(1, -1)];
}

function htmlForms(text: string): string[] {
  const basic = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const double = basic.replaceAll('"', '&quot;');
  return [basic, double, ...['&#39;', '&#x27;', '&apos;'].map((quote) => double.replaceAll("'", quote)), double.replaceAll('"', '&#34;')];
}

/** What is left of the text in base64 whatever stands before and after it: only characters that it alone decides. */
function base64Forms(text: string): string[] {
  const forms: string[] = [];
  for (const bytes of [Buffer.from(text, 'utf8'), Buffer.from(text, 'latin1')]) {
    for (const offset of [0, 1, 2]) {
      const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
      const sure = encoded.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
      forms.push(sure, sure.replaceAll('+', '-').replaceAll('/', '_'), encodeURIComponent(sure));
    }
  }
  return forms;
}

const SENSITIVE =
  /(^|[-_.])(tokens?|secret|passwd|pwd|passphrase|signature|sig|assertion|credentials?|cookies?|jwt|otp|verifier|sid|session|session[-_.]?id)$/;
/** `key` and `code` alone, or with a word before them that says so: `sort_key` and `country_code` are no secrets. */
const KEY = /^key$|(^|[-_.])(api|access|secret|private|app|application|auth|client|consumer|subscription|license|shared|master)[-_.]?key$/;
const CODE = /^code$|(^|[-_.])(auth|authorization|device|user)[-_.]?code$/;
const ANYWHERE = /password|secret|apikey|authtoken|authorization|(access|refresh|id)[-_.]?token/;
/** Page tokens say where a list goes on; hiding them would blind a trace. */
const PAGE_TOKEN = /(^|[-_.])(next|previous|prev|page|continuation|sync)[-_.]?(page[-_.]?)?token$/;

/** Is that a header, query parameter or field whose value is a secret by its name? */
export function isSensitiveName(name: string): boolean {
  const plain = name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
  if (PAGE_TOKEN.test(plain)) return false;
  return SENSITIVE.test(plain) || KEY.test(plain) || CODE.test(plain) || ANYWHERE.test(plain);
}

/** A URL that may be shown: values of sensitive query names and user info are masked; it may be relative. */
export function redactUrl(url: string): string {
  const [beforeHash = '', hash] = split(url, '#');
  const [path = '', query] = split(beforeHash, '?');
  const shown = path.replace(/^([A-Za-z][\w+.-]*:)?\/\/[^/@]*@/, (_, scheme: string | undefined) => `${scheme ?? ''}//${MASK}@`);
  return shown + (query === undefined ? '' : `?${redactPairs(query)}`) + (hash === undefined ? '' : `#${redactPairs(hash)}`);
}

function split(text: string, mark: string): [string, string | undefined] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function redactPairs(query: string): string {
  return query
    .split('&')
    .map((pair) => {
      const [name, value] = split(pair, '=');
      return value !== undefined && isSensitiveName(decoded(name)) ? `${name}=${MASK}` : pair;
    })
    .join('&');
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll('+', ' '));
  } catch {
    // Broken percent signs: the name as it stands is the best there is.
    return name;
  }
}
