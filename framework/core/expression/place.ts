import { percent } from '../encode.ts';
import { FerruleError } from '../errors.ts';
import { hostLabel, hostName, urlStart, wholeUrl } from './host.ts';
import type { Expression, Place, Problem, Stands } from './types.ts';

/** A piece of a text whose expression is compiled. */
export type Compound = { text: string } | { expression: Expression; start: number; end: number };

/** Where each piece of a URL stands, and what may not stand there. One entry per piece. */
export function standsInUrl(pieces: readonly Compound[]): { stands: Stands[]; problems: Problem[] } {
  const url = new UrlWalk();
  for (const piece of pieces) url.take(piece);
  return { stands: url.stands, problems: url.problems };
}

type State = 'start' | 'behind_url' | 'host' | 'path' | 'query' | 'fragment';

class UrlWalk {
  readonly stands: Stands[] = [];
  readonly problems: Problem[] = [];
  #state: State = 'start';
  /** Nothing stands in the host so far. */
  #hostEmpty = true;
  /** Still in the first segment of a relative path, which began with an expression. */
  #firstSegment = false;
  #end = 0;

  take(piece: Compound): void {
    if ('text' in piece) {
      this.#literal(piece.text);
      this.stands.push('text');
      this.#end += piece.text.length;
    } else {
      this.#expression(piece.expression, piece);
      this.#end = piece.end;
    }
  }

