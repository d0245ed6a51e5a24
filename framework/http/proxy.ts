import { BlockList, isIP } from 'node:net';
import { FerruleError } from '../core/errors.ts';
import { reveal, Secret, type Text } from '../core/secret.ts';
import type { Network } from './types.ts';

/** Proxy settings from the environment that is passed in: HTTPS_PROXY, ALL_PROXY, NO_PROXY, upper case or lower. */
export function networkFromEnvironment(env: Record<string, string | undefined>): Pick<Network, 'proxy' | 'noProxy'> {
  const get = (name: string) => env[name.toLowerCase()] || env[name] || undefined;
  const proxy = get('HTTPS_PROXY') ?? get('ALL_PROXY');
  const noProxy = get('NO_PROXY');
  return { ...(proxy !== undefined && { proxy: new Secret(proxy) }), ...(noProxy !== undefined && { noProxy }) };
}

/** The proxy's address; its user name and password, if any, stay inside. Default port as the scheme's. */
export function parseProxy(proxy: Text): { url: URL; shown: string } {
  const text = reveal(proxy);
  let url: URL;
  try {
    url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
    decodeURIComponent(url.username + url.password);
  } catch {
    throw new FerruleError('input_malformed', 'The proxy address does not parse.', {
      where: 'proxy',
      next: 'Write it as http://user:password@host:port.',
    });
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new FerruleError('not_supported', `A proxy of type ${url.protocol.slice(0, -1)} is not supported.`, {
      where: 'proxy',
      next: 'Use an HTTP proxy: http://host:port.',
    });
  }
  return { url, shown: `${url.hostname}:${url.port || (url.protocol === 'https:' ? '443' : '80')}` };
}

/** Is the host excepted by NO_PROXY? Entries: `*`, `acme.com` and `.acme.com` (with all names below), `*.acme.com`, an IP, a CIDR range, each with `:port` if wanted. */
export function bypassesProxy(url: URL, noProxy: string | undefined): boolean {
  if (noProxy === undefined) return false;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return noProxy
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => matchesEntry(entry.toLowerCase(), host, port));
}

function matchesEntry(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  const range = /^(.+)\/(\d+)$/.exec(entry);
  if (range) return inRange(host, range[1] ?? '', Number(range[2]));
  const bare = entry.replace(/^\[|\](?=:|$)/g, '');
  if (isIP(bare) !== 0) return bare === host;
  const [, name = '', wanted] = /^(.*?)(?::(\d+))?$/.exec(bare) ?? [];
  if (wanted !== undefined && wanted !== port) return false;
  const suffix = name.replace(/^\*?\.?/, '');
  return suffix !== '' && (host === suffix || (isIP(host) === 0 && host.endsWith(`.${suffix}`)));
}

function inRange(host: string, network: string, bits: number): boolean {
  const family = isIP(network);
  if (family === 0 || isIP(host) !== family || bits > (family === 4 ? 32 : 128)) return false;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(network, bits, type);
  return list.check(host, type);
}
