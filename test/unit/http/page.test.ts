import type { ServerResponse } from 'node:http';
import { clientFor, closeAll, serve } from './servers.ts';

afterEach(closeAll);

const MOST = { wholeBytes: 1000 };
const ITEMS = { method: 'GET', url: '/items' } as const;

/** 30 pieces of 100 bytes, with a moment between two. */
function drip(response: ServerResponse, pieces = 30): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  const next = (left: number): void => {
    if (response.destroyed) return;
    if (left === 0) return void response.end();
    response.write('x'.repeat(100), () => setImmediate(() => next(left - 1)));
  };
  next(pieces);
}

describe('a page', () => {
  it('comes whole up to its limit, and as a stream beyond it; read to the end, its connection serves the next', async () => {
    const ports = new Set<number | undefined>();
    const server = await serve((_request, response, count) => {
      ports.add(response.socket?.remotePort);
      drip(response, count === 0 ? 10 : 11);
    });
    const { client } = clientFor(server.origin);
    const whole = await client.page(ITEMS, MOST);
    expect([whole.status, whole.bytes?.length, whole.stream]).toEqual([200, 1000, undefined]);
    for (let page = 0; page < 2; page += 1) {
      const large = await client.page(ITEMS, MOST);
      expect(large.bytes).toBeUndefined();
      const chunks: Buffer[] = [];
      for await (const chunk of large.stream ?? []) chunks.push(chunk as Buffer);
      expect(Buffer.concat(chunks).toString()).toBe('x'.repeat(1100));
    }
    expect(ports.size).toBe(1);
  });

  it.each([
    ['nobody reads', 0],
    ['somebody stops reading', 1],
  ])('lets go of its connection when %s', async (_, pieces) => {
    let closed: Promise<void> | undefined;
    const server = await serve((_request, response) => {
      closed = new Promise((resolve) => response.once('close', resolve));
      drip(response, 1_000_000);
    });
    const { stream } = await clientFor(server.origin).client.page(ITEMS, MOST);
    let read = 0;
    if (pieces > 0) {
      for await (const _ of stream ?? []) if (++read >= pieces) break;
    } else {
      stream?.destroy();
    }
    await closed;
    expect(read).toBe(pieces);
  });

  it('that stops coming is given up, within what is kept whole and beyond it', async () => {
    const server = await serve((request, response) => {
      response.writeHead(200, { 'content-length': 5000 });
      response.write('x'.repeat(request.url === '/items' ? 500 : 2000));
    });
    const { client } = clientFor(server.origin, { timeout: { response: 80 }, retry: { max_retries: 0 } });
    await expect(client.page(ITEMS, MOST)).rejects.toMatchObject({ code: 'timeout', kind: 'transient' });
    const { stream } = await client.page({ method: 'GET', url: '/more' }, MOST);
    await expect(async () => {
      for await (const _ of stream ?? []);
    }).rejects.toMatchObject({ code: 'timeout', kind: 'transient' });
  });

  it('that is cut off is a failure, within what is kept whole and beyond it', async () => {
    const server = await serve((request, response) => {
      response.writeHead(200, { 'content-length': 5000 });
      response.write('x'.repeat(request.url === '/items' ? 500 : 2000), () => setTimeout(() => response.destroy(), 20));
    });
    const { client } = clientFor(server.origin, { retry: { max_retries: 0 } });
    await expect(client.page(ITEMS, MOST)).rejects.toMatchObject({ kind: 'transient' });
    const { stream } = await client.page({ method: 'GET', url: '/more' }, MOST);
    await expect(async () => {
      for await (const _ of stream ?? []);
    }).rejects.toMatchObject({ kind: 'transient' });
  });

  it('is told of with headers and bodies, or without', async () => {
    const server = await serve((_request, response) => response.writeHead(200, { 'x-a': 'b' }).end('{}'));
    for (const eventDetails of [undefined, true, false]) {
      const { client, events } = clientFor(server.origin, { ...(eventDetails !== undefined && { eventDetails }) });
      await client.page(ITEMS, MOST);
      const [request, response] = events as { type: string; url: string; headers: Record<string, string>; body?: string }[];
      expect([request?.type, response?.type, request?.url]).toEqual(['request', 'response', `${server.origin}/items`]);
      expect([request?.headers.accept, response?.headers['x-a'], response?.body]).toEqual(
        eventDetails === false ? [undefined, undefined, undefined] : ['application/json', 'b', '{}'],
      );
    }
  });
});
