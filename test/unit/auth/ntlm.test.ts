import { authenticateMessage, type NtlmAnswer, negotiateMessage, parseChallenge } from '../../../framework/auth/ntlm.ts';
import { type Random, systemRandom } from '../../../framework/core/clock.ts';
import { isFerruleError } from '../../../framework/core/errors.ts';
import { answerNtlm, type NtlmAccount, type NtlmConnection, verifyAuthenticate } from '../../../framework/sandbox/schemes/ntlm.ts';
import { canary } from '../../canary.ts';

const hex = (text: string) => Buffer.from(text.replace(/\s/g, ''), 'hex');
/** The client challenge and the session key of MS-NLMP 4.2.1. */
const random: Random = { float: () => 0, uuid: () => '', bytes: (size) => Buffer.alloc(size, size === 8 ? 0xaa : 0x55) };
/** Time 0 of MS-NLMP 4.2.1: the year 1601. */
const YEAR_1601 = -11_644_473_600_000;
const NEGOTIATE = hex('4e544c4d53535000 01000000 358288e2 0000000028000000 0000000028000000 0a0000000000000f');

it('the first message offers Unicode, extended session security and key exchange, and names nobody', () => {
  expect(negotiateMessage().toString('hex')).toBe(NEGOTIATE.toString('hex'));
});

describe('the example of MS-NLMP 4.2.4', () => {
  // 4.2.4.3, the CHALLENGE_MESSAGE as published. It sends no time, so no MIC is due.
  const challenge = hex(`4e544c4d53535000 02000000 0c000c0038000000 33828ae2 0123456789abcdef 0000000000000000 2400240044000000
    060070170000000f 530065007200760065007200 02000c0044006f006d00610069006e00 01000c00530065007200760065007200 00000000`);
  // 4.2.4.3, the AUTHENTICATE_MESSAGE as published, but for our version at byte 64. In it: the LMv2 response of 4.2.4.2.1, the NTLMv2
  // response of 4.2.4.2.2 (from the NTOWFv2 of 4.2.4.1.1) and the encrypted session key of 4.2.4.2.3 (from the session base key of 4.2.4.1.2).
  const published = `4e544c4d53535000 03000000 180018006c000000 5400540084000000 0c000c0048000000 0800080054000000 100010005c000000
    10001000d8000000 358288e2 0a0000000000000f 44006f006d00610069006e00 5500730065007200 43004f004d0050005500540045005200
    86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa 68cd0ab851e51c96aabc927bebef6a1c 0101000000000000 0000000000000000 aaaaaaaaaaaaaaaa
    00000000 02000c0044006f006d00610069006e00 01000c00530065007200760065007200 00000000 00000000 c5dad2544fc9799094ce1ce90bc9d03e`;
  const example = { negotiate: NEGOTIATE, password: 'Password', workstation: 'COMPUTER', now: YEAR_1601, random };

  it.each([
    ['user and domain', { username: 'User', domain: 'Domain' }],
    ['DOMAIN\\user in one', { username: 'Domain\\User' }],
  ])('%s', (_what, names) => {
    const message = authenticateMessage({ ...example, ...names, challenge: parseChallenge(challenge) });
    expect(message.toString('hex')).toBe(hex(published).toString('hex'));
  });
});

const password = canary('ntlm');
/** A CHALLENGE that gives the server's time, 2023-11-14T22:13:20.0004321Z: written with Python's struct. */
const TIMED = hex(`4e544c4d53535000 02000000 0c000c0038000000 35828ae2 0123456789abcdef 0000000000000000 3000300044000000 060070170000000f
  530065007200760065007200 02000c0044006f006d00610069006e00 01000c00530065007200760065007200 07000800e1106dc64717da01 00000000`);
