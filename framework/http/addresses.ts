import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { FerruleError } from '../core/errors.ts';

export type AddressClass = 'public' | 'private' | 'loopback' | 'metadata' | 'never';

/** Where clouds hand out credentials to whoever asks from inside: never a provider's API. */
const METADATA = new Set([
  '169.254.169.254', // AWS, Azure, GCP, OpenStack
  '169.254.170.2', // AWS ECS
  '169.254.170.23', // AWS EKS
  '100.100.100.200', // Alibaba
  '168.63.129.16', // Azure wire server
  '192.0.0.192', // Oracle
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
]);

const METADATA_BYTES = new Set([...METADATA].map((address) => toBytes(address).join('.')));

/** Classes an IP literal (no brackets): RFC 6890 registries, RFC 1918, 4193, 6598. An IPv6 form of an IPv4 address is classed as that address. */
export function classifyAddress(address: string): AddressClass {
  const bytes = toBytes(address);
  if (METADATA_BYTES.has(bytes.join('.'))) return 'metadata';
  return bytes.length === 4 ? classifyV4(bytes) : classifyV6(bytes);
}

function classifyV4(bytes: number[]): AddressClass {
  const [a = 0, b = 0, c = 0] = bytes;
  if (a === 0 || a >= 224) return 'never'; // unspecified, multicast, reserved, broadcast
  if (a === 127) return 'loopback';
  if (a === 10 || (a === 172 && b >= 16 && b <= 31) || (a === 192 && b === 168)) return 'private';
  if (a === 100 && b >= 64 && b <= 127) return 'private'; // carrier-grade NAT
  if (a === 169 && b === 254) return 'private'; // link-local
  if ((a === 192 && b === 0 && c === 0) || (a === 198 && (b === 18 || b === 19))) return 'private'; // protocol assignments, benchmarks
  return 'public';
}

function classifyV6(bytes: number[]): AddressClass {
  const embedded = embeddedV4(bytes);
  if (embedded) return METADATA_BYTES.has(embedded.join('.')) ? 'metadata' : classifyV4(embedded);
  const [a = 0, b = 0] = bytes;
  if (bytes.every((byte, index) => byte === (index === 15 ? 1 : 0))) return 'loopback';
  if (bytes.every((byte) => byte === 0) || a === 0xff) return 'never';
  if ((a & 0xfe) === 0xfc) return 'private'; // unique local
  if (a === 0xfe && b >= 0x80) return 'private'; // link-local and the old site-local
  if (startsWith(bytes, 0, 0x64, 0xff, 0x9b, 0, 1)) return 'private'; // NAT64 of this site, RFC 8215
  return 'public';
}

const startsWith = (bytes: number[], ...prefix: number[]) => prefix.every((byte, index) => bytes[index] === byte);

/**
 * The IPv4 address inside ::ffff:0:0/96, ::ffff:0:0:0/96 (RFC 7915), ::/96 (but :: and ::1), 64:ff9b::/96, 2002::/16 and
 * 2001::/32 (Teredo, where it stands inverted: RFC 4380 section 4).
 */
function embeddedV4(bytes: number[]): number[] | undefined {
  const starts = (...prefix: number[]) => startsWith(bytes, ...prefix);
  const zeros = (from: number, to: number) => bytes.slice(from, to).every((byte) => byte === 0);
  if (zeros(0, 10) && bytes[10] === 0xff && bytes[11] === 0xff) return bytes.slice(12);
  if (zeros(0, 8) && bytes[8] === 0xff && bytes[9] === 0xff && zeros(10, 12)) return bytes.slice(12);
  if (starts(0x20, 0x01, 0, 0)) return bytes.slice(12).map((byte) => byte ^ 0xff);
  if (zeros(0, 12) && !zeros(12, 15)) return bytes.slice(12);
  if (starts(0, 0x64, 0xff, 0x9b) && zeros(4, 12)) return bytes.slice(12);
  if (starts(0x20, 0x02)) return bytes.slice(2, 6);
  return undefined;
}

function toBytes(address: string): number[] {
  if (isIP(address) === 4) return address.split('.').map(Number);
  let text = address.replace(/%.*$/, '');
  const dotted = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  if (dotted) {
    const [a = 0, b = 0, c = 0, d = 0] = dotted.slice(1).map(Number);
    text = text.slice(0, dotted.index) + `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  }
  const [head = '', tail] = text.split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const all = tail === undefined ? left : [...left, ...new Array<number>(Math.max(0, 8 - left.length - right.length)).fill(0), ...right];
  return all.flatMap((group) => [group >> 8, group & 0xff]);
}

export interface AddressRules {
  allowPrivate?: boolean;
  allowLoopback?: boolean;
}

/** The error for an address that may not be reached, or undefined. `host` is as the spec or the person wrote it. */
export function refuseAddress(address: string, host: string, rules: AddressRules): FerruleError | undefined {
  const kind = classifyAddress(address);
  if (kind === 'public' || (kind === 'private' && rules.allowPrivate) || (kind === 'loopback' && rules.allowLoopback)) return undefined;
  const shown = address === host ? host : `${host} (${address})`;
  if (kind === 'metadata' || kind === 'never') {
    const what = kind === 'metadata' ? "a cloud's metadata service" : 'no single reachable host';
    return new FerruleError('address_refused', `${shown} is ${what}: no request goes there.`, {
      where: host,
      next: 'Check the host name; no setting allows this address.',
    });
  }
  const [setting, flag] =
    kind === 'private' ? ['allowPrivateAddresses', '--allow-private'] : ['allowLoopbackAddresses', '--allow-loopback'];
  return new FerruleError('address_refused', `${shown} is a ${kind} address.`, {
    where: host,
    next: `If that is meant, allow it in the runtime's settings (never in the spec): ${setting}, or ${flag}.`,
  });
}

/**
 * A `lookup` for sockets that refuses at connect time, so that no second resolution can give another answer than the one checked. One bad
 * address among several refuses the name.
 */
export function guardedLookup(rules: AddressRules, lookup: LookupFunction = systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '', 0);
      const addresses = Array.isArray(found) ? found : [{ address: found, family: isIP(found) }];
      for (const { address } of addresses) {
        const refused = refuseAddress(address, hostname, rules);
        if (refused) return callback(refused, '', 0);
      }
      const first = addresses[0];
      if (!first) return callback(Object.assign(new Error(`no address for ${hostname}`), { code: 'ENOTFOUND' }), '', 0);
      if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}
