import { readFileSync } from 'node:fs';
import { oauth1, oauth1Signature, signatureBase } from '../../../../framework/auth/sign/oauth1.ts';
import type { SignerContext, Unsigned } from '../../../../framework/auth/signer.ts';
import type { Random } from '../../../../framework/core/clock.ts';
import type { Incoming } from '../../../../framework/sandbox/request.ts';
import type { SchemeContext } from '../../../../framework/sandbox/scheme.ts';
import { oauth1 as twin } from '../../../../framework/sandbox/schemes/oauth1.ts';
import { canary } from '../../../canary.ts';

/** Made for these tests with openssl; it opens nothing. */
const pem = readFileSync(new URL('./oauth1-test-only.pem', import.meta.url), 'utf8');

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const unsigned = (href: string, method: Unsigned['method'] = 'GET', headers = {}, body = ''): Unsigned => ({
  method,
  href,
  headers,
  body: Buffer.from(body),
});

describe('published signatures', () => {
  /** The parameters of each example, `oauth_` left out. */
  const parameters = (of: Record<string, string>): [string, string][] =>
    Object.entries(of).map(([name, value]) => [`oauth_${name}`, value]);
  const printer = { consumer_key: 'dpf43f3p2l4k3l03', signature_method: 'HMAC-SHA1' };
  const photos = unsigned('http://photos.example.net/photos?file=vacation.jpg&size=original');
  const photoKeys = { consumer_secret: 'kd94hf93k423kf44', token_secret: 'pfkkdhi9sl3r4s00' };

  it.each<[string, Unsigned, Record<string, string>, Record<string, string>, string]>([
    [
      'RFC 5849, 1.2, temporary credentials',
      unsigned('https://photos.example.net/initiate', 'POST'),
      { ...printer, timestamp: '137131200', nonce: 'wIjqoS', callback: 'http://printer.example.com/ready' },
      { consumer_secret: 'kd94hf93k423kf44' },
      '74KNZJeDHnMBp0EMJ9ZHt/XKycU=',
    ],
    [
      'RFC 5849, 1.2, token',
      unsigned('https://photos.example.net/token', 'POST'),
      { ...printer, token: 'hh5s93j4hdidpola', timestamp: '137131201', nonce: 'walatlh', verifier: 'hfdp7dh39dks9884' },
      { consumer_secret: 'kd94hf93k423kf44', token_secret: 'hdhd0244k9j7ao03' },
      'gKgrFCywp7rO0OXSjdot/IHF7IU=',
    ],
    [
      'RFC 5849, 1.2, photos',
      photos,
      { ...printer, token: 'nnch734d00sl2jdk', timestamp: '137131202', nonce: 'chapoH' },
      photoKeys,
      'MdpQcU8iPSUjWoN/UDMsK2sui9I=',
    ],
    [
      'OAuth Core 1.0a, A.5.2',
      photos,
      { ...printer, token: 'nnch734d00sl2jdk', timestamp: '1191242096', nonce: 'kllo9940pd9333jh', version: '1.0' },
      photoKeys,
      'tR3+Ty81lMeYAr/Fid0kMTYa/WM=',
    ],
    [
      "Twitter's page on creating a signature",
      unsigned(
        'https://api.twitter.com/1.1/statuses/update.json?include_entities=true',
        'POST',
        FORM,
        'status=Hello%20Ladies%20%2b%20Gentlemen%2c%20a%20signed%20OAuth%20request%21',
      ),
      {
        consumer_key: 'xvz1evFS4wEEPTGEFPHBog',
        nonce: 'kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg',
        signature_method: 'HMAC-SHA1',
        timestamp: '1318622958',
        token: '370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb',
        version: '1.0',
      },
      {
        consumer_secret: 'kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw',
        token_secret: 'LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE',
      },
      'hCtSmYh+iHYCEqBWrE7C7hYmtUk=',
    ],
  ])('%s', (_name, request, of, keys, expected) => {
    expect(oauth1Signature(request, parameters(of), keys)).toBe(expected);
  });

  it('RFC 5849, 3.4.1.1, the base string', () => {
    const request = unsigned('http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b', 'POST', FORM, 'c2&a3=2+q');
    const of = {
      consumer_key: '9djdj82h48djs9d2',
      token: 'kkk9d7dh3k39sjv7',
      signature_method: 'HMAC-SHA1',
      timestamp: '137131201',
      nonce: '7d8f3e4a',
    };
    expect(signatureBase(request, parameters(of))).toBe(
      'POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D' +
        '%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1' +
        '%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7',
    );
    // Erratum 2550 of RFC 5849.
    const keys = { consumer_secret: 'j49sk3j29djd', token_secret: 'dh893hdasih9' };
    expect(oauth1Signature(request, parameters(of), keys)).toBe('r6/TJjbCOr97/+UU0NsvSne7s5g=');
  });

  it.each<[string, string, string]>([
    ['keeps a port that is not the default', 'https://acme.com:80/x', 'GET&https%3A%2F%2Facme.com%3A80%2Fx&'],
    ['drops the default port', 'https://acme.com:443/x', 'GET&https%3A%2F%2Facme.com%2Fx&'],
    ['has a slash for no path', 'https://acme.com?', 'GET&https%3A%2F%2Facme.com%2F&'],
    ['orders by name before value', 'https://acme.com/?a=1&a-b=2&a%25=3', 'GET&https%3A%2F%2Facme.com%2F&a%3D1%26a%2525%3D3%26a-b%3D2'],
    ['keeps bytes that are no UTF-8', 'https://acme.com/?a=%e9', 'GET&https%3A%2F%2Facme.com%2F&a%3D%25E9'],
    ['writes a byte as two digits', 'https://acme.com/?a=%0a', 'GET&https%3A%2F%2Facme.com%2F&a%3D%250A'],
    ['keeps an equals sign in a value', 'https://acme.com/?a=b==&&', 'GET&https%3A%2F%2Facme.com%2F&a%3Db%253D%253D'],
  ])('the base string %s', (_name, href, expected) => {
    expect(signatureBase(unsigned(href), [])).toBe(expected);
  });
});

