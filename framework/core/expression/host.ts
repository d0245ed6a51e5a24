import { FerruleError } from '../errors.ts';
import { urlOf } from '../url.ts';

const LABEL = /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$/;

/** The text, if it is one DNS label (RFC 1034, section 3.5; underscores are in use). */
export function hostLabel(text: string): string {
  if (!LABEL.test(text)) throw refusedHost('it must be one DNS label: letters, digits and hyphens');
  return text;
}

/** The text, if it is labels with dots between them: no scheme, port, user info, path or foreign letter. */
export function hostName(text: string): string {
  if (text.length > 253 || !text.split('.').every((label) => LABEL.test(label))) {
    throw refusedHost('it must be a host name such as api.example.com, without scheme, port, path or @');
  }
  return text;
}

/** `https://Host/path/` → `https://host/path`: what a field of type url gives at the start of a URL. */
export function urlStart(text: string): string {
  if (/[^\x21-\x7e]|[\\?#]/.test(text) || !/^https?:\/\//i.test(text)) {
    throw refusedHost('it must be a URL such as https://acme.example.com, without query and #');
  }
  const authority = text.replace(/^https?:\/\//i, '').split('/')[0]!;
  const [, name = '', ipv6] = /^([^:[\]@]*|(\[[\da-f:.]+\]))(?::\d{1,5})?$/i.exec(authority) ?? [];
  if (ipv6 === undefined) hostName(name);
  // It also proves that no parser reads another host: %2e, 127.1.
  assertHost(text, authority);
  const url = new URL(text);
  return url.origin + url.pathname.replace(/\/+$/, '');
}

/** A URL that an answer gave, character for character: a signature covers its query. Whether its host may be asked is the client's to say. */
export function wholeUrl(text: string): string {
  const parsed = /[^\x21-\x7e]|\\/.test(text) ? undefined : urlOf(text);
  if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.username !== '' || parsed.password !== '')
    throw refusedHost('it must be a whole URL such as https://files.example.com/a?signature=b');
  return text;
}

/**
 * Proof after composing: the URL has exactly the host that was put together. It catches what character rules cannot,
 * such as 0x7f.1, which URL parsers read as 127.0.0.1.
 */
export function assertHost(url: string, host: string): void {
  const parsed = urlOf(url);
  const wanted = host.toLowerCase().replace(parsed?.protocol === 'https:' ? /:443$/ : /:80$/, '');
  if (!parsed || parsed.host !== wanted || parsed.username !== '' || parsed.password !== '') {
    throw refusedHost('the URL that it gives has another host');
  }
}

export function refusedHost(why: string): FerruleError {
  return new FerruleError('input_malformed', `A value does not fit a host: ${why}.`);
}