/** The same without NTLMSSP_NEGOTIATE_KEY_EXCH. */
const NO_EXCHANGE = Buffer.from(TIMED).fill(0xa2, 23, 24);
/**
 * The answers to them, written with Python's struct and hmac, MD4 and RC4 of pyspnego 0.12.4. pyspnego as acceptor takes both for
 * Domain\Jürgen, and refuses both with one bit of the MIC turned.
 */
const ANSWERS: [what: string, challenge: Buffer, message: Buffer][] = [
  [
    'with a session key exchanged',
    TIMED,
    hex(`4e544c4d53535000 03000000 1800180080000000 6800680098000000 0c000c0058000000 0c000c0064000000 1000100070000000 1000100000010000
    358288e2 0a0000000000000f 73100f5c926fa3af03a8038bb4e60f3a
    44006f006d00610069006e004a00fc007200670065006e0043004f004d00500055005400450052000000000000000000000000000000000000000000
    00000000c4d7686019727c9d40c62db29dea550f0101000000000000e1106dc64717da01aaaaaaaaaaaaaaaa0000000002000c0044006f006d006100
    69006e0001000c0053006500720076006500720007000800e1106dc64717da0106000400020000000000000000000000b92b0f1268119d661aa84c9f
    7bfae722`),
  ],
  [
    'under the session base key',
    NO_EXCHANGE,
    hex(`4e544c4d53535000 03000000 1800180080000000 6800680098000000 0c000c0058000000 0c000c0064000000 1000100070000000 0000000000010000
    358288a2 0a0000000000000f 8e7315275867d3b371e76418fee12428
    44006f006d00610069006e004a00fc007200670065006e0043004f004d00500055005400450052000000000000000000000000000000000000000000
    00000000c4d7686019727c9d40c62db29dea550f0101000000000000e1106dc64717da01aaaaaaaaaaaaaaaa0000000002000c0044006f006d006100
    69006e0001000c0053006500720076006500720007000800e1106dc64717da0106000400020000000000000000000000`),
  ],
];
const juergen = { negotiate: NEGOTIATE, username: 'Jürgen', password, domain: 'Domain', workstation: 'COMPUTER', now: 0, random };

describe('where the server gives its time', () => {
  it.each(ANSWERS)('takes it, writes a MIC %s, and leaves out the LMv2 response', (_what, challenge, wanted) => {
    const message = authenticateMessage({ ...juergen, challenge: parseChallenge(challenge) });
    expect(message.toString('hex')).toBe(wanted.toString('hex'));
  });

  it('flags the MIC in the pair that the server has sent', () => {
    const before = Buffer.concat([TIMED.subarray(0, -4), hex('0600040001000000 00000000')]);
    before.writeUInt16LE(before.readUInt16LE(40) + 8, 40);
    const message = authenticateMessage({ ...juergen, challenge: parseChallenge(before) });
    expect(message.indexOf(hex('0600040003000000 00000000'))).toBeGreaterThan(0);
    expect(message.indexOf(hex('06000400'))).toBe(message.lastIndexOf(hex('06000400')));
  });
});

it('takes our time where the server gives none: 100 ns since 1601, as MS-DTYP 2.3.3', () => {
  const untimed = Buffer.from(TIMED);
  untimed.writeUInt16LE(8, 68 + 32);
  const message = authenticateMessage({ ...juergen, challenge: parseChallenge(untimed), now: 0 });
  // 1970 is 116444736000000000.
  expect(message.indexOf(hex('01010000 00000000 00803ed5deb19d01 aaaaaaaaaaaaaaaa'))).toBeGreaterThan(0);
});