const NONCE = '000102030405060708090a0b0c0d0e0f';
/** Gives 00 01 02 … */
const random: Random = { float: () => 0, uuid: () => '', bytes: (size) => Uint8Array.from({ length: size }, (_, index) => index) };
const NOW = Date.parse('2026-01-02T03:04:05.678Z');
const context = (values: SignerContext['values'], bytes = random.bytes): SignerContext => ({
  values,
  now: NOW,
  random: { ...random, bytes },
  memory: {},
});
const consumer = { consumer_key: 'ck &+é', consumer_secret: canary('oauth1-consumer-secret') };
const values = { ...consumer, token: 'tk/1', token_secret: canary('oauth1-token-secret') };

/** The parameters of an OAuth header in their order, decoded. */
function read(header: string): [string, string][] {
  expect(header).toMatch(/^OAuth /);
  return [...header.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, decodeURIComponent(value)]);
}
const sign = (request: Unsigned, of: SignerContext['values']): string => oauth1.sign(request, context(of)).headers!.authorization!;

/**
 * By Python's oauthlib 4.0.1: `Client('ck &+é', …, nonce=NONCE, timestamp='1767323045').sign(…)` with the two canaries as secrets
 * and the PEM beside this file.
 */
describe('as oauthlib signs', () => {
  const href = 'https://API.Acme.com:443/v1/caf%C3%A9/a%20b?b=2&a=%20x&a=&a-b=1&a=%25&q=x+y&%C3%A9=%E2%82%AC&z=';
  const get = unsigned(href);
  const post = unsigned(href, 'POST', { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }, 'c=d+e&a=z&m=%2B%26&%C3%BC=');
  const { consumer_secret: _none, token_secret: _neither, ...publicly } = values;
  it.each<[string, Unsigned, SignerContext['values'], string]>([
    ['HMAC-SHA1', get, values, 'DYaCY7mrsXVn9rN3UvRbIU+YHwg='],
    ['HMAC-SHA256', get, { ...values, signature_method: 'HMAC-SHA256' }, 'OnK43O0CY5+6r1Xg4rL+nuPVqAGgkRfTNdrBIWKdqME='],
    [
      'RSA-SHA1',
      get,
      { ...publicly, signature_method: 'RSA-SHA1', private_key: pem },
      'KMcZMQ1Q9sg+/UNTNlw19L/h6bzPF/B95Fov/XWH3QFOW/kMqCuGB++H3Hf23bFke/JnbZrmfStFFxne6FUExvtoLTpOa8BF+JJ2hKV6WFzD9TpqWlqGqLlqKOJxmDugeqYyGB/xoAFbnoLmsHAUwTcO4+iKCPDGLECI60yiyKD+Mp69ThHKAdCIKdzX5oK1J93l7vqVwaet7hBzM3BpH4Dji29rVmuAG2jke6beyGxwpzTdtiWrpkGF6EhiEjMKNX0QF/bR1aY0Q7w1AfaDDeNXKKDMZ0EPJgth+2qH+myvWcKzLcbeL/tVRGVJANSc1K5/QKoy32YlCQjAGo0KkQ==',
    ],
    [
      'RSA-SHA256',
      get,
      { ...publicly, signature_method: 'RSA-SHA256', private_key: pem },
      'eebxVB3Md/EtUmPxAdzso2cv+MBMtFgwv/tJ5wzLJ/uVAQm2sXHHUCbQTtuwjTdvcJHDZsTU44sunmvdEY7OpQZ2ERXHunwyrb8R4XoIS1ICo7+3hRVfx50RzIqi3+lnsKgKP/ql+nCZIqYG0aT8KYyaD2ki+E1vOTc0Kqu2qNKyp5B/t+2WZVyBH3RCrSVFRXtZCIFweiowFsxn13jnS1fXYjwRrXP9+2Gr/eFpxrRNcuIzBFI1+TeNc5PMxdESdHpo6f3lzIVT3oZ2f3FcBCjcGj3fpgY+Gme9UDwJDX0wd6+0a5EXr7lBdUvYDBLJ0gKeGJguLed5M9mC0caqaA==',
    ],
    ['without token', get, { ...consumer, token: '' }, 'SNZAtaXovx2fZm8Xl3u8BA8UkPs='],
    ['a form', post, values, 'km2nA+3X1c7xgAzKojQImwVyX68='],
    [
      'a body that is no form',
      unsigned(href, 'POST', { 'content-type': 'application/json' }, '{"a":1}'),
      values,
      '2mMnZCqKsXHrFUlhET3MwcZb5xg=',
    ],
    ['a port', unsigned('http://acme.com:8080/x'), values, 'aGoTYXnOnXxvoRKzu9USJnfq7AA='],
    [
      'a callback',
      unsigned('https://acme.com/request', 'POST'),
      { ...consumer, callback: 'https://app.acme.com/cb?x=1' },
      'gxVcTBkC1hqlIJGW/9XkXslHdKM=',
    ],
    [
      'a verifier',
      unsigned('https://acme.com/token', 'POST'),
      { ...values, verifier: 'v/1', realm: 'Photos' },
      '+RewME/dui5MWziEwcjsqU6LZSk=',
    ],
  ])('%s', (_name, request, of, expected) => {
    expect(Object.fromEntries(read(sign(request, of))).oauth_signature).toBe(expected);
  });

  it('PLAINTEXT: both secrets, encoded and joined (RFC 5849, 3.4.4)', () => {
    const secret = (text: string): string => text.replace('+/="&<é', '%2B%2F%3D%22%26%3C%C3%A9');
    const signature = read(sign(get, { ...values, signature_method: 'PLAINTEXT' })).at(-1)![1];
    expect(signature).toBe(`${secret(values.consumer_secret)}&${secret(values.token_secret)}`);
  });
});

