import { createServer } from 'node:net';
import type { Authenticator } from '../../../framework/http/types.ts';
import { clientFor, closeAll, json, listen, rejection, serve } from './servers.ts';

afterEach(closeAll);

const get = { method: 'GET', url: '/x' } as const;
const once = { retry: { max_retries: 0 } };
/** It takes requests and never answers. */
const silent = () => serve(() => {});
/** It takes connections and never speaks. */
async function mute() {
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer((socket) => sockets.add(socket.on('error', () => {})));
  const port = await listen(server);
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port, close };
}

describe('timeouts say which', () => {
  it('response', async () => {
    const server = await silent();
    expect(await rejection(clientFor(server.origin, { ...once, timeout: { response: 60 } }).client.call(get))).toMatchObject({
      code: 'timeout',
      kind: 'transient',
      message: expect.stringContaining('response timeout'),
    });
  });

  it('connect: TCP is there, TLS does not come', async () => {
    const server = await mute();
    const { client } = clientFor(`https://127.0.0.1:${server.port}`, { ...once, timeout: { connect: 60 } });
    expect(await rejection(client.call(get))).toMatchObject({ code: 'timeout', message: expect.stringContaining('connect timeout') });
    server.close();
  });

  it('connect: a proxy that never gives the tunnel', async () => {
    const proxy = await mute();
    const { client } = clientFor('https://api.acme.com', {
      ...once,
      timeout: { connect: 60 },
      network: { proxy: `http://127.0.0.1:${proxy.port}` },
    });
    expect(await rejection(client.call(get))).toMatchObject({ code: 'timeout', message: expect.stringContaining('connect timeout') });
    proxy.close();
  });

  it('total, over a body that never ends, and it is not tried again', async () => {
    const server = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('[1,');
    });
    const { client } = clientFor(server.origin);
    expect(await rejection(client.call(get, { timeout: 80 }))).toMatchObject({
      code: 'timeout',
      message: expect.stringContaining('total timeout'),
    });
    expect(server.seen).toHaveLength(1);
  });

  it('a response timeout of a GET is tried again', async () => {
    const server = await serve((_, response, count) => {
      if (count > 0) json(response, 200, {});
    });
    expect(await clientFor(server.origin, { timeout: { response: 60 } }).client.call(get)).toMatchObject({ attempts: 2 });
  });

  it('an answer that stops in the middle', async () => {
    const server = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('[1,');
    });
    const { client } = clientFor(server.origin, { ...once, timeout: { response: 80, total: 5000 } });
    expect(await rejection(client.call(get))).toMatchObject({
      code: 'timeout',
      message: expect.stringContaining('in the middle of the answer'),
    });
  });

  it('a stream that stops in the middle', async () => {
    const server = await serve((_, response) => {
      response.writeHead(200);
      response.write('abc');
    });
    const { client } = clientFor(server.origin, { timeout: { response: 80, total: 40 } });
    const { body } = await client.stream(get);
    const read = async () => {
      let text = '';
      for await (const chunk of body) text += String(chunk);
      return text;
    };
    expect(await rejection(read())).toMatchObject({ code: 'timeout', message: expect.stringContaining('in the middle of the answer') });
  });
});

describe('a signal', () => {
  it('that is aborted already sends nothing', async () => {
    const server = await silent();
    expect(await rejection(clientFor(server.origin).client.call(get, { signal: AbortSignal.abort() }))).toMatchObject({ code: 'aborted' });
    expect(server.seen).toHaveLength(0);
  });

  it('ends a request under way, and the server sees it', async () => {
    const stop = new AbortController();
    let closed: () => void = () => {};
    const seen = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const server = await serve((_, response) => {
      response.once('close', closed);
      stop.abort();
    });
    expect(await rejection(clientFor(server.origin).client.call(get, { signal: stop.signal }))).toMatchObject({
      code: 'aborted',
      kind: 'input',
    });
    await seen;
    expect(server.seen).toHaveLength(1);
  });

  it('ends a wait between two attempts', async () => {
    const stop = new AbortController();
    const server = await serve((_, response) => json(response, 503, {}));
    const { client } = clientFor(server.origin, {
      clock: {
        now: () => 0,
        sleep: (_ms, signal) =>
          new Promise((_, reject) => {
            signal?.addEventListener('abort', () => reject(signal.reason));
            stop.abort();
          }),
      },
    });
    expect(await rejection(client.call(get, { signal: stop.signal }))).toMatchObject({ code: 'aborted' });
    expect(server.seen).toHaveLength(1);
  });

  it('ends the wait for a token', async () => {
    const stop = new AbortController();
    const auth: Authenticator = {
      renewable: true,
      renew: async () => {},
      apply: () => {
        setImmediate(() => stop.abort());
        return new Promise(() => {});
      },
    };
    const server = await silent();
    expect(await rejection(clientFor(server.origin, { auth }).client.call(get, { signal: stop.signal }))).toMatchObject({
      code: 'aborted',
    });
  });

  it('ends a stream', async () => {
    const stop = new AbortController();
    const server = await serve((_, response) => {
      response.writeHead(200);
      response.write('abc');
    });
    const { body } = await clientFor(server.origin).client.stream(get, { signal: stop.signal });
    const read = async () => {
      for await (const _ of body) stop.abort();
    };
    expect(await rejection(read())).toMatchObject({ code: 'aborted' });
  });
});

describe('close', () => {
  it('ends what is under way and refuses what comes', async () => {
    const server = await serve((_, response) => void response);
    const { client } = clientFor(server.origin);
    const calls = [client.call(get), client.http.post('/y', { json: {} }).json()].map(rejection);
    while (server.seen.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    await client.close();
    expect(await Promise.all(calls)).toMatchObject([{ code: 'closed' }, { code: 'closed' }]);
    expect(await rejection(client.call(get))).toMatchObject({ code: 'closed' });
    await client.close();
  });
});
