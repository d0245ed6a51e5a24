import { isFerruleError } from '../../../framework/core/errors.ts';
import { createHostPolicy, type HostPolicyOptions } from '../../../framework/http/hosts.ts';
import { canary } from '../../canary.ts';

const policy = (options: Partial<HostPolicyOptions> = {}) => createHostPolicy({ baseUrl: 'https://api.acme.com/v1', ...options });
const code = (act: () => unknown) => {
  try {
    act();
  } catch (error) {
    return isFerruleError(error) ? error.code : error;
  }
  return 'nothing thrown';
};

describe('resolve', () => {
  it.each([
    ['items', 'https://api.acme.com/v1/items'],
    ['/items', 'https://api.acme.com/v1/items'],
    ['', 'https://api.acme.com/v1'],
    ['?a=1', 'https://api.acme.com/v1?a=1'],
    ['/items?next=a/../b#x', 'https://api.acme.com/v1/items?next=a/../b'],
    ['/items:search', 'https://api.acme.com/v1/items:search'],
    ['items:search', 'https://api.acme.com/v1/items:search'],
    ['javascript:alert(1)', 'https://api.acme.com/v1/javascript:alert(1)'],
    ['https://files.acme.com/x?y=1', 'https://files.acme.com/x?y=1'],
    ['//evil.com/x', 'https://evil.com/x'],
  ])('%s', (path, url) => expect(policy().resolve(path).href).toBe(url));

  it('keeps one slash whatever the base URL ends with', () => {
    expect(policy({ baseUrl: 'https://api.acme.com/v1/' }).resolve('/items').href).toBe('https://api.acme.com/v1/items');
    expect(policy({ baseUrl: 'https://api.acme.com' }).resolve('items').href).toBe('https://api.acme.com/items');
  });

  it.each([
    '/../admin',
    '/a/%2e%2E/b',
    '/./x',
    '/a\\..\\b',
    '/a b',
    '/a\tb',
    '/a\r\nHost: evil',
    `https://u:${'p'}@api.acme.com/`,
    'https://api.acme.com/\n',
    'https://',
  ])('refuses %j', (path) => expect(code(() => policy().resolve(path))).toBe('input_malformed'));

  it('shows nothing of a URL that it refuses', () => {
    const secret = canary('user info');
    try {
      policy().resolve(`https://user:${encodeURIComponent(secret)}@api.acme.com/`);
      throw new Error('not refused');
    } catch (error) {
      expect(String(error) + JSON.stringify(error)).not.toContain(secret.slice(0, 20));
    }
  });

  it('knows http and https alone', () => expect(code(() => policy().resolve('ftp://api.acme.com/x'))).toBe('host_refused'));
});

describe('check', () => {
  const rules = policy({ credentialHosts: ['https://files.acme.com', 'next.acme.org:8443', '*.acme.net'] });
  it.each([
    ['https://api.acme.com/x', 'nothing thrown'],
    ['https://API.acme.com:443/x', 'nothing thrown'],
    ['https://files.acme.com/x', 'nothing thrown'],
    ['https://next.acme.org:8443/x', 'nothing thrown'],
    ['https://a.b.acme.net/x', 'nothing thrown'],
    ['https://acme.net/x', 'host_refused'],
    ['https://evilacme.net/x', 'host_refused'],
    ['https://a.acme.net:444/x', 'host_refused'],
    ['https://next.acme.org/x', 'host_refused'],
    ['https://api.acme.com.evil.com/x', 'host_refused'],
    ['https://api.acme.com./x', 'host_refused'],
    ['https://api.acme.com:8443/x', 'host_refused'],
    ['http://api.acme.com/x', 'host_refused'],
    ['https://xn--pi-7kc.acme.com/x', 'host_refused'],
  ])('with a credential, %s: %s', (url, expected) => expect(code(() => rules.check(new URL(url), true))).toBe(expected));

  it('without a credential, any https host', () => {
    expect(code(() => rules.check(new URL('https://bucket.s3.amazonaws.com/x'), false))).toBe('nothing thrown');
    expect(code(() => rules.check(new URL('http://bucket.s3.amazonaws.com/x'), false))).toBe('host_refused');
  });

  it('plain http only to a literal loopback address, when allowed', () => {
    const local = policy({ baseUrl: 'http://127.0.0.1:8080', allowHttpLoopback: true });
    expect(code(() => local.check(new URL('http://127.0.0.1:8080/x'), true))).toBe('nothing thrown');
    expect(code(() => local.check(new URL('http://[::1]:8080/x'), false))).toBe('nothing thrown');
    expect(code(() => local.check(new URL('http://0x7f.1:8080/x'), true))).toBe('nothing thrown'); // the URL parser makes 127.0.0.1 of it
    expect(code(() => local.check(new URL('http://localhost:8080/x'), false))).toBe('host_refused');
    expect(code(() => local.check(new URL('http://192.168.0.1/x'), false))).toBe('host_refused');
  });
});

describe('the address map', () => {
  const map = new Map([['https://api.acme.com', 'http://127.0.0.1:4010']]);
  it('leads the spec origin to the sandbox and refuses every other, with or without a credential', () => {
    const sandbox = policy({ addressMap: map, credentialHosts: ['*.acme.com'] });
    expect(sandbox.onTheWire(new URL('https://api.acme.com/v1/x')).origin).toBe('http://127.0.0.1:4010');
    expect(code(() => sandbox.check(new URL('https://api.acme.com/v1'), true))).toBe('nothing thrown');
    expect(code(() => sandbox.check(new URL('https://files.acme.com/v1'), true))).toBe('credential_sandbox');
    expect(code(() => sandbox.check(new URL('https://example.com/v1'), false))).toBe('credential_sandbox');
  });
  it('leads nowhere but to a literal loopback address', () => {
    expect(code(() => policy({ addressMap: new Map([['https://api.acme.com', 'http://10.0.0.1:1']]) }))).toBe('credential_sandbox');
    expect(code(() => policy({ addressMap: new Map([['https://api.acme.com', 'http://localhost:1']]) }))).toBe('credential_sandbox');
  });
});