  #problem(at: { start: number; end: number }, message: string, hint?: string): void {
    this.problems.push({ rule: 'expression_place', message, ...(hint !== undefined && { hint }), start: at.start, end: at.end });
  }

  #literal(text: string): void {
    const at = { start: this.#end, end: this.#end + text.length };
    if (/[\\\s]/.test(text)) this.#problem(at, 'A URL has no spaces and no backslashes.');
    let rest = text;
    if (this.#state === 'start') rest = this.#beginning(text, at);
    if (this.#state === 'behind_url') {
      if (!/^[/?]/.test(rest)) this.#problem(at, 'Behind a whole URL comes / or ?.');
      this.#state = 'path';
    }
    if (this.#firstSegment && /^[^/?#]*:/.test(rest))
      this.#problem(at, 'An expression cannot give the scheme of a URL.', 'Write https:// as it is.');
    if (/[/?#]/.test(rest)) this.#firstSegment = false;
    if (this.#state === 'host') rest = this.#host(rest, at);
    if (this.#state === 'path' && /[?#]/.test(rest)) {
      const cut = rest.search(/[?#]/);
      this.#state = rest[cut] === '?' ? 'query' : 'fragment';
      rest = rest.slice(cut + 1);
    }
    if (this.#state === 'query' && rest.includes('#')) this.#state = 'fragment';
  }

  #beginning(text: string, at: { start: number; end: number }): string {
    const scheme = /^[A-Za-z][\w+.-]*:(\/\/)?/.exec(text);
    if (!scheme) {
      if (text.startsWith('//')) this.#problem(at, 'A URL begins with https:// or with one /.');
      this.#state = 'path';
      this.#firstSegment = !/[/?#]/.test(text);
      return text;
    }
    if (!scheme[1]) this.#problem(at, 'Behind the scheme of a URL comes //.');
    this.#state = 'host';
    return text.slice(scheme[0].length);
  }

  #host(text: string, at: { start: number; end: number }): string {
    const cut = text.search(/[/?#]/);
    const host = cut < 0 ? text : text.slice(0, cut);
    if (host.includes('@')) this.#problem(at, 'A URL names no user; use auth.');
    if (host !== '') this.#hostEmpty = false;
    if (cut < 0) return '';
    if (this.#hostEmpty) this.#problem(at, 'The URL has no host.');
    this.#state = 'path';
    return text.slice(cut);
  }

  #expression(expression: Expression, at: { start: number; end: number }): void {
    if (this.#state === 'start' && expression.entry?.url) {
      this.#state = 'behind_url';
      this.stands.push('url');
      return;
    }
    if (this.#state === 'behind_url') {
      this.#problem(at, 'Behind a whole URL comes / or ?.');
      this.#state = 'path';
    }
    if (this.#state === 'start') {
      this.#state = 'path';
      this.#firstSegment = true;
    }
    if (this.#state === 'host') {
      this.#hostEmpty = false;
      const problem = hostProblem(expression);
      if (problem) this.#problem(at, problem.message, problem.hint);
    }
    if (this.#state === 'fragment') this.#problem(at, 'What stands behind # is never sent.');
    this.stands.push(this.#state === 'host' || this.#state === 'query' ? this.#state : 'path');
  }
}

/** Only what makes the set of hosts known from the spec alone may stand in a host. */
export function hostProblem(expression: Expression): { message: string; hint: string } | undefined {
  if (expression.hostLabel || expression.entry?.host) return undefined;
  if (expression.entry?.url) {
    return {
      message: 'A whole URL stands at the start, not behind https://.',
      hint: `Write \${${expression.source}} first: it has its scheme.`,
    };
  }
  return {
    message: 'This may not stand in a host.',
    hint: 'A host takes an attribute of a choice, a field of type subdomain or host, a capture of type host, or host_label(…).',
  };
}

/** Characters 0–31 and 127–159. */
const isControl = (char: string): boolean => /\p{Cc}/u.test(char);

/** What a literal text may not hold in its place, or undefined. */
export function literalProblem(text: string, place: Place): string | undefined {
  if (place === 'header' && headerRefuses(text)) return 'A header has no control characters and none beyond Latin-1.';
  if (place === 'cookie' && cookieRefuses(text))
    return 'A cookie has no control characters, spaces, quotes, commas, semicolons or backslashes.';
  return undefined;
}

const headerRefuses = (text: string): boolean => /[^\t\x20-\x7e\xa0-\xff]/.test(text);
/** RFC 6265, section 4.1.1: cookie-octet. */
const cookieRefuses = (text: string): boolean => /[^\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]/.test(text);

/** A value as it must stand in its place. @throws FerruleError input_malformed where it cannot; without the value */
export function placed(text: string, expression: Expression, place: Place, stands: Stands): string {
  try {
    return stands === 'text' ? placedText(text, place) : placedInUrl(text, expression, stands);
  } catch (error) {
    if (!(error instanceof FerruleError)) throw error;
    throw new FerruleError(error.code, error.message, { where: `\${${expression.source}}` });
  }
}

function placedText(text: string, place: Place): string {
  switch (place) {
    case 'header':
      if (headerRefuses(text)) throw refused('a header', 'control characters or characters beyond Latin-1');
      return text;
    case 'cookie':
      if (cookieRefuses(text)) throw refused('a cookie', 'control characters, spaces, quotes, commas, semicolons or backslashes');
      return text;
    case 'xml':
      return xmlText(text);
    case 'label':
      // Shown in terminals and pages: a provider's text must not move the cursor.
      return text.replace(/\p{Cc}/gu, ' ');
    default:
      return text;
  }
}

function placedInUrl(text: string, expression: Expression, stands: Stands): string {
  switch (stands) {
    case 'url':
      return expression.entry?.url === 'whole' ? wholeUrl(text) : urlStart(text);
    case 'host':
      if (expression.hostLabel || expression.entry?.host === 'label') return hostLabel(text);
      // Text of the spec itself may name a port, as it may behind https://.
      hostName(expression.entry?.trusted ? text.replace(/:\d{1,5}$/, '') : text);
      return text;
    case 'query':
      return percent(text);
    default:
      return expression.entry?.trusted ? trustedPath(text) : segment(text);
  }
}

function segment(text: string): string {
  if (text === '' || text === '.' || text === '..') {
    throw refused('a path', text === '' ? 'an empty value: the request would go elsewhere' : 'a value of dots alone');
  }
  return percent(text);
}

/** Text of the spec may hold slashes; it is no way out either. */
function trustedPath(text: string): string {
  return text
    .split('/')
    .map((part) => (part === '' ? '' : segment(part)))
    .join('/');
}

const XML: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

function xmlText(text: string): string {
  for (const char of text) {
    if ((isControl(char) && !/[\t\n\r\x7f-\x9f]/.test(char)) || /[\ufffe\uffff\ud800-\udfff]/u.test(char)) {
      throw refused('XML', 'characters that XML cannot hold');
    }
  }
  return text.replace(/[&<>"']/g, (char) => XML[char]!);
}

function refused(what: string, why: string): FerruleError {
  return new FerruleError('input_malformed', `A value does not fit into ${what}: it has ${why}.`);
}
