import { wellFormed } from './encode.ts';
import { reveal, type Secret } from './secret.ts';

const MASK = '[secret]';
/** Shorter values stand in too many innocent words to be replaced inside one. */
const SHORTEST_INSIDE = 4;

/** Values made for one request each (signatures) are forgotten after so many others: the answers that could show them are read by then. */
const MOST_PASSING = 1000;

interface Shapes {
  /** Texts to look for as they are. */
  forms: string[];
  /** For a value too short for that. */
  whole?: RegExp;
}

/**
 * Replaces every form of every known secret in a text: raw, base64 at each of the three offsets in both alphabets,
 * percent-encoded (once or twice), JSON- and HTML-escaped, hexadecimal; the encodings also of what a form or JSON makes of it. The last guard before text leaves for a person,
 * a log or a file; the first is that secrets are `Secret`.
 */
export class Redactor {
  /** Forms are worked out when something is shown, which mostly never happens. */
  readonly #kept = new Map<string, Shapes | undefined>();
  readonly #passing = new Map<string, Shapes | undefined>();
  #forms: string[] = [];
  #whole: RegExp[] = [];
  #ready = true;

  get size(): number {
    return this.#kept.size + this.#passing.size;
  }

  /** For as long as the redactor lives. */
  add(secret: string | Secret): void {
    const text = reveal(secret);
    if (text === '' || this.#kept.has(text)) return;
    this.#passing.delete(text);
    this.#kept.set(text, undefined);
    this.#ready = false;
  }

  /** For something that a request carries, each time that one does. */
  addPassing(secret: string | Secret): void {
    const text = reveal(secret);
    if (text === '' || this.#kept.has(text)) return;
    const shapes = this.#passing.get(text);
    if (!this.#passing.delete(text)) this.#ready = false;
    this.#passing.set(text, shapes);
    const [oldest] = this.#passing.keys();
    if (this.#passing.size > MOST_PASSING && oldest !== undefined) this.#passing.delete(oldest);
  }

  redact(text: string): string {
    if (!this.#ready) this.#prepare();
    let result = text;
    for (const form of this.#forms) {
      if (result.includes(form)) result = result.replaceAll(form, MASK);
    }
    for (const pattern of this.#whole) result = result.replace(pattern, MASK);
    return result;
  }

  #prepare(): void {
    const forms = new Set<string>();
    this.#whole = [];
    for (const known of [this.#kept, this.#passing]) {
      for (const [text, before] of known) {
        const shapes = before ?? shapesOf(text);
        if (!before) known.set(text, shapes);
        for (const form of shapes.forms) forms.add(form);
        if (shapes.whole) this.#whole.push(shapes.whole);
      }
    }
    // Longest first: a form that holds another one must go before it.
    this.#forms = [...forms].sort((a, b) => b.length - a.length);
    this.#ready = true;
  }
}

function shapesOf(text: string): Shapes {
  if (text.length >= SHORTEST_INSIDE) return { forms: formsOf(text) };
  // An escape (%3D) is no letter of a word.
  return { forms: [], whole: new RegExp(`(?:(?<![\\w-])|(?<=%[\\dA-Fa-f]{2}))${escapeRegExp(text)}(?![\\w-])`, 'g') };
}

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');

function formsOf(text: string): string[] {
  const lines = text.split(/\r?\n/).filter((line) => line.length >= 16);
  const texts = lines.length > 1 ? [text, ...lines] : [text];
  const forms: string[] = [];
  for (const one of texts) {
    forms.push(one, ...percentForms(one), ...jsonForms(one), ...htmlForms(one));
    for (const sent of sentForms(one)) forms.push(...percentEncodings(sent), ...base64Forms(sent), ...hexForms(sent));
  }
  return forms.filter((form) => form.length >= SHORTEST_INSIDE);
}

/** As it is, and as it stands in a form or in JSON that was sent: a provider may say back all of that body in base64. */
function sentForms(text: string): Set<string> {
  const form = new URLSearchParams({ a: text }).toString().slice(2);
  return new Set([text, form, encodeURIComponent(wellFormed(text)), JSON.stringify(text).slice(1, -1)]);
}

/** RFC 3986 with each set of characters that encoders leave alone, form encoding (+ for space), both hex cases; and all that once more. */
function percentForms(text: string): string[] {
  const once = percentEncodings(text);
  // A URL within a URL or a form: how a login page or an error repeats the address that was asked for.
  return [...once, ...once.flatMap(percentEncodings)];
}

function percentEncodings(text: string): string[] {
  const url = encodeURIComponent(wellFormed(text));
  const strict = url.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const form = new URLSearchParams({ a: text }).toString().slice(2);
  const path = encodeURI(wellFormed(text));
  // The URL parser escapes ' in a query and leaves its neighbours alone (WHATWG URL, special-query percent-encode set).
  const query = url.replaceAll("'", '%27');
  const all = [url, strict, form, path, query, url.replaceAll('%20', '+'), strict.replaceAll('%20', '+')];
  return [...new Set([...all, ...all.map((one) => one.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase()))])];
}

function hexForms(text: string): string[] {
  const hex = Buffer.from(text, 'utf8').toString('hex');
  return [hex, hex.toUpperCase()];
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

/** Names come again with each request; so many different ones are remembered. */
const MOST_NAMES = 500;
const judged = new Map<string, boolean>();

/** Is that a header, query parameter or field whose value is a secret by its name? */
export function isSensitiveName(name: string): boolean {
  const known = judged.get(name);
  if (known !== undefined) return known;
  if (judged.size >= MOST_NAMES) judged.clear();
  const is = judgeName(name);
  judged.set(name, is);
  return is;
}

function judgeName(name: string): boolean {
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
