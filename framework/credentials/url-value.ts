import { urlOf } from '../core/url.ts';
import { type Checked, checkHost, isLoopbackAddress, matchesHost } from './host-value.ts';

export interface UrlOptions {
  /** Patterns for its host. */
  hosts?: readonly string[];
  /** Plain http for a literal loopback address: only where the spec says `allow_http: loopback`. */
  allowHttpLoopback?: boolean;
}

/**
 * The address of a provider's site: https, a host, perhaps a port and a path. Kept with its host in lower case, without the default
 * port and without a slash at the end, so that `${fields.site}/rest` is right whatever was typed.
 */
export function checkUrl(text: string, { hosts, allowHttpLoopback = false }: UrlOptions = {}): Checked<string> {
  const parts = /^([a-z][a-z0-9+.-]*):\/\/([^/?#\\]*)([^?#]*)(.*)$/is.exec(text);
  if (!parts) return { problem: 'is no URL', hint: 'Write it with https://, as in https://acme.example.com.' };
  const [, scheme, authority, path, rest] = parts as unknown as [string, string, string, string, string];
  if (!/^https?$/i.test(scheme)) return { problem: 'does not begin with https://' };
  if (authority.includes('@')) {
    return { problem: 'has a user name or password in it', hint: 'Leave them out; there are fields for them.' };
  }
  if (rest !== '') return { problem: `has a ${rest.startsWith('?') ? 'query' : 'fragment'}`, hint: 'Leave out everything from ? or # on.' };
  const [, name, port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(authority) ?? [];
  const host = checkHost(name ?? authority);
  if ('problem' in host) return host;
  if (hosts && !hosts.some((pattern) => matchesHost(host.value, pattern))) {
    return { problem: 'is not on a host that this connector may reach', hint: `Its host must be ${hosts.join(' or ')}.` };
  }
  if (port !== undefined && !(/^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65535)) return { problem: 'has a port that is none' };
  // Another port is another program, which the host's owner need not have started.
  if (hosts && port !== undefined && port !== '443' && !isLoopbackAddress(host.value)) {
    return { problem: 'has a port', hint: 'This connector is reached at the usual port of https: leave the port out.' };
  }
  const plain = scheme.toLowerCase() === 'http';
  if (plain && !(allowHttpLoopback && isLoopbackAddress(host.value))) {
    return { problem: 'is plain http', hint: 'Write https://. Without TLS everybody on the way can read the credential.' };
  }
  const wrong = wrongPath(path);
  if (wrong) return wrong;
  const shownPort = port === undefined || port === (plain ? '80' : '443') ? '' : `:${port}`;
  const value = `${plain ? 'http' : 'https'}://${host.value}${shownPort}${path.replace(/\/$/, '')}`;
  // The parser that will send the request must read the same host: a difference here is how hosts are smuggled.
  const read = urlOf(value);
  if (!read || read.host !== host.value + shownPort || read.pathname.replace(/\/$/, '') !== path.replace(/\/$/, '')) {
    return { problem: 'is read differently by different programs', hint: 'Write its host and path in plain characters.' };
  }
  return { value };
}

function wrongPath(path: string): { problem: string; hint?: string } | undefined {
  if (path.includes('\\')) return { problem: 'has a backslash', hint: 'Write / instead.' };
  // RFC 3986, 3.3: what may stand in a path; anything else is percent-encoded.
  if (!/^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*$/.test(path)) {
    return { problem: 'has characters in its path that a URL cannot have', hint: 'Percent-encode them.' };
  }
  const segments = path
    .replace(/%2e/gi, '.')
    .replace(/^\/|\/$/g, '')
    .split('/');
  if (segments.some((segment) => segment === '.' || segment === '..')) return { problem: 'has . or .. in its path' };
  if (path.includes('//') || /%2f|%5c|%00/i.test(path)) return { problem: 'has an empty or encoded part in its path' };
  return undefined;
}
