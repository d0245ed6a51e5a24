import { isIPv4, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';

/** A value that fits, in the form in which it is kept, or what is wrong with it. Never repeats the value: a secret may have been pasted into the wrong field. */
export type Checked<T> = { value: T } | { problem: string; hint?: string };

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

/** A literal loopback address; `localhost` is a name, which anybody may resolve to anything. */
export const isLoopbackAddress = (host: string): boolean => (isIPv4(host) && host.startsWith('127.')) || host === '[::1]';

/** One DNS label (RFC 1123, 2.1): letters, digits and inner hyphens, at most 63. */
export function checkSubdomain(text: string): Checked<string> {
  const label = text.toLowerCase();
  if (LABEL.test(label) && decodes(label)) return { value: label };
  if (text.includes('.') || text.includes('/')) {
    return { problem: 'is more than one part of a host name', hint: 'Write only the part before the first dot, without https://.' };
  }
  return { problem: 'is no part of a host name', hint: 'Use letters, digits and inner hyphens, at most 63 characters.' };
}

/**
 * A host as it stands in a URL: a DNS name, an IPv4 address in its usual form, or an IPv6 address in brackets. No port, no
 * user, no path; ASCII only. With `patterns` it must match one of them.
 */
export function checkHost(text: string, patterns?: readonly string[]): Checked<string> {
  const host = text.toLowerCase();
  const wrong = wrongHost(host);
  if (wrong) return wrong;
  if (patterns && !patterns.some((pattern) => matchesHost(host, pattern))) {
    return { problem: 'is not a host that this connector may reach', hint: `It must be ${patterns.join(' or ')}.` };
  }
  return { value: host };
}

/** `*.acme.com` stands for any name under acme.com at any depth, not for acme.com itself; any other pattern for itself. */
export function matchesHost(host: string, pattern: string): boolean {
  const wanted = pattern.toLowerCase();
  return wanted.startsWith('*.') ? host.endsWith(wanted.slice(1)) && host.length > wanted.length - 1 : host === wanted;
}

/** Punycode may decode to nothing, or to what is written otherwise. */
const decodes = (host: string): boolean => !host.includes('xn--') || domainToASCII(host) === host;

function wrongHost(host: string): { problem: string; hint?: string } | undefined {
  if (host === '') return { problem: 'has no host' };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (/[^\x00-\x7f]/.test(host)) {
    return { problem: 'has letters outside ASCII in its host', hint: 'If that is meant, write the xn-- form of the name.' };
  }
  if (/\s/.test(host)) return { problem: 'has a space in its host' };
  if (host.includes('@')) return { problem: 'has an @ in its host', hint: 'Leave out user name and password; there are fields for them.' };
  if (host.startsWith('['))
    return host.endsWith(']') && isIPv6(host.slice(1, -1)) && !host.includes('%') ? undefined : { problem: 'is no IPv6 address' };
  if (/[/\\?#]/.test(host)) return { problem: 'is more than a host', hint: 'Write only the name, without https:// and without a path.' };
  if (host.includes(':')) return { problem: 'has a port', hint: 'Write only the host name.' };
  const labels = host.split('.');
  // WHATWG URL reads a host that ends in a number as an IPv4 address: 0x7f.1 and 2130706433 are loopback there.
  if (/^(?:\d+|0x[0-9a-f]*)$/.test(labels.at(-1)!))
    return isIPv4(host) ? undefined : { problem: 'ends in a number and is no IPv4 address' };
  if (host.endsWith('.')) return { problem: 'ends with a dot' };
  if (host.length > 253 || !labels.every((label) => LABEL.test(label))) {
    return { problem: 'is no host name', hint: 'Use letters, digits, inner hyphens and dots, as in acme.example.com.' };
  }
  if (!decodes(host)) return { problem: 'is no host name: its xn-- part does not decode' };
  return undefined;
}
