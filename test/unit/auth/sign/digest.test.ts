import { type DigestInput, digest, digestResponse } from '../../../../framework/auth/sign/digest.ts';
import type { Signer, SignerContext, Unsigned } from '../../../../framework/auth/signer.ts';
import type { Random } from '../../../../framework/core/clock.ts';
import type { Verdict } from '../../../../framework/sandbox/authenticate.ts';
import type { Incoming } from '../../../../framework/sandbox/request.ts';
import type { SchemeContext } from '../../../../framework/sandbox/scheme.ts';
import { digest as twin } from '../../../../framework/sandbox/schemes/digest.ts';
import { canary } from '../../../canary.ts';

const password = canary('digest');
const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

describe('digestResponse', () => {
  const mufasa = {
    username: 'Mufasa',
    realm: 'http-auth@example.org',
    password: 'Circle of Life',
    method: 'GET',
    uri: '/dir/index.html',
    nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
    cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
    nc: '00000001',
    qop: 'auth',
  } as const;
  const old = { ...mufasa, realm: 'testrealm@host.com', nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093', cnonce: '0a4f113b' };
  const jason = {
    ...mufasa,
    username: latin1('Jäsøn Doe'),
    realm: 'api@example.org',
    password: 'Secret, or not?',
    uri: '/doe.json',
    nonce: '5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK',
    cnonce: 'NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v',
  };

  it.each<[string, DigestInput, string]>([
    ['RFC 7616, 3.9.1, MD5', { ...mufasa, algorithm: 'MD5' }, '8ca523f5e9506fed4657c9700eebdbec'],
    ['RFC 7616, 3.9.1, SHA-256', { ...mufasa, algorithm: 'SHA-256' }, '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
    // The RFC's own value is of truncated SHA-512; erratum 4897 has this one, and hashlib agrees.
    ['RFC 7616, 3.9.2', { ...jason, algorithm: 'SHA-512-256' }, '3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5'],
    ['RFC 2617, 3.5', { ...old, password: 'Circle Of Life', algorithm: 'MD5' }, '6629fae49393a05397450978507c4ef1'],
    // Erratum 749.
    ['RFC 2069, 2.4', { ...old, password: 'CircleOfLife', algorithm: 'MD5', qop: null }, '1949323746fe6a43ef61f9606e7febea'],
  ])('%s', (_name, input, expected) => {
    expect(digestResponse(input)).toBe(expected);
  });

  // By Python's hashlib, from the formulas of RFC 7616, 3.4.
  const post: Omit<DigestInput, 'algorithm'> = { ...mufasa, method: 'POST', nc: '00000002', body: Buffer.from('{"a":1}') };
  it.each<[string, 'auth' | 'auth-int' | null, string]>([
    ['MD5-sess', 'auth', '2989dfc3bb79cda3265aa06bf070945e'],
    ['MD5', 'auth-int', 'd409bccba7733a91cae74c045ff546d7'],
    ['md5-SESS', 'auth-int', '283218f3452e80a2e0adbb2f1c005acc'],
    ['SHA-256-sess', 'auth', '64b35edbb0b10f5463ec0a55b15df41264d293ccdce0fbb68caef2409b186cf3'],
    ['SHA-256', 'auth-int', '80cc0fe81f1fb7e21de78754ca9b815d5e75ed91d48ed8f039be9da01f18a66a'],
    ['SHA-256', null, '1d27c5c95ffad388403b5002da0025bf7e6e98925ed7fe241c1ae5b684756db3'],
    ['SHA-512-256-sess', 'auth', 'a33a1a7ae0ae7bb89200258f78ae26d81b98ec02aa3565e285693424a8551bce'],
    ['SHA-512-256-sess', 'auth-int', 'c8b5d92bdcc66f91f3fe241347b1a18aa9d17178cbdfe7d4480c177ad7b83a60'],
  ])('%s with %s, as hashlib has it', (algorithm, qop, expected) => {
    expect(digestResponse({ ...post, algorithm, qop })).toBe(expected);
  });
});

/** Gives 00 01 02 … each time, or with `moving` 01 01 …, 02 02 …: a new one at each draw. */
function fixed(moving = false): Random {
  let draws = 0;
  const bytes = (size: number): Uint8Array => {
    draws += 1;
    return Uint8Array.from({ length: size }, (_, index) => (moving ? draws : index));
  };
  return { float: () => 0, uuid: () => '', bytes };
}

const context = (values: SignerContext['values'] = { username: 'ana', password }, random = fixed()): SignerContext => ({
  values,
  now: 0,
  random,
  memory: {},
});
const get = (href: string, method: Unsigned['method'] = 'GET', body = ''): Unsigned => ({
  method,
  href,
  headers: {},
  body: Buffer.from(body),
});
const asked = (challenge: string): Parameters<NonNullable<Signer['challenged']>>[0] => ({
  status: 401,
  headers: { 'www-authenticate': challenge },
});
const challenged = (challenge: string, at: SignerContext): boolean => digest.challenged!(asked(challenge), at);
const header = (at: SignerContext, request = get('https://acme.com/x')): string | undefined =>
  digest.sign(request, at).headers?.authorization;
/** One parameter of the next header, bare or quoted. */
const signs = (at: SignerContext, name: string): string | undefined =>
  new RegExp(`(?:^Digest |, )${name}=("[^"]*"|[^,]*)`).exec(header(at) ?? '')?.[1];

describe('the header', () => {
  it('is that of the RFC, quoted and escaped as it says', () => {
    const at = context({ username: 'an"a\\', password });
    expect(header(at)).toBeUndefined();
    expect(challenged('Digest realm="A \\"b\\"", domain="/v2", qop="auth", algorithm=SHA-256, nonce="n/1", opaque="o"', at)).toBe(true);
    // The response is hashlib's.
    expect(header(at, get('https://acme.com/v1/caf%C3%A9?a=1&b=x%20y#part'))).toBe(
      'Digest username="an\\"a\\\\", realm="A \\"b\\"", nonce="n/1", uri="/v1/caf%C3%A9?a=1&b=x%20y", ' +
        'response="6fef1f0fc9225b4966eb99c5b107aebe23395f89312b665032ae08692914c76a", algorithm=SHA-256, ' +
        'opaque="o", qop=auth, nc=00000001, cnonce="000102030405060708090a0b0c0d0e0f"',
    );
  });

  it('names the user as username*, and as a hash where the server asks (RFC 7616, 3.9.2 with erratum 4897)', () => {
    const at = context({ username: 'Jäsøn Doe', password: 'Secret, or not?' });
    const challenge = 'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, nonce="n", charset=UTF-8';
    challenged(challenge, at);
    expect(header(at)).toContain("Digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, realm=");
    challenged(`${challenge}, userhash=true`, at);
    expect(header(at)).toContain('username="793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b", realm=');
    expect(header(at)).toContain(', userhash=true');
  });

  it('brings names into Normalization Form C for charset=UTF-8 alone', () => {
    const at = context({ username: 'e\u0301va', password });
    challenged('Digest realm="r", qop="auth", algorithm=SHA-256, nonce="n", charset="utf-8"', at);
    expect(header(at)).toContain("username*=UTF-8''%C3%A9va");
    challenged('Digest realm="r", qop="auth", algorithm=SHA-256, nonce="n"', at);
    // The bytes of UTF-8, one character each: what curl 7.88 sends, and Apache 2.4 takes.
    expect(header(at)).toContain('username="e\u00cc\u0081va"');
  });

  it.each<[string, string, string, string]>([
    ['auth-int alone', 'qop="auth-int"', 'qop', 'auth-int'],
    ['auth before auth-int', 'qop="auth-int, AUTH"', 'qop', 'auth'],
    ["the server's spelling of its algorithm", 'qop="auth", algorithm="md5"', 'algorithm', 'md5'],
  ])('%s', (_name, more, parameter, expected) => {
    const at = context();
    expect(challenged(`Digest realm="r", nonce="n", ${more}`, at)).toBe(true);
    expect(signs(at, parameter)).toBe(expected);
  });

  it('hashes the body for auth-int', () => {
    const at = context();
    challenged('Digest realm="r", nonce="n", qop="auth-int"', at);
    expect(header(at, get('https://acme.com/x', 'POST', '{"é":1}'))).toContain('response="81da9a63d1bd601e8d4f8c474bd5b9a8"');
  });

  it('has neither count nor cnonce where the server has no qop (RFC 2069)', () => {
    const at = context();
    challenged('Digest realm="r", nonce="n"', at);
    expect(header(at)).toBe('Digest username="ana", realm="r", nonce="n", uri="/x", response="b5efd41991323dbc0b8e5276f3919fc5"');
  });

  it('keeps the cnonce of a -sess nonce, and draws a new one for each request otherwise', () => {
    const at = context(undefined, fixed(true));
    challenged('Digest realm="r", nonce="n", qop="auth", algorithm=MD5-sess', at);
    expect([signs(at, 'cnonce'), signs(at, 'cnonce')]).toEqual([`"${'01'.repeat(16)}"`, `"${'01'.repeat(16)}"`]);
    challenged('Digest realm="r", nonce="n2", qop="auth", algorithm=MD5-sess', at);
    expect(signs(at, 'cnonce')).toBe(`"${'02'.repeat(16)}"`);
    challenged('Digest realm="r", nonce="n3", qop="auth", algorithm=MD5', at);
    expect([signs(at, 'cnonce'), signs(at, 'cnonce')]).toEqual([`"${'03'.repeat(16)}"`, `"${'04'.repeat(16)}"`]);
  });

  it.each(['username', 'password'])('says which field is missing: %s', (name) => {
    const at = context({ username: 'ana', password, [name]: undefined });
    expect(() => header(at)).toThrow(expect.objectContaining({ code: 'input_missing', where: `fields.${name}` }));
  });
});

describe('choosing a challenge', () => {
  const md5 = 'Digest realm="one", nonce="n1", qop="auth"';
  const sha256 = 'Digest realm="two", nonce="n2", qop="auth", algorithm=SHA-256';
  const sha512 = 'Digest realm="three", nonce="n3", qop="auth", algorithm=SHA-512-256';
  it.each<[string, string, string]>([
    ['the strongest', [md5, sha512, sha256].join(', '), 'three'],
    ['the first of equals', [sha256, sha256.replace('two', 'four')].join(', '), 'two'],
    ['not an unknown algorithm', [md5, 'Digest realm="x", nonce="n", qop="auth", algorithm=SHA3-512'].join(', '), 'one'],
    ['not an unknown qop', [md5, 'Digest realm="x", nonce="n", qop="auth-conf", algorithm=SHA-256'].join(', '), 'one'],
    ['not one without nonce', `${md5}, Digest realm="x", qop="auth", algorithm=SHA-256`, 'one'],
    ['not -sess without qop', `${md5}, Digest realm="x", nonce="n", algorithm=SHA-256-sess`, 'one'],
    ['beside Basic and Bearer', `Basic realm="b", charset="UTF-8", ${md5}, Bearer realm="c", error="invalid_token"`, 'one'],
    ['beside schemes without parameters', `Negotiate, NTLM, ${md5}, Negotiate`, 'one'],
    ['beside a token68', `Negotiate YII+a/b==, ${md5}, NTLM TlRMTVNTUAAC=`, 'one'],
    ['not one in a quoted string', `Basic realm="x, Digest realm=\\"y\\", nonce=\\"n\\"", ${sha256}`, 'two'],
    ['whatever the case and the space', 'DIGEST  Realm = "one" ,NONCE=n1,, QOP=auth', 'one'],
  ])('%s', (_name, challenge, realm) => {
    const at = context();
    expect(challenged(challenge, at)).toBe(true);
    expect(signs(at, 'realm')).toBe(`"${realm}"`);
  });

  it.each(['Basic realm="x"', 'Bearer realm="Digest", nonce="n"', 'Digest', '', 'Digest realm="open, nonce="n'])(
    'has no answer to %s',
    (challenge) => {
      const at = context();
      expect(challenged(challenge, at)).toBe(false);
      expect(header(at)).toBeUndefined();
    },
  );

  it('looks at a 401 only', () => {
    expect(digest.challenged!({ ...asked(md5), status: 403 }, context())).toBe(false);
    expect(digest.challenged!({ status: 401, headers: {} }, context())).toBe(false);
  });
});

describe('one connection', () => {
  const ask = (nonce: string, more = ''): string => `Digest realm="r", qop="auth", nonce="${nonce}"${more}`;

  it('gives up after one refusal of the same credentials', () => {
    const at = context();
    header(at);
    expect(challenged(ask('a'), at)).toBe(true);
    header(at);
    digest.answered!(asked(ask('b')), at);
    expect(challenged(ask('b'), at)).toBe(false);
    header(at);
    expect(challenged(ask('c'), at)).toBe(false);
  });

  it('goes on where the nonce was stale', () => {
    const at = context();
    challenged(ask('a'), at);
    header(at);
    expect(challenged(ask('b', ', stale=TRUE'), at)).toBe(true);
    expect([signs(at, 'nonce'), signs(at, 'nc')]).toEqual(['"b"', '00000002']);
    expect(challenged(ask('c', ', stale=false'), at)).toBe(false);
  });

  it('tries once more where a nonce that had served is refused, and where the realm is another', () => {
    const at = context();
    challenged(ask('a'), at);
    header(at);
    digest.answered!({ status: 200, headers: {} }, at);
    expect(challenged(ask('b'), at)).toBe(true);
    expect(challenged(ask('c'), at)).toBe(false);
    expect(challenged(ask('d').replace('"r"', '"other"'), at)).toBe(true);
    expect(challenged(ask('e').replace('"r"', '"other"'), at)).toBe(false);
  });

  it('excuses every request that went out bare, and no more', () => {
    const at = context();
    header(at);
    header(at);
    header(at);
    digest.answered!({ status: 200, headers: {} }, at);
    expect([challenged(ask('a'), at), challenged(ask('b'), at), challenged(ask('c'), at)]).toEqual([true, true, false]);
  });

  it('counts per nonce in hexadecimal digits, and not anew when the same nonce comes again', () => {
    const at = context();
    challenged(ask('a'), at);
    const counts = Array.from({ length: 17 }, () => signs(at, 'nc'));
    expect([counts[0], counts[9], counts[16]]).toEqual(['00000001', '0000000a', '00000011']);
    challenged(ask('a'), at);
    expect(signs(at, 'nc')).toBe('00000012');
    challenged(ask('b'), at);
    expect(signs(at, 'nc')).toBe('00000001');
  });

  it('takes the next nonce from Authentication-Info', () => {
    const at = context();
    challenged(ask('a', ', opaque="o"'), at);
    header(at);
    digest.answered!({ status: 200, headers: { 'authentication-info': 'qop=auth, rspauth="00", nextnonce="b"' } }, at);
    expect(header(at)).toMatch(/nonce="b".*opaque="o".*nc=00000001/);
  });

  it('keeps nothing but plain JSON', () => {
    const at = context();
    challenged(ask('a'), at);
    header(at);
    expect(JSON.parse(JSON.stringify(at.memory))).toEqual(at.memory);
    expect(JSON.stringify(at.memory)).not.toContain(password.slice(0, 30));
  });
});

function incoming({ method, href, body }: Unsigned, authorization?: string): Incoming {
  const { host, pathname, search, searchParams } = new URL(href);
  const bytes = Buffer.from(body);
  const headers: Record<string, string> = { host, ...(authorization !== undefined && { authorization }) };
  return { method, host, path: pathname, query: [...searchParams], search: search.slice(1), headers, cookies: {}, body: '', bytes };
}

describe('the twin', () => {
  const provider = (): SchemeContext => {
    let made = 0;
    const fresh = (size: number): string => {
      made += 1;
      return made.toString(16).padStart(size * 2, '0');
    };
    return { values: { username: 'ana', password }, now: 0, memory: new Map(), fresh };
  };
  const request = get('https://acme.com/v1/things?b=2&a=x%20y');
  const refusal = (verdict: Verdict, server: SchemeContext): string => twin.challenge!(verdict, incoming(request), server)!;
  /** A client that has the challenge. */
  const client = (server: SchemeContext, values?: SignerContext['values']): SignerContext => {
    const at = context(values, fixed(true));
    challenged(refusal('missing', server), at);
    return at;
  };

  it('asks, and takes what the signer answers', () => {
    const [server, at] = [provider(), context()];
    expect(twin.verify(incoming(request, header(at, request)), server)).toBe('missing');
    expect(challenged(refusal('missing', server), at)).toBe(true);
    expect([signs(at, 'algorithm'), signs(at, 'qop')]).toEqual(['SHA-256', 'auth']);
    expect(twin.verify(incoming(request, header(at, request)), server)).toBe('good');
    expect(twin.verify(incoming(request, header(at, request)), server)).toBe('good');
  });

  it.each<[string, string]>([
    ['Jäsøn Doe', 'ø ✓'],
    ['an"a\\', 'a:b'],
    ['e\u0301va', 'e\u0301'],
    ['', ''],
  ])('user %s', (username, word) => {
    const server = { ...provider(), values: { username, password: word } };
    expect(twin.verify(incoming(request, header(client(server, server.values), request)), server)).toBe('good');
  });

  it('takes MD5 too, and counts that overtake one another, but each once', () => {
    const server = provider();
    const at = context(undefined, fixed(true));
    challenged(refusal('missing', server).split(/, (?=Digest )/)[1]!, at);
    const [first, second] = [header(at, request), header(at, request)];
    expect(first).toContain('algorithm=MD5');
    const verdicts = [second, first, second, first].map((one) => twin.verify(incoming(request, one), server));
    expect(verdicts).toEqual(['good', 'good', 'wrong', 'wrong']);
  });

  it.each<[string, (sent: string) => string, Partial<Unsigned>]>([
    ['another path', (sent) => sent, { href: 'https://acme.com/v1/other?b=2&a=x%20y' }],
    ['another query', (sent) => sent, { href: 'https://acme.com/v1/things?b=3&a=x%20y' }],
    ['another method', (sent) => sent, { method: 'DELETE' }],
    ['another scheme', () => 'Bearer x', {}],
    ['no parameters', () => 'Digest', {}],
    ['another count', (sent) => sent.replace('nc=00000001', 'nc=00000002'), {}],
    ['a short count', (sent) => sent.replace('nc=00000001', 'nc=1'), {}],
    ['another cnonce', (sent) => sent.replace('cnonce="01', 'cnonce="02'), {}],
    ['a uri that is not the target', (sent) => sent.replace(/uri="[^"]*"/, 'uri="/"'), {}],
    ['another realm', (sent) => sent.replace('realm="sandbox"', 'realm="box"'), {}],
    ['another opaque', (sent) => sent.replace('opaque="', 'opaque="1'), {}],
    ['another user', (sent) => sent.replace('"ana"', '"bob"'), {}],
    ['no qop', (sent) => sent.replace('qop=auth, ', ''), {}],
    ['an algorithm that was not offered', (sent) => sent.replace('SHA-256', 'SHA-512-256'), {}],
    ['a parameter twice', (sent) => `${sent}, nc=00000001`, {}],
    ['a nonce that it never gave', (sent) => sent.replace(/nonce="0/, 'nonce="f'), {}],
  ])('refuses %s', (_name, change, other) => {
    const server = provider();
    const sent = header(client(server), request)!;
    expect(twin.verify(incoming({ ...request, ...other }, change(sent)), server)).toBe('wrong');
    expect(twin.verify(incoming(request, sent), server)).toBe('good');
  });

  it('refuses a count of zero and an empty cnonce, though they are signed', () => {
    const server = provider();
    const zero = client(server);
    zero.memory.count = -1;
    const empty = { ...client(server), random: { ...fixed(), bytes: () => new Uint8Array() } };
    for (const at of [zero, empty]) expect(twin.verify(incoming(request, header(at, request)), server)).toBe('wrong');
  });

  it('refuses another password, and the signer gives up', () => {
    const server = provider();
    const at = context({ username: 'ana', password: canary('digest-other') });
    header(at, request);
    challenged(refusal('missing', server), at);
    expect(twin.verify(incoming(request, header(at, request)), server)).toBe('wrong');
    expect(refusal('wrong', server)).not.toContain('stale');
    expect(challenged(refusal('wrong', server), at)).toBe(false);
  });

  it('calls a nonce stale after 300 s, or when it has forgotten it, and the signer comes back', () => {
    const server = provider();
    const at = client(server);
    expect(twin.verify(incoming(request, header(at, request)), { ...server, now: 300_000 })).toBe('good');
    const late = { ...server, now: 300_001 };
    expect(twin.verify(incoming(request, header(at, request)), late)).toBe('expired');
    expect(challenged(refusal('expired', late), at)).toBe(true);
    expect(twin.verify(incoming(request, header(at, request)), late)).toBe('good');
    const forgotten = { ...server, now: 900_000 };
    refusal('missing', forgotten);
    expect(twin.verify(incoming(request, header(at, request)), forgotten)).toBe('expired');
  });
});
