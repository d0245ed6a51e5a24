import type { LookupFunction } from 'node:net';
import { Secret } from '../../../framework/core/secret.ts';
import { bypassesProxy, networkFromEnvironment, parseProxy } from '../../../framework/http/proxy.ts';
import { canary } from '../../canary.ts';
import { makeCertificate } from './certificate.ts';
import { clientFor, closeAll, json, rejection, serve, serveProxy } from './servers.ts';

afterEach(closeAll);

const acme = makeCertificate(['api.acme.com', '127.0.0.1']);
const get = { method: 'GET', url: '/x' } as const;
const once = { retry: { max_retries: 0 } };
const resolving =
  (address: string): LookupFunction =>
  (_host, _options, callback) =>
    callback(null, [{ address, family: address.includes(':') ? 6 : 4 }]);

describe('addresses', () => {
  it.each([
    ['10.0.0.7', {}, '--allow-private'],
    ['fd00::7', {}, '--allow-private'],
    ['127.0.0.1', { allowPrivate: true, allowLoopback: false }, '--allow-loopback'],
    ['169.254.169.254', { allowPrivate: true, allowLoopback: true }, 'no setting'],
    ['::ffff:169.254.169.254', { allowPrivate: true }, 'no setting'],
  ])('a name that resolves to %s is refused at connect time', async (address, network, words) => {
    const { client } = clientFor('https://api.acme.com', { network: { allowLoopback: false, ...network, lookup: resolving(address) } });
    const error = await rejection(client.call(get));
    expect(error).toMatchObject({
      code: 'address_refused',
      where: 'api.acme.com',
      message: expect.stringContaining(address),
      next: expect.stringContaining(words),
    });
  });

  it.each([
    'https://10.0.0.7',
    'https://0xa000007',
    'https://167772167',
    'https://012.0.0.7',
    'https://[::ffff:a00:7]',
    'https://[fd00::7]',
  ])('a literal private address is refused: %s', async (baseUrl) =>
    expect(await rejection(clientFor(baseUrl).client.call(get))).toMatchObject({
      code: 'address_refused',
      next: expect.stringContaining('--allow-private'),
    }),
  );

  it('a bare call is checked too', async () => {
    const { client } = clientFor('https://api.acme.com', { network: { allowLoopback: false } });
    expect(await rejection(client.call({ method: 'GET', url: 'https://127.0.0.1:1/x' }, { bare: true }))).toMatchObject({
      code: 'address_refused',
    });
    expect(await rejection(client.call({ method: 'GET', url: 'https://localhost:1/x' }, { bare: true }))).toMatchObject({
      code: 'address_refused',
    });
  });

  it('a name without an address', async () => {
    const lookup: LookupFunction = (_host, _options, callback) =>
      callback(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }), []);
    expect(await rejection(clientFor('https://api.acme.com', { ...once, network: { lookup } }).client.call(get))).toMatchObject({
      code: 'name_not_resolved',
      message: 'The name api.acme.com:443 does not resolve (ENOTFOUND).',
    });
  });

  it('nobody listens', async () => {
    const server = await serve(() => {});
    await server.close();
    expect(await rejection(clientFor(server.origin, once).client.call(get))).toMatchObject({
      code: 'connection_failed',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('not HTTP', async () => {
    const server = await serve((_, response) => response.socket?.end('SSH-2.0-OpenSSH\r\n'));
    expect(await rejection(clientFor(server.origin, once).client.call(get))).toMatchObject({
      code: 'response_malformed',
      message: expect.stringContaining('HPE_'),
    });
  });

  it('headers without end', async () => {
    const server = await serve((_, response) => {
      response.writeHead(200, { 'x-long': 'x'.repeat(100_000) });
      response.end();
    });
    expect(await rejection(clientFor(server.origin, once).client.call(get))).toMatchObject({
      code: 'response_malformed',
      message: expect.stringContaining('HPE_HEADER_OVERFLOW'),
    });
  });
});

describe('the address map', () => {
  it('takes every request of the spec origin to the sandbox, with the Host header of the origin', async () => {
    const sandbox = await serve((request, response) => {
      if (request.url === '/v1/old?page=2') {
        response.writeHead(302, { location: 'https://api.acme.com/v1/new' });
        return response.end();
      }
      json(response, 200, { host: request.headers.host });
    });
    const { client } = clientFor('https://api.acme.com/v1', {
      network: { allowLoopback: false, addressMap: new Map([['https://api.acme.com', sandbox.origin]]) },
    });
    expect(await client.call({ method: 'GET', url: '/old?page=2' })).toMatchObject({
      body: { host: 'api.acme.com' },
      url: 'https://api.acme.com/v1/new',
    });
    expect(await rejection(client.call({ method: 'GET', url: 'https://example.com/' }, { bare: true }))).toMatchObject({
      code: 'credential_sandbox',
    });
    expect(sandbox.seen).toHaveLength(2);
  });
});

describe('TLS', () => {
  const start = () => serve((_, response) => json(response, 200, { ok: true }), acme);

  it('a private CA must be given', async () => {
    const server = await start();
    expect(await rejection(clientFor(server.origin, once).client.call(get))).toMatchObject({
      code: 'tls_failed',
      message: expect.stringContaining('self-signed'),
    });
    expect((await clientFor(server.origin, { network: { ca: acme.cert } }).client.call(get)).body).toEqual({ ok: true });
  });

  it('a certificate for another host', async () => {
    const other = makeCertificate(['other.acme.com']);
    const server = await serve((_, response) => json(response, 200, {}), other);
    expect(await rejection(clientFor(server.origin, { ...once, network: { ca: other.cert } }).client.call(get))).toMatchObject({
      code: 'tls_failed',
      message: expect.stringContaining('for another host'),
    });
  });

  it('is not turned off by the environment', async () => {
    const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    try {
      const server = await start();
      expect(await rejection(clientFor(server.origin, once).client.call(get))).toMatchObject({ code: 'tls_failed' });
    } finally {
      if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
    }
  });

  it('a client certificate', async () => {
    const mine = makeCertificate(['client']);
    const server = await serve((_, response) => json(response, 200, { ok: true }), {
      ...acme,
      requestCert: true,
      rejectUnauthorized: true,
      ca: mine.cert,
    });
    const network = { ca: acme.cert, certificate: mine.cert, key: new Secret(mine.key) };
    expect((await clientFor(server.origin, { network }).client.call(get)).body).toEqual({ ok: true });
    expect(await rejection(clientFor(server.origin, { ...once, network: { ca: acme.cert } }).client.call(get))).toMatchObject({
      kind: expect.stringMatching(/input|transient/),
    });
  });
});

describe('a proxy', () => {
  const password = canary('proxy password');
  const proxyUrl = (port: number) => new Secret(`http://user:${encodeURIComponent(password)}@127.0.0.1:${port}`);

  it('is asked for a tunnel with its own credentials, and sees no name resolved here', async () => {
    const server = await serve(
      (request, response) => json(response, 200, { authorization: request.headers['proxy-authorization'] ?? null }),
      acme,
    );
    const proxy = await serveProxy();
    const lookup: LookupFunction = () => {
      throw new Error('the proxy resolves');
    };
    const { client, events } = clientFor(`https://api.acme.com:${server.port}`, {
      network: { allowLoopback: false, proxy: proxyUrl(proxy.port), ca: acme.cert, lookup },
    });
    expect((await client.call(get)).body).toEqual({ authorization: null });
    await client.call(get);
    expect(proxy.tunnels).toEqual([`api.acme.com:${server.port}`]); // one tunnel, kept alive
    expect(Buffer.from(proxy.authorizations[0]?.slice(6) ?? '', 'base64').toString()).toBe(`user:${password}`);
    expect(JSON.stringify(events)).not.toContain(password.slice(0, 20));
  });

  it('that refuses is named, without its password', async () => {
    const proxy = await serveProxy(407);
    const { client, redactor } = clientFor('https://api.acme.com', { network: { proxy: proxyUrl(proxy.port) } });
    expect(redactor.redact(`it is ${password}`)).toBe('it is [secret]');
    const error = await rejection(client.call(get));
    expect(error).toMatchObject({
      code: 'connection_failed',
      kind: 'input',
      message: `The proxy 127.0.0.1:${proxy.port} answered 407 when asked for a tunnel.`,
    });
    expect(proxy.tunnels).toHaveLength(1); // no use in trying again
    expect(JSON.stringify(error)).not.toContain(password.slice(0, 20));
  });

  it('that is away is named too', async () => {
    const gone = await serve(() => {});
    await gone.close();
    expect(
      await rejection(clientFor('https://api.acme.com', { ...once, network: { proxy: proxyUrl(gone.port) } }).client.call(get)),
    ).toMatchObject({
      code: 'connection_failed',
      message: expect.stringContaining(`through the proxy 127.0.0.1:${gone.port}`),
    });
  });

  it('is passed by for NO_PROXY, and a literal private address stays refused behind it', async () => {
    const server = await serve((_, response) => json(response, 200, { ok: true }), acme);
    const proxy = await serveProxy();
    const network = { ca: acme.cert, proxy: proxyUrl(proxy.port), noProxy: '127.0.0.0/8' };
    expect((await clientFor(server.origin, { network }).client.call(get)).body).toEqual({ ok: true });
    expect(await rejection(clientFor('https://10.0.0.7', { network }).client.call(get))).toMatchObject({ code: 'address_refused' });
    expect(proxy.tunnels).toHaveLength(0);
  });
});

describe('proxy settings', () => {
  it.each([
    ['https://api.acme.com', 'acme.com', true],
    ['https://acme.com', '.acme.com', true],
    ['https://api.acme.com', '*.acme.com', true],
    ['https://evilacme.com', 'acme.com', false],
    ['https://api.acme.com', 'acme.com:443', true],
    ['https://api.acme.com:8443', 'acme.com:443', false],
    ['https://10.1.2.3', '10.0.0.0/8', true],
    ['https://11.1.2.3', '10.0.0.0/8', false],
    ['https://[fd00::1]', 'fd00::/8', true],
    ['https://10.1.2.3', '10.1.2.3', true],
    ['https://1.10.1.2', '10.1.2', false],
    ['https://api.acme.com', 'x.org, *', true],
    ['https://api.acme.com', 'x.org y.org', false],
    ['https://api.acme.com', '', false],
  ])('%s, NO_PROXY=%s: %s', (url, noProxy, expected) => expect(bypassesProxy(new URL(url), noProxy)).toBe(expected));

  it('come from the environment that is passed in, lower case first', () => {
    const { proxy, noProxy } = networkFromEnvironment({ HTTPS_PROXY: 'http://upper:1', https_proxy: 'http://lower:2', NO_PROXY: 'a' });
    expect([parseProxy(proxy ?? '').shown, noProxy]).toEqual(['lower:2', 'a']);
    expect(networkFromEnvironment({ ALL_PROXY: 'proxy:3128' }).proxy && parseProxy('proxy:3128').shown).toBe('proxy:3128');
    expect(networkFromEnvironment({})).toEqual({});
  });

  it.each(['socks5://127.0.0.1:1080', 'http://%:1', 'http://u:%zz@h:1'])('%s is refused', (text) =>
    expect(() => parseProxy(text)).toThrow(/proxy/),
  );
});
