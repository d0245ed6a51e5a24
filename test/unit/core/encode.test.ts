import { type Random, systemRandom } from '../../../framework/core/clock.ts';
import { encodeBody, encodeQuery } from '../../../framework/core/encode.ts';
import { Secret } from '../../../framework/core/secret.ts';
import { canary } from '../../canary.ts';

const secret = canary('encode');
const zeros: Random = { float: () => 0, uuid: () => '', bytes: (size) => new Uint8Array(size) };

describe('encodeBody', () => {
  it('opens secrets in JSON at any depth, and only there', () => {
    const value = { a: [{ b: new Secret(secret) }], n: 1.5, nothing: null };
    expect(JSON.stringify(value)).not.toContain(secret.slice(0, 30));
    const { bytes, contentType } = encodeBody(value, 'json', systemRandom);
    expect(contentType).toBe('application/json');
    expect(JSON.parse(String(bytes))).toEqual({ a: [{ b: secret }], n: 1.5, nothing: null });
  });

  it('repeats a key of a form for each item, with + for a space', () => {
    const { bytes, contentType } = encodeBody({ scope: 'a b', id: ['1', 2, true], key: new Secret(secret) }, 'form', systemRandom);
    expect(contentType).toBe('application/x-www-form-urlencoded');
    expect(String(bytes)).toMatch(/^scope=a\+b&id=1&id=2&id=true&key=/);
    expect(new URLSearchParams(String(bytes)).get('key')).toBe(secret);
  });

  it('says operationName for operation in GraphQL', () => {
    const { bytes } = encodeBody({ query: '{ a }', variables: { id: 1 }, operation: 'A' }, 'graphql', systemRandom);
    expect(JSON.parse(String(bytes))).toEqual({ query: '{ a }', variables: { id: 1 }, operationName: 'A' });
    expect(JSON.parse(String(encodeBody({ query: '{ a }' }, 'graphql', systemRandom).bytes))).toEqual({ query: '{ a }' });
  });

  it('sends text and XML as they are', () => {
    expect(encodeBody('<a/>', 'xml', systemRandom)).toEqual({ bytes: '<a/>', contentType: 'application/xml; charset=utf-8' });
    expect(encodeBody(1e21, 'text', systemRandom).bytes).toBe('1000000000000000000000');
  });

  it('writes multipart by RFC 7578', () => {
    const boundary = `ferrule-${'00'.repeat(24)}`;
    const { bytes, contentType } = encodeBody({ 'a"b\r\n': 'x', c: ['y', 'z'] }, 'multipart', zeros);
    expect(contentType).toBe(`multipart/form-data; boundary=${boundary}`);
    expect(bytes).toBe(
      [
        `--${boundary}`,
        'Content-Disposition: form-data; name="a%22b%0D%0A"',
        '',
        'x',
        `--${boundary}`,
        'Content-Disposition: form-data; name="c"',
        '',
        'y',
        `--${boundary}`,
        'Content-Disposition: form-data; name="c"',
        '',
        'z',
        `--${boundary}--`,
        '',
      ].join('\r\n'),
    );
    expect(() => encodeBody({ a: `x\r\n--${boundary}` }, 'multipart', zeros)).toThrow('boundary');
  });

  it.each([
    ['form', { a: { b: 1 } }],
    ['form', { a: null }],
    ['form', ['a']],
    ['graphql', 'query'],
    ['text', { a: 1 }],
    ['json', { a: Number.NaN }],
  ] as const)('refuses what %s cannot hold', (encode, value) => {
    expect(() => encodeBody(value as never, encode, systemRandom)).toThrow(`encode: ${encode}`);
  });
});

describe('encodeQuery', () => {
  it('encodes all but unreserved characters and opens secrets', () => {
    expect(encodeQuery({ 'a[]': ['1', 'x y'], "q'": '(é*)&=+#', k: new Secret('s/1') })).toBe(
      'a%5B%5D=1&a%5B%5D=x%20y&q%27=%28%C3%A9%2A%29%26%3D%2B%23&k=s%2F1',
    );
    expect(encodeQuery({ lone: '\ud800' })).toBe('lone=%EF%BF%BD');
  });
});