describe('a challenge that cannot be read', () => {
  const changed = (change: (message: Buffer) => void) => {
    const message = Buffer.from(TIMED);
    change(message);
    return message;
  };
  it.each<[string, Buffer]>([
    ['empty', Buffer.alloc(0)],
    ['short', TIMED.subarray(0, 31)],
    ['another message', NEGOTIATE],
    ['another signature', changed((message) => message.fill(0x20, 7, 8))],
    ['no Unicode', changed((message) => message.fill(0x34, 20, 21))],
    ['target information beyond the end', changed((message) => message.writeUInt32LE(0xfffffff0, 44))],
    ['target information cut off', TIMED.subarray(0, -1)],
    ['a pair beyond the target information', changed((message) => message.writeUInt16LE(0xffff, 70))],
    ['half a pair', changed((message) => message.writeUInt16LE(46, 40))],
    ['flags of a wrong size', changed((message) => message.writeUInt16LE(6, 100))],
    ['a time of a wrong size', changed((message) => message.writeUInt16LE(7, 84))],
    ['too long', Buffer.concat([changed((message) => message.writeUInt16LE(0x8000, 40)), Buffer.alloc(0x8000)])],
  ])('%s', (_what, message) => {
    expect(caught(() => parseChallenge(message))).toMatchObject({ code: 'response_malformed', where: 'WWW-Authenticate' });
  });

  it('every cut of it is either read or refused in words', () => {
    for (let end = 0; end < TIMED.length; end++) {
      const error = caught(() => parseChallenge(TIMED.subarray(0, end)));
      expect(error === undefined || isFerruleError(error)).toBe(true);
    }
  });
});

it.each([
  ['no user name', { username: '' }, 'input_missing', 'username'],
  ['a domain alone', { username: 'Domain\\', domain: undefined }, 'input_missing', 'username'],
  ['a user name beyond 16 bits', { username: 'x'.repeat(40_000) }, 'input_malformed', 'username'],
  ['a domain beyond 16 bits', { domain: 'x'.repeat(40_000) }, 'input_malformed', 'domain'],
  ['a workstation beyond 16 bits', { workstation: 'x'.repeat(40_000) }, 'input_malformed', 'workstation'],
])('%s is refused', (_what, fields, code, where) => {
  const answer: NtlmAnswer = { ...juergen, challenge: parseChallenge(TIMED), ...fields };
  expect(caught(() => authenticateMessage(answer))).toMatchObject({ code, where });
});

