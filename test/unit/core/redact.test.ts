import { isSensitiveName, Redactor, redactUrl } from '../../../framework/core/redact.ts';
import { Secret } from '../../../framework/core/secret.ts';
import { canary } from '../../canary.ts';

const secret = `${canary('redact')} '\n`;
/** What of a text is left readable, if base64 in it is read too. */
const stem = canary('redact').slice(6, 30);

function redactorOf(...secrets: string[]): Redactor {
  const redactor = new Redactor();
  for (const one of secrets) redactor.add(new Secret(one));
  return redactor;
}

describe('Redactor', () => {
  const redactor = redactorOf(secret);
  const lower = (text: string) => text.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase());

  it.each([
    ['raw', secret],
    ['in JSON', JSON.stringify({ a: secret })],
    ['in JSON in JSON', JSON.stringify(JSON.stringify({ a: secret }))],
    ['in a query', `?a=${encodeURIComponent(secret)}&b`],
    ['in a query, lower hex', `?a=${lower(encodeURIComponent(secret))}&b`],
    ['in a form', new URLSearchParams({ a: secret, b: '' }).toString()],
    ['in a form, lower hex', lower(new URLSearchParams({ a: secret, b: '' }).toString())],
    ['in a URL in a form', new URLSearchParams({ url: `/a?b=${encodeURIComponent(secret)}` }).toString()],
    ['in a query as the URL parser writes it', new URL(`https://acme.test/?a=${encodeURIComponent(secret)}`).search],
    ['in hexadecimal', Buffer.from(`x${secret}x`).toString('hex')],
    ['in upper-case hexadecimal', Buffer.from(`x${secret}x`).toString('hex').toUpperCase()],
    ['in HTML', `<p>${secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')}</p>`],
  ])('%s', (_, text) => {
    const shown = redactor.redact(text);
    expect(shown).toContain('[secret]');
    expect(shown).not.toContain(stem);
    // What stands around it stays.
    expect(shown.length).toBeLessThanOrEqual(text.length - secret.length + '[secret]'.length);
  });

  it.each([0, 1, 2, 3, 4, 5])('in base64 behind %p bytes, in both alphabets', (before) => {
    for (const alphabet of ['base64', 'base64url'] as const) {
      const encoded = Buffer.from('x'.repeat(before) + secret + 'after').toString(alphabet);
      const shown = redactor.redact(`Basic ${encoded}`);
      expect(shown).toContain('[secret]');
      // At most one character of each end may be left, which holds less than a byte of it.
      const left = Buffer.from(shown.replace('Basic ', '').replace('[secret]', ' '), alphabet).toString('latin1');
      for (let i = 0; i + 3 <= stem.length; i++) expect(left).not.toContain(stem.slice(i, i + 3));
    }
  });

  it.each([
    ['a form', new URLSearchParams({ a: secret }).toString()],
    ['a query', `?a=${encodeURIComponent(secret)}`],
    ['JSON', JSON.stringify({ a: secret })],
  ])('in %s that is encoded as a whole', (_, body) => {
    for (const encoded of [
      encodeURIComponent(body),
      ...(['base64', 'base64url', 'hex'] as const).map((alphabet) => Buffer.from(body).toString(alphabet)),
    ]) {
      expect(redactor.redact(encoded)).toContain('[secret]');
      for (const alphabet of ['base64', 'base64url', 'hex', 'latin1'] as const)
        expect(Buffer.from(redactor.redact(encoded).replace('[secret]', ' '), alphabet).toString('latin1')).not.toContain(stem);
    }
  });

  it('finds the user info of Basic', () => {
    const shown = redactor.redact(`Authorization: Basic ${Buffer.from(`user:${secret}`).toString('base64')}`);
    expect(shown).toMatch(/^Authorization: Basic dXNlcjp?[\w+/=]?\[secret\][\w+/=]{0,4}$/);
  });

  it('leaves text without a secret as it is, and takes the longer of two first', () => {
    const plain = 'nothing to see here: {"a": 1}';
    expect(redactor.redact(plain)).toBe(plain);
    expect(redactorOf('abcdef', 'abcdefghij').redact('x abcdefghij y abcdef z')).toBe('x [secret] y [secret] z');
  });

  it('replaces short values only where they stand alone', () => {
    const short = redactorOf('ab', '7');
    expect(short.redact('cab ab abc "ab" =ab& 17 7')).toBe('cab [secret] abc "[secret]" =[secret]& 17 [secret]');
    expect(short.redact('a%3Dab%26abc%3D7')).toBe('a%3D[secret]%26abc%3D[secret]');
  });

  it('knows the lines of a key in PEM form', () => {
    const line = `MII${canary('pem').slice(6, 30)}`;
    const pem = `-----BEGIN PRIVATE KEY-----\n${line}\nx\n-----END PRIVATE KEY-----\n`;
    expect(redactorOf(pem).redact(`failed at ${line}!`)).toBe('failed at [secret]!');
  });

  it('counts each secret once and takes no empty one', () => {
    const counted = redactorOf('aaaa', 'aaaa', '');
    expect(counted.size).toBe(1);
    expect(counted.redact('')).toBe('');
  });

  it('forgets what single requests carried, never what is kept', () => {
    const redactor = redactorOf(canary('kept'));
    const signature = (i: number) => `signature-${i}-${canary('passing')}`;
    redactor.add(canary('kept'));
    for (let i = 0; i < 5000; i++) {
      redactor.addPassing(signature(i));
      redactor.addPassing(canary('in each request'));
    }
    redactor.addPassing(canary('kept'));
    expect(redactor.size).toBe(1001);
    const shown = [canary('kept'), canary('in each request'), signature(4999), signature(4001)];
    expect(redactor.redact(shown.join(' '))).toBe('[secret] [secret] [secret] [secret]');
  });

  it('reads a page of a megabyte without a secret in a few milliseconds', () => {
    const many = redactorOf(...Array.from({ length: 10 }, (_, i) => canary(`speed-${i}`)));
    const page = '{"id": 1, "name": "something", "list": [1, 2, 3]}\n'.repeat(20_000);
    const start = performance.now();
    expect(many.redact(page)).toBe(page);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

describe('redactUrl', () => {
  it.each([
    ['https://a.example/x?page=2&access_token=zz#f', 'https://a.example/x?page=2&access_token=[secret]#f'],
    ['/x?code=1&state=s&client_secret=a%26b', '/x?code=[secret]&state=s&client_secret=[secret]'],
    ['https://user:pw@a.example/x', 'https://[secret]@a.example/x'],
    ['https://a.example/cb#access_token=1&expires_in=3', 'https://a.example/cb#access_token=[secret]&expires_in=3'],
    ['/x?X-Amz-Signature=1&api%5Fkey=2&q=%', '/x?X-Amz-Signature=[secret]&api%5Fkey=[secret]&q=%'],
    ['/plain', '/plain'],
  ])('%s', (url, shown) => {
    expect(redactUrl(url)).toBe(shown);
  });
});

describe('isSensitiveName', () => {
  it.each([
    'token',
    'key',
    'X-Auth-Token',
    'access_token_secret',
    'Ocp-Apim-Subscription-Key',
    'authorization_code',
    'Authorization',
    'x-api-key',
    'apiKey',
    'client_secret',
    'authtoken',
    'Set-Cookie',
    'sig',
    'refreshToken',
    'code',
  ])('%s is', (name) => expect(isSensitiveName(name)).toBe(true));
  it.each([
    'page',
    'nextToken',
    'page_token',
    'country_code',
    'sort_key',
    'errorCode',
    'keyword',
    'status',
    'country_codes',
    'limit',
    'primary',
    'Content-Type',
  ])('%s is not', (name) => expect(isSensitiveName(name)).toBe(false));
});
