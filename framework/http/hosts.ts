import { isIP } from 'node:net';
import { FerruleError } from '../core/errors.ts';
import { classifyAddress } from './addresses.ts';
import type { HostRule } from './types.ts';

export interface HostPolicyOptions {
  baseUrl: string;
  credentialHosts?: readonly HostRule[];
  allowHttpLoopback?: boolean;
  /** Spec origin → `http://127.0.0.1:port`. */
  addressMap?: ReadonlyMap<string, string>;
}

/** Where a request may go, and where on the wire it goes then. Every method throws a FerruleError instead of answering no. */
export interface HostPolicy {
  readonly base: URL;
  /** A path under the base URL, or an absolute URL, as a URL. Says nothing about whether it may be reached. */
  resolve(url: string): URL;
  /** May the credential go there? */
  mayHaveCredential(url: URL): boolean;
  /** Refuses what no call may reach; with `credential`, also what the credential may not reach. */
  check(url: URL, credential: boolean): void;
  /** The origin to connect to: the URL itself, or the sandbox's by the address map. */
  onTheWire(url: URL): URL;
}

const ABSOLUTE = /^(?:[a-z][a-z0-9+.-]*:)?\/\//i;
/** The URL parser drops some of these in silence, so that a path could turn into another. */
const CONTROL = /[\p{Cc}\s\\]/u;

export function createHostPolicy(options: HostPolicyOptions): HostPolicy {
  const base = parseUrl(options.baseUrl, 'base URL');
  if (base.search !== '' || base.hash !== '') throw malformed('The base URL may have neither query nor fragment.', base.origin);
  const rules = (options.credentialHosts ?? []).map(parseRule);
  const map = options.addressMap && checkMap(options.addressMap);
  const { origin } = base;
  const mayHaveCredential = (url: URL) => url.origin === origin || rules.some((rule) => rule(url));
  checkScheme(base, options.allowHttpLoopback === true);

  const parsed = (url: string) =>
    ABSOLUTE.test(url) ? parseUrl(url.startsWith('//') ? base.protocol + url : url, 'URL') : join(base, url);
  let last: { text: string; url: URL } | undefined;

  return {
    base,
    // The pages of one stream ask for the same path again and again. Nobody changes a URL that was given out.
    resolve(text) {
      if (last?.text !== text) last = { text, url: parsed(text) };
      return last.url;
    },
    mayHaveCredential,
    check(url, credential) {
      if (!map && url.origin === origin) return;
      checkScheme(url, options.allowHttpLoopback === true);
      if (map && !map.has(url.origin)) {
        throw new FerruleError('credential_sandbox', `This connection is to a sandbox, which does not stand for ${url.origin}.`, {
          where: url.origin,
        });
      }
      if (credential && !mayHaveCredential(url)) {
        throw new FerruleError('host_refused', `The credential may not go to ${url.origin}: the spec does not name it.`, {
          where: url.origin,
        });
      }
    },
    onTheWire: (url) => map?.get(url.origin) ?? url,
  };
}

function join(base: URL, path: string): URL {
  // The usual path, which has nothing to look for.
  if (/^\/?\w[\w/-]*$/.test(path)) return new URL(rootOf(base) + (path.startsWith('/') ? path : `/${path}`));
  const end = path.search(/[?#]/);
  const pathname = end < 0 ? path : path.slice(0, end);
  if (CONTROL.test(path)) throw malformed('A path may hold no space, backslash or control character; percent-encode it.', base.origin);
  const segments = pathname.split('/').map((segment) => segment.replace(/%2e/gi, '.'));
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    throw malformed('A path may not hold . or .. as a segment: it would leave its place.', base.origin);
  }
  const root = rootOf(base);
  const rest = path.replace(/^\/+/, '');
  const url = new URL(rest === '' || /^[?#]/.test(rest) ? root + rest : `${root}/${rest}`);
  url.hash = '';
  return url;
}

const rootOf = (base: URL) => (base.href.endsWith('/') ? base.href.replace(/\/+$/, '') : base.href);

function parseUrl(text: string, what: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw malformed(`The ${what} does not parse.`);
  }
  if (CONTROL.test(text)) throw malformed(`The ${what} holds a space, backslash or control character.`, url.origin);
  if (url.username !== '' || url.password !== '') throw malformed(`The ${what} has a user name in it.`, url.origin);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new FerruleError('host_refused', `The ${what} is not https.`, { next: 'Only https URLs are called.' });
  }
  if (!text.includes('#')) return url;
  url.hash = '';
  return url;
}

function checkScheme(url: URL, allowHttpLoopback: boolean): void {
  if (url.protocol === 'https:') return;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (allowHttpLoopback && url.protocol === 'http:' && isIP(host) !== 0 && classifyAddress(host) === 'loopback') return;
  throw new FerruleError('host_refused', `${url.origin} is not https.`, {
    where: url.origin,
    next: 'Use https. Plain http is legal only for a literal loopback address, with allow_http: loopback in the spec.',
  });
}

function parseRule(rule: HostRule): (url: URL) => boolean {
  const pattern = /^(?:https:\/\/)?\*\.([^/*:]+)$/i.exec(rule);
  if (pattern) {
    const suffix = `.${hostOf(pattern[1] ?? '')}`;
    return (url) => url.protocol === 'https:' && url.port === '' && url.hostname.endsWith(suffix) && url.hostname.length > suffix.length;
  }
  const { origin } = parseUrl(/^https?:\/\//i.test(rule) ? rule : `https://${rule}`, 'host rule');
  return (url) => url.origin === origin;
}

const hostOf = (host: string) => parseUrl(`https://${host}`, 'host rule').hostname;

function checkMap(map: ReadonlyMap<string, string>): ReadonlyMap<string, URL> {
  for (const target of map.values()) {
    const url = parseUrl(target, 'sandbox address');
    const host = url.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) === 0 || classifyAddress(host) !== 'loopback') {
      throw new FerruleError('credential_sandbox', 'A sandbox is reached on a literal loopback address only.', { where: url.origin });
    }
  }
  return new Map([...map].map(([origin, target]) => [new URL(origin).origin, new URL(target)]));
}

const malformed = (message: string, where?: string) => new FerruleError('input_malformed', message, where === undefined ? {} : { where });