describe('the sandbox', () => {
  const account: NtlmAccount = { username: 'Jürgen', password, domain: 'Domain' };

  it.each(ANSWERS)('takes what pyspnego takes (%s), and no message with a bit turned', (_what, challenge, message) => {
    expect(verifyAuthenticate(message, { negotiate: NEGOTIATE, challenge }, account)).toBe('good');
    for (let at = 0; at < message.length; at++) {
      const turned = Buffer.from(message);
      turned[at] = (turned[at] as number) ^ 0x20;
      expect([at, verifyAuthenticate(turned, { negotiate: NEGOTIATE, challenge }, account)]).toEqual([at, 'wrong']);
    }
  });

  it('takes no message whose MIC covers another handshake', () => {
    const [, challenge, message] = ANSWERS[0] as (typeof ANSWERS)[number];
    const negotiate = Buffer.from(NEGOTIATE).fill(0x15, 12, 13);
    expect(verifyAuthenticate(message, { negotiate, challenge }, account)).toBe('wrong');
  });

  it('takes no message that does not repeat what the server said of itself, or names another time', () => {
    const challenge = parseChallenge(TIMED);
    const otherTime = challenge.targetInfo.map(({ id, value }) => ({ id, value: id === 7 ? Buffer.alloc(8, 1) : value }));
    const verdict = (targetInfo: typeof challenge.targetInfo) => {
      const message = authenticateMessage({ ...juergen, challenge: { ...challenge, targetInfo } });
      return verifyAuthenticate(message, { negotiate: NEGOTIATE, challenge: TIMED }, account);
    };
    const all = challenge.targetInfo;
    // The client goes by the first time, the sandbox by the last: right in the pairs, another in the response itself.
    const twoTimes = [{ id: 7, value: Buffer.alloc(8, 1) }, ...all];
    // A MIC that is not announced: an older client, which the proof alone lets in.
    const twoFlags = [...all, { id: 6, value: Buffer.alloc(4) }, { id: 6, value: Buffer.alloc(4) }];
    expect([verdict(all), verdict(twoFlags)]).toEqual(['good', 'good']);
    for (const pairs of [all.slice(1), all.slice(0, 2), otherTime, twoTimes]) expect(verdict(pairs)).toBe('wrong');
  });

  it.each([
    ['names in another case', { username: 'JÜRGEN', domain: 'DOMAIN' }, 'good'],
    ['a wrong password', { password: canary('ntlm wrong') }, 'wrong'],
    ['another user', { username: 'Jurgen' }, 'wrong'],
    ['another domain', { domain: 'Other' }, 'wrong'],
  ])('%s: %s', (_what, fields, verdict) => {
    const connection: NtlmConnection = {};
    expect(handshake(connection, account, { ...juergen, ...fields })).toMatchObject({ verdict });
    expect(answerNtlm(undefined, connection, account, 0, Buffer.alloc(8)).verdict).toBe(verdict === 'good' ? 'good' : 'missing');
  });

  it.each(['', 'Domain', 'user@realm.example'])(
    'an account without a domain, its name with a letter whose capital would be two, takes %j',
    (domain) => {
      expect(handshake({}, { username: 'straße', password }, { ...juergen, username: 'STRAßE', domain }).verdict).toBe('good');
    },
  );

  it('proves one connection and no other, one challenge and no second', () => {
    const first: NtlmConnection = {};
    const sent: string[] = [];
    expect(handshake(first, account, juergen, sent)).toEqual({ verdict: 'good' });
    const last = sent.at(-1);
    const nonce = Buffer.alloc(8, 2);
    expect(answerNtlm(undefined, {}, account, 0, nonce)).toEqual({ verdict: 'missing', challenge: 'NTLM' });
    expect(answerNtlm(last, {}, account, 0, nonce)).toEqual({ verdict: 'wrong', challenge: 'NTLM' });
    expect(answerNtlm(last, first, account, 0, nonce)).toEqual({ verdict: 'wrong', challenge: 'NTLM' });
    expect(answerNtlm(undefined, first, account, 0, nonce)).toEqual({ verdict: 'missing', challenge: 'NTLM' });
  });

  it.each(['NTLM', 'NTLM !', 'NTLM TlRMTVNTUAA=', 'Basic eDp5', `NTLM ${Buffer.from('NTLMSSP\0\u0003\0\0\0\0\0\0\0').toString('base64')}`])(
    '%s is wrong, on a handshake under way too',
    (header) => {
      const connection: NtlmConnection = {};
      expect(answerNtlm(`NTLM ${NEGOTIATE.toString('base64')}`, connection, account, 0, Buffer.alloc(8)).verdict).toBe('missing');
      expect(answerNtlm(header, connection, account, 0, Buffer.alloc(8))).toEqual({ verdict: 'wrong', challenge: 'NTLM' });
    },
  );
});

/** Both legs of a handshake between our client and the sandbox; `sent`: filled with what the client sends. */
function handshake(connection: NtlmConnection, account: NtlmAccount, fields: Omit<NtlmAnswer, 'challenge'>, sent: string[] = []) {
  const negotiate = negotiateMessage();
  sent.push(`NTLM ${negotiate.toString('base64')}`);
  const { challenge } = answerNtlm(sent[0], connection, account, 1_700_000_000_000, systemRandom.bytes(8));
  const parsed = parseChallenge(Buffer.from((challenge as string).slice(5), 'base64'));
  const message = authenticateMessage({ ...fields, negotiate, challenge: parsed, random: systemRandom });
  sent.push(`NTLM ${message.toString('base64')}`);
  return answerNtlm(sent[1], connection, account, 0, Buffer.alloc(8));
}

function caught(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}