describe('the parameters', () => {
  const request = unsigned('https://acme.com/x?a=1');

  it('stand in the header, the realm first', () => {
    const header = sign(request, { ...values, realm: '12_SB1 "x"', verifier: 'v', callback: 'oob' });
    expect(header).toMatch(/^OAuth realm="12_SB1 \\"x\\"", oauth_consumer_key="ck%20%26%2B%C3%A9", oauth_token="tk%2F1", /);
    expect(read(header.replace(/realm.*?, (?=oauth)/, '')).slice(2, -1)).toEqual([
      ['oauth_signature_method', 'HMAC-SHA1'],
      ['oauth_timestamp', '1767323045'],
      ['oauth_nonce', NONCE],
      ['oauth_version', '1.0'],
      ['oauth_callback', 'oob'],
      ['oauth_verifier', 'v'],
    ]);
  });

  it.each<[string, string]>([
    ['https://acme.com/x?a=1#part', 'https://acme.com/x?a=1&oauth_consumer_key=ck%20%26%2B%C3%A9&oauth_token=tk%2F1&'],
    ['https://acme.com/x', 'https://acme.com/x?oauth_consumer_key=ck%20%26%2B%C3%A9&oauth_token=tk%2F1&'],
  ])('stand in the query of %s', (href, start) => {
    const signed = oauth1.sign(unsigned(href), context({ ...values, placement: 'query', realm: 'r' }));
    expect(Object.keys(signed)).toEqual(['href']);
    expect(signed.href!.startsWith(start)).toBe(true);
    const inHeader = read(sign(unsigned(href), values));
    expect([...new URL(signed.href!).searchParams].filter(([name]) => name.startsWith('oauth_'))).toEqual(inHeader);
  });

  /** The secret key of RFC 8032, 7.1, test 1. */
  const curve =
    '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n';
  it.each<[string, SignerContext['values'], string, string]>([
    ['no consumer key', { ...values, consumer_key: undefined }, 'input_missing', 'fields.consumer_key'],
    ['no consumer secret', { ...values, consumer_secret: undefined }, 'input_missing', 'fields.consumer_secret'],
    ['no private key', { ...values, signature_method: 'RSA-SHA1' }, 'input_missing', 'fields.private_key'],
    [
      'no key at all',
      { ...values, signature_method: 'RSA-SHA1', private_key: canary('oauth1-pem') },
      'input_malformed',
      'fields.private_key',
    ],
    ['a key that is not RSA', { ...values, signature_method: 'RSA-SHA256', private_key: curve }, 'input_malformed', 'fields.private_key'],
    ['an unknown method', { ...values, signature_method: 'toString' }, 'input_malformed', 'signature_method'],
    ['a realm of two lines', { ...values, realm: 'a\r\nb' }, 'input_malformed', 'realm'],
  ])('say what is wrong: %s', (_name, of, code, where) => {
    expect(() => sign(request, of)).toThrow(expect.objectContaining({ code, where }));
  });
});

