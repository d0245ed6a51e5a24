import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { classifyAddress, guardedLookup, refuseAddress } from '../../../framework/http/addresses.ts';

describe('classifyAddress', () => {
  // RFC 1918, 3927, 4193, 4291, 6598, 6890 and the clouds' own pages.
  it.each([
    ['8.8.8.8', 'public'],
    ['172.15.255.255', 'public'],
    ['172.32.0.0', 'public'],
    ['100.63.255.255', 'public'],
    ['2606:4700::1111', 'public'],
    ['10.0.0.1', 'private'],
    ['172.16.0.0', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['169.254.1.1', 'private'],
    ['fd12::1', 'private'],
    ['fe80::1', 'private'],
    ['fe80::1%eth0', 'private'],
    ['127.0.0.1', 'loopback'],
    ['127.255.0.1', 'loopback'],
    ['::1', 'loopback'],
    ['169.254.169.254', 'metadata'],
    ['fd00:ec2::254', 'metadata'],
    ['fd00:0ec2:0:0:0:0:0:254', 'metadata'],
    ['168.63.129.16', 'metadata'],
    ['0.0.0.0', 'never'],
    ['::', 'never'],
    ['224.0.0.1', 'never'],
    ['255.255.255.255', 'never'],
    ['ff02::1', 'never'],
    // IPv4 in IPv6: mapped, NAT64, 6to4, compatible
    ['::ffff:10.0.0.1', 'private'],
    ['::ffff:7f00:1', 'loopback'],
    ['::ffff:a9fe:a9fe', 'metadata'],
    ['64:ff9b::169.254.169.254', 'metadata'],
    ['64:ff9b::8.8.8.8', 'public'],
    ['2002:0a00:0001::1', 'private'],
    ['64:ff9b:1::a00:1', 'private'],
    ['::ffff:0:127.0.0.1', 'loopback'],
    ['::ffff:0:8.8.8.8', 'public'],
    // Teredo keeps the IPv4 address inverted: f5ff:fffe is 10.0.0.1, f7f7:f7f7 is 8.8.8.8.
    ['2001:0:4136:e378:8000:63bf:f5ff:fffe', 'private'],
    ['2001:0:4136:e378:8000:63bf:f7f7:f7f7', 'public'],
    ['2001:4860:4860::8888', 'public'],
    ['::127.0.0.1', 'loopback'],
  ])('%s is %s', (address, kind) => expect(classifyAddress(address)).toBe(kind));
});

describe('refuseAddress', () => {
  it('names the runtime setting for private and loopback, and none for metadata', () => {
    expect(refuseAddress('10.1.2.3', 'jama.corp', {})).toMatchObject({
      code: 'address_refused',
      where: 'jama.corp',
      next: expect.stringContaining('--allow-private'),
    });
    expect(refuseAddress('127.0.0.1', '127.0.0.1', { allowPrivate: true })?.next).toContain('--allow-loopback');
    expect(refuseAddress('10.1.2.3', 'jama.corp', { allowPrivate: true })).toBeUndefined();
    expect(refuseAddress('169.254.169.254', 'x', { allowPrivate: true, allowLoopback: true })?.next).toContain('no setting');
  });
});

describe('guardedLookup', () => {
  const answering =
    (...addresses: LookupAddress[]): LookupFunction =>
    (_host, _options, callback) =>
      callback(null, addresses);
  const ask = (lookup: LookupFunction, all: boolean) =>
    new Promise((resolve) => lookup('a.acme.com', { all }, (error, found, family) => resolve(error ?? (all ? found : [found, family]))));

  it('answers as node does, for one address and for all', async () => {
    const lookup = guardedLookup({}, answering({ address: '8.8.8.8', family: 4 }, { address: '2606:4700::1111', family: 6 }));
    expect(await ask(lookup, false)).toEqual(['8.8.8.8', 4]);
    expect(await ask(lookup, true)).toEqual([
      { address: '8.8.8.8', family: 4 },
      { address: '2606:4700::1111', family: 6 },
    ]);
  });

  it('refuses a name when one of its addresses is private', async () => {
    const lookup = guardedLookup({}, answering({ address: '8.8.8.8', family: 4 }, { address: '10.0.0.7', family: 4 }));
    expect(await ask(lookup, true)).toMatchObject({ code: 'address_refused', message: 'a.acme.com (10.0.0.7) is a private address.' });
  });
});
