import { rc4 } from '../../../framework/core/rc4.ts';

const hex = (text: string) => Buffer.from(text, 'hex');

describe('rc4', () => {
  // RFC 6229, section 2: the key stream at the offsets 0, 240 and 4096.
  it.each([
    ['0102030405', 'b2396305f03dc027ccc3524a0a1118a8', '28cb1132c96ce286421dcaadb8b69eae', 'ff25b58995996707e51fbdf08b34d875'],
    [
      '0102030405060708090a0b0c0d0e0f10',
      '9ac7cc9a609d1ef7b2932899cde41b97',
      '065902e4b620f6cc36c8589f66432f2b',
      'a36a4c301ae8ac13610ccbc12256cacc',
    ],
    [
      'ebb46227c6cc8b37641910833222772a',
      '720c94b63edf44e131d950ca211a5a30',
      'b3394a40aabf75cba42282ef25a0059f',
      '5bbeb4787d59e5373fdbea6c6f75c29b',
    ],
  ])('key %s', (key, first, near, far) => {
    const stream = rc4(hex(key), Buffer.alloc(4112)).toString('hex');
    expect([stream.slice(0, 32), stream.slice(480, 512), stream.slice(-32)]).toEqual([first, near, far]);
  });

  // MS-NLMP 4.2.4.2.3: the random session key under the session base key.
  it('the encrypted session key of MS-NLMP', () => {
    const base = hex('8de40ccadbc14a82f15cb0ad0de95ca3');
    expect(rc4(base, Buffer.alloc(16, 0x55)).toString('hex')).toBe('c5dad2544fc9799094ce1ce90bc9d03e');
    expect(rc4(base, hex('c5dad2544fc9799094ce1ce90bc9d03e'))).toEqual(Buffer.alloc(16, 0x55));
  });
});