function incoming({ method, href, headers, body }: Unsigned, authorization?: string): Incoming {
  const { host, pathname, search, searchParams } = new URL(href);
  const bytes = Buffer.from(body);
  return {
    method,
    host,
    path: pathname,
    query: [...searchParams],
    search: search.slice(1),
    headers: { ...headers, host, ...(authorization !== undefined && { authorization }) },
    cookies: {},
    body: bytes.toString('utf8'),
    bytes,
  };
}

describe('the twin', () => {
  const request = unsigned('https://acme.com/v1/things?a=1&a-b=%C3%A9&a=x+y', 'POST', FORM, 'c=d+e&a=%7E*');
  const provider = (of: SchemeContext['values'] = values): SchemeContext => ({ values: of, now: NOW, memory: new Map(), fresh: () => '' });

  it.each<[string, SignerContext['values']]>([
    ['HMAC-SHA1', values],
    ['HMAC-SHA256', { ...values, signature_method: 'HMAC-SHA256' }],
    ['RSA-SHA1', { ...values, signature_method: 'RSA-SHA1', private_key: pem }],
    ['RSA-SHA256', { ...values, signature_method: 'RSA-SHA256', private_key: pem }],
    ['PLAINTEXT', { ...values, signature_method: 'PLAINTEXT' }],
    ['a realm', { ...values, realm: 'a "b"' }],
    ['no token yet', { ...consumer, callback: 'https://app.acme.com/cb?x=1' }],
    ['a verifier', { ...values, verifier: 'v&1' }],
  ])('takes what the signer sends, once: %s', (_name, of) => {
    const server = provider(of);
    expect(twin.verify(incoming(request), server)).toBe('missing');
    const sent = incoming(request, sign(request, of));
    expect([twin.verify(sent, server), twin.verify(sent, server)]).toEqual(['good', 'wrong']);
    const next = oauth1.sign(
      request,
      context(of, (size) => new Uint8Array(size)),
    );
    expect(twin.verify(incoming(request, next.headers!.authorization!), server)).toBe('good');
  });

  it('takes a signature in the query, over http and on a port too', () => {
    const of = { ...values, placement: 'query', realm: 'r' };
    for (const origin of ['https://acme.com', 'http://acme.com:8080', 'https://acme.com:80']) {
      const plain = unsigned(`${origin}/v1?a=x%20y`);
      const href = oauth1.sign(plain, context(of)).href!;
      const server = provider(of);
      expect(twin.verify(incoming({ ...plain, href: href.replace('a=x', 'a=z') }), server)).toBe('wrong');
      expect(twin.verify(incoming({ ...plain, href }), server)).toBe('good');
    }
  });

  it.each<[string, (sent: string) => string, Partial<Unsigned>]>([
    ['another path', (sent) => sent, { href: 'https://acme.com/v1/other?a=1&a-b=%C3%A9&a=x+y' }],
    ['another host', (sent) => sent, { href: 'https://acme.org/v1/things?a=1&a-b=%C3%A9&a=x+y' }],
    ['another query', (sent) => sent, { href: 'https://acme.com/v1/things?a=1&a-b=%C3%A9&a=x' }],
    ['another method', (sent) => sent, { method: 'PUT' }],
    ['another form', (sent) => sent, { body: Buffer.from('c=d+f&a=%7E*') }],
    ['a form by another type', (sent) => sent, { headers: { 'content-type': 'text/plain' } }],
    ['another scheme', () => 'Bearer x', {}],
    ['another consumer', (sent) => sent.replace('oauth_consumer_key="ck', 'oauth_consumer_key="cl'), {}],
    ['another token', (sent) => sent.replace('oauth_token="tk', 'oauth_token="tl'), {}],
    ['another time', (sent) => sent.replace('1767323045', '1767323046'), {}],
    ['no time', (sent) => sent.replace('1767323045', 'x'), {}],
    ['another nonce', (sent) => sent.replace(NONCE, 'x'), {}],
    ['a method that is not agreed', (sent) => sent.replace('HMAC-SHA1', 'PLAINTEXT'), {}],
    ['another version', (sent) => sent.replace('oauth_version="1.0"', 'oauth_version="2.0"'), {}],
    ['a parameter twice', (sent) => `${sent}, oauth_version="1.0"`, {}],
    ['a realm that it does not have', (sent) => sent.replace('OAuth ', 'OAuth realm="x", '), {}],
    ['no signature', (sent) => sent.replace(/, oauth_signature=.*/, ''), {}],
  ])('refuses %s', (_name, change, other) => {
    const server = provider();
    const sent = sign(request, values);
    expect(twin.verify(incoming({ ...request, ...other }, change(sent)), server)).toBe('wrong');
    expect(twin.verify(incoming(request, sent), server)).toBe('good');
  });

  it('refuses what is signed well but not as agreed', () => {
    const method = sign(request, { ...values, signature_method: 'HMAC-SHA256' });
    expect(twin.verify(incoming(request, method), provider())).toBe('wrong');
    const twice = { ...values, placement: 'query' };
    const { href = '' } = oauth1.sign({ ...request, href: `${request.href}&oauth_version=1.0` }, context(twice));
    expect(twin.verify(incoming({ ...request, href }), provider(twice))).toBe('wrong');
    const sent = read(sign(request, values)).map(([name, value]): [string, string] => [name, name === 'oauth_version' ? '2.0' : value]);
    const signature = oauth1Signature(request, sent.slice(0, -1), values);
    const header = [...sent.slice(0, -1), ['oauth_signature', signature]].map(([name, value]) => `${name}="${encodeURIComponent(value!)}"`);
    expect(twin.verify(incoming(request, `OAuth ${header.join(',')}`), provider())).toBe('wrong');
  });

  it('takes a Host with the default port for one without', () => {
    const sent = incoming(request, sign(request, values));
    expect(twin.verify({ ...sent, host: 'acme.com:443' }, provider())).toBe('good');
    expect(twin.verify({ ...sent, host: 'acme.com:444' }, provider())).toBe('wrong');
  });

  it.each(['HMAC-SHA1', 'HMAC-SHA256', 'PLAINTEXT'])('refuses other secrets: %s', (signature_method) => {
    const server = provider({ ...values, signature_method });
    for (const name of ['consumer_secret', 'token_secret']) {
      const sent = sign(request, { ...values, signature_method, [name]: canary('oauth1-other') });
      expect(twin.verify(incoming(request, sent), server)).toBe('wrong');
    }
  });

  it.each([
    [-300_000, 'good'],
    [300_000, 'good'],
    [-302_000, 'expired'],
    [302_000, 'expired'],
  ])('a clock that is %s ms off: %s', (off, verdict) => {
    const sent = incoming(request, sign(request, values));
    expect(twin.verify(sent, { ...provider(), now: Math.floor(NOW / 1000) * 1000 + off })).toBe(verdict);
  });

  it('names its realm when it refuses', () => {
    const of = { ...values, realm: 'a "b"' };
    expect(twin.challenge!('wrong', incoming(request), provider(of))).toBe('OAuth realm="a \\"b\\""');
  });
});
