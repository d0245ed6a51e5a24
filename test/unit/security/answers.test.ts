import { createServer, type Socket } from 'node:net';
import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib';
import { systemClock } from '../../../framework/core/clock.ts';
import { isFerruleError } from '../../../framework/core/errors.ts';
import type { Client } from '../../../framework/http/types.ts';
import { clientFor, closeAll, json, listen, rejection, serve } from '../http/servers.ts';

const open: { close(): void }[] = [];
afterEach(async () => {
  await closeAll();
  for (const one of open.splice(0)) one.close();
});

/** A server that writes bytes as they are, once a request has come. */
async function raw(answer: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
  });
  const port = await listen(server);
  open.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  return `http://127.0.0.1:${port}`;
}

/** The same piece again and again for as long as somebody reads. */
function pour(socket: Socket, piece: string): void {
  const more = () => {
    while (!socket.destroyed && socket.write(piece));
    if (!socket.destroyed) socket.once('drain', () => setImmediate(more));
  };
  more();
}

/** A few bytes at a time, and never silent for long. */
function drip(socket: Socket, piece: string | Buffer): void {
  const timer = setInterval(() => (socket.destroyed ? clearInterval(timer) : socket.write(piece)), 5);
}

const pouring = (first: string, piece: string) => (socket: Socket) => {
  socket.write(first);
  pour(socket, piece);
};
const dripping = (first: string | Buffer, piece: string | Buffer) => (socket: Socket) => {
  socket.write(first);
  drip(socket, piece);
};

const get = { method: 'GET', url: '/x' } as const;
const MiB = 1024 * 1024;
const LIMITS = { timeout: { connect: 2000, response: 100, total: 400 }, maxResponseBytes: MiB, retry: { max_retries: 0 } };
/** For what must not need a limit: on a busy machine a tenth of a second is soon over. */
const PATIENT = { ...LIMITS, timeout: { connect: 2000, response: 4000, total: 4000 } };
/** Generous: most take a few milliseconds. */
const MOST_MS = 5000;
const MOST_MEMORY = 100 * MiB;
/** In stream mode a reader stops here, as one with a disk would. */
const ENOUGH = 64 * MiB;

const head = (...lines: string[]) => `HTTP/1.1 200 OK\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const whole = (type: string, body: string | Buffer, ...lines: string[]) =>
  Buffer.concat([Buffer.from(head(`content-type: ${type}`, `content-length: ${Buffer.byteLength(body)}`, ...lines)), Buffer.from(body)]);
const JSON_TYPE = 'application/json';
const CHUNKED = 'transfer-encoding: chunked';

const zeros = Buffer.alloc(48 * MiB);
const GZIP = gzipSync(zeros);
const LAYERED = gzipSync(gzipSync(gzipSync(zeros)));
const DEFLATE = deflateSync(zeros);
const BROTLI = brotliCompressSync(zeros, { params: { [constants.BROTLI_PARAM_QUALITY]: 3 } });

const chunkOf = (bytes: string) =>
  Buffer.from(chunk('x'.repeat(bytes.length / 2)).replace(/x+/, Buffer.from(bytes, 'hex').toString('latin1')), 'latin1');
/** RFC 1952, 2.3: no name, no time. RFC 1951, 3.2.4: a block of no bytes. */
const GZIP_HEAD = chunkOf('1f8b0800000000000003');
const NO_DATA = chunkOf('000000ffff');

async function drain(client: Client): Promise<string> {
  const { body } = await client.stream(get);
  let size = 0;
  for await (const piece of body) {
    size += (piece as Buffer).length;
    if (size > ENOUGH) return 'enough';
  }
  return `${size} bytes`;
}

const outcomeOf = (error: unknown): string => (isFerruleError(error) ? `${error.code} ${error.kind}` : String((error as Error).stack));
const peak = () => process.resourceUsage().maxRSS * 1024;

const MALFORMED = 'response_malformed data';
const SLOW = 'timeout transient';
const CUT = 'connection_failed transient';

type Hostile = [name: string, answer: (socket: Socket) => void, call: string, stream: string];
const ANSWERS: readonly Hostile[] = [
  // What is compressed grows at most a thousandfold in one layer: a reader of a stream gets it piece by piece. What grows more is no data.
  ['a gzip bomb', (s) => s.end(whole(JSON_TYPE, GZIP, 'content-encoding: gzip')), MALFORMED, `${zeros.length} bytes`],
  ['a deflate bomb', (s) => s.end(whole(JSON_TYPE, DEFLATE, 'content-encoding: deflate')), MALFORMED, `${zeros.length} bytes`],
  ['a brotli bomb', (s) => s.end(whole(JSON_TYPE, BROTLI, 'content-encoding: br')), MALFORMED, MALFORMED],
  ['a bomb in a bomb', (s) => s.end(whole(JSON_TYPE, LAYERED, 'content-encoding: gzip, gzip, gzip')), MALFORMED, MALFORMED],
  ['five encodings', (s) => s.end(whole(JSON_TYPE, '{}', `content-encoding: ${'gzip, '.repeat(5)}`)), MALFORMED, MALFORMED],
  ['an encoding of nobody', (s) => s.end(whole(JSON_TYPE, '{}', 'content-encoding: zip')), MALFORMED, MALFORMED],
  ['an encoding that it has not', (s) => s.end(whole(JSON_TYPE, '{}', 'content-encoding: gzip')), MALFORMED, MALFORMED],

  ['a body without end', pouring(head(CHUNKED), chunk('x'.repeat(65_536))), MALFORMED, 'enough'],
  ['a body without end or length', pouring(head(), 'x'.repeat(65_536)), MALFORMED, 'enough'],
  ['a length that is more than comes', (s) => s.end(`${head('content-length: 1000')}abc`), CUT, CUT],
  ['a length that never comes', (s) => s.write(`${head('content-length: 1000')}abc`), SLOW, SLOW],
  ['a length beyond 2^53', (s) => s.write(`${head('content-length: 9007199254740993')}abc`), SLOW, SLOW],
  ['a length beyond 2^64', (s) => s.write(`${head('content-length: 99999999999999999999')}abc`), MALFORMED, MALFORMED],
  ['a length below nothing', (s) => s.end(`${head('content-length: -1')}{}`), MALFORMED, MALFORMED],
  // What comes behind is another answer, to nobody's question.
  ['a length that is less than comes', (s) => s.end(`${head('content-length: 2')}{}${head('content-length: 4')}evil`), '{}', '2 bytes'],
  ['two lengths', (s) => s.end(`${head('content-length: 2', 'content-length: 3')}{}`), MALFORMED, MALFORMED],
  ['a length and chunks', (s) => s.end(`${head('content-length: 2', CHUNKED)}2\r\n{}\r\n0\r\n\r\n`), MALFORMED, MALFORMED],
  ['a chunk beyond all numbers', (s) => s.write(`${head(CHUNKED)}ffffffffffffffffffff\r\n`), MALFORMED, MALFORMED],
  ['a chunk with an extension without end', pouring(`${head(CHUNKED)}2;`, 'x'.repeat(10_000)), MALFORMED, MALFORMED],
  ['trailers without end', pouring(`${head(CHUNKED)}2\r\n{}\r\n0\r\n`, 'x: y\r\n'.repeat(1000)), MALFORMED, MALFORMED],
  ['a connection that closes in the middle', (s) => s.write(head(CHUNKED) + chunk('{"a":'), () => s.destroy()), CUT, CUT],

  ['one huge header', (s) => s.end(whole(JSON_TYPE, '{}', `x: ${'y'.repeat(100_000)}`)), MALFORMED, MALFORMED],
  ['many small headers', (s) => s.end(head(...Array.from({ length: 20_000 }, (_, i) => `x${i}: y`))), MALFORMED, MALFORMED],
  ['headers without end', pouring('HTTP/1.1 200 OK\r\n', 'x: y\r\n'.repeat(1000)), MALFORMED, MALFORMED],
  ['a name of a header without end', pouring('HTTP/1.1 200 OK\r\n', 'x'.repeat(10_000)), MALFORMED, MALFORMED],
  ['a status line without end', pouring('HTTP/1.1 200 ', 'x'.repeat(10_000)), MALFORMED, MALFORMED],
  ['headers that are never over', (s) => s.write('HTTP/1.1 200 OK\r\nx: y\r\n'), SLOW, SLOW],
  ['a flood of 100', (s) => pour(s, 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100)), SLOW, SLOW],
  ['a flood of 103', (s) => pour(s, 'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'.repeat(100)), SLOW, SLOW],
  ['another protocol', (s) => s.write('HTTP/1.1 101 X\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nhello'), SLOW, SLOW],
  ['no HTTP', (s) => s.end('{"a":1}'), MALFORMED, MALFORMED],
  ['a status of five digits', (s) => s.end('HTTP/1.1 99999 X\r\n\r\n'), MALFORMED, MALFORMED],

  // Neither is ever silent, so that only the whole ends them: a call's total, and a stream's least rate.
  ['headers that drip', dripping('HTTP/1.1 200 OK\r\nx: ', 'y'), SLOW, SLOW],
  ['a body that drips', dripping(head(CHUNKED), chunk(' ')), SLOW, SLOW],
  [
    'a packed body that drips',
    dripping(Buffer.concat([Buffer.from(head(CHUNKED, 'content-encoding: gzip')), GZIP_HEAD]), NO_DATA),
    SLOW,
    SLOW,
  ],

  ['a charset of nobody', (s) => s.end(whole(`${JSON_TYPE}; charset=klingon`, '{}')), MALFORMED, '2 bytes'],
  ['a charset that it has not', (s) => s.end(whole(JSON_TYPE, Buffer.from([0x22, 0xff, 0xfe, 0x22]))), MALFORMED, '4 bytes'],
  ['HTML', (s) => s.end(whole('text/html', '<html>no</html>')), MALFORMED, '15 bytes'],
  ['deep JSON', (s) => s.end(whole(JSON_TYPE, '['.repeat(400_000) + ']'.repeat(400_000))), MALFORMED, '800000 bytes'],
  ['deep JSON that never closes', (s) => s.end(whole(JSON_TYPE, '{"a":'.repeat(200_000))), MALFORMED, '1000000 bytes'],
  ['a number beyond all numbers', (s) => s.end(whole(JSON_TYPE, '{"a":1e999}')), 'number_too_large data', '11 bytes'],
  ['a number of a million digits', (s) => s.end(whole(JSON_TYPE, `[${'1'.repeat(1_000_000)}]`)), 'number_too_large data', '1000002 bytes'],
];

describe.each(ANSWERS)('%s', (_name, answer, call, stream) => {
  it.each([
    ['as a whole', call, async (client: Client) => JSON.stringify((await client.call(get)).body)],
    ['as a stream', stream, drain],
  ] as const)('%s', async (_mode, expected, ask) => {
    const { client } = clientFor(await raw(answer), expected === SLOW ? LIMITS : PATIENT);
    const [started, before] = [performance.now(), peak()];
    const outcome = await ask(client).catch(outcomeOf);
    expect(outcome).toBe(expected);
    expect(performance.now() - started).toBeLessThan(MOST_MS);
    expect(peak() - before).toBeLessThan(MOST_MEMORY);
  });
});

it('a stream that brings enough goes on for as long as it likes, and a slow reader is nobody’s fault', async () => {
  const { client } = clientFor(
    await raw((socket) => {
      socket.write(head(CHUNKED));
      let left = 20;
      const timer = setInterval(() => {
        socket.write(left-- > 0 ? chunk('x'.repeat(1024)) : '0\r\n\r\n');
        if (left < 0) clearInterval(timer);
      }, 20);
    }),
    { ...LIMITS, timeout: { connect: 2000, response: 150, total: 200 } },
  );
  const { body } = await client.stream(get);
  let size = 0;
  let first = true;
  for await (const piece of body) {
    size += (piece as Buffer).length;
    if (first) await new Promise((resolve) => setTimeout(resolve, 250));
    first = false;
  }
  expect(size).toBe(20 * 1024);
});

it('by itself a call holds 256 MiB, and not one byte of what is beyond', async () => {
  const packed = gzipSync(Buffer.alloc(300 * MiB), { level: 1 });
  const { client } = clientFor(await raw((socket) => socket.end(whole(JSON_TYPE, packed, 'content-encoding: gzip'))));
  expect(await rejection(client.call(get))).toMatchObject({ code: 'response_malformed', message: expect.stringContaining('268435456') });
});

describe('of what is large, only the beginning is looked at', () => {
  const size = 32 * MiB;
  it.each([
    [500, 'text/html', '<p> '.repeat(size / 4), 'server_failed'],
    [400, JSON_TYPE, `{"message":"${'x '.repeat(size / 2)}"}`, 'request_refused'],
    [400, JSON_TYPE, `{"message":${'"x",'.repeat(size / 4)}`, 'request_refused'],
    [200, JSON_TYPE, `["${'\\n'.repeat(size / 2)}`, 'response_malformed'],
    [200, JSON_TYPE, `[${'"abc",'.repeat(size / 6)}`, 'response_malformed'],
    [200, JSON_TYPE, `[${'\n'.repeat(size)}`, 'response_malformed'],
  ])('%i %s %#', async (status, type, text, code) => {
    const server = await serve((_, response) => {
      response.writeHead(status, { 'content-type': type });
      response.end(text);
    });
    const { client } = clientFor(server.origin, { retry: { max_retries: 0 } });
    const started = performance.now();
    const error = await rejection(client.call(get));
    expect(error).toMatchObject({ code });
    // 150 ms; a search of the whole takes seconds.
    expect(performance.now() - started).toBeLessThan(1500);
    expect(JSON.stringify(error).length).toBeLessThan(2000);
  });

  it('a million keys are keys', async () => {
    const text = JSON.stringify(Object.fromEntries(Array.from({ length: 1_000_000 }, (_, i) => [`k${i}`, 1])));
    const server = await serve((_, response) => {
      response.writeHead(200, { 'content-type': JSON_TYPE });
      response.end(text);
    });
    const started = performance.now();
    const { body } = await clientFor(server.origin).client.call(get);
    expect(Object.keys(body as object)).toHaveLength(1_000_000);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

describe('headers', () => {
  const long = 60_000;
  const fill = (text: string) => text.repeat(Math.floor(long / text.length));

  it.each([
    ['one space after another', `Bearer${fill(' ')}(`],
    ['commas and spaces', fill(', ')],
    ['a quote that never ends', `Bearer a="${fill('\\"')}`],
    ['one parameter after another', `Bearer ${fill('a="b",')}`],
    ['one scheme after another', fill('Digest a=b, NTLM, Bearer, ')],
    ['one word', `Bearer ${fill('a')}`],
    ['a list of scopes', `Bearer scope="${fill('a ')}", error="insufficient_scope"`],
  ])('a challenge of %s is read at once', async (_, challenge) => {
    const server = await serve((_request, response) => json(response, 401, {}, { 'www-authenticate': challenge }));
    const { client } = clientFor(server.origin, { retry: { max_retries: 0 } });
    const started = performance.now();
    const error = await rejection(client.call(get));
    expect(error).toMatchObject({ status: 401 });
    expect(performance.now() - started).toBeLessThan(500);
  });

  it.each([
    ['a century in seconds', '3155760000'],
    ['a century as a date', 'Sun, 06 Nov 2126 08:49:37 GMT'],
    ['more than all numbers', '9'.repeat(400)],
  ])('Retry-After of %s is not waited for', async (_, header) => {
    const server = await serve((_request, response) => json(response, 429, {}, { 'retry-after': header }));
    const { client, clock } = clientFor(server.origin);
    expect(await rejection(client.call(get))).toMatchObject({ code: 'rate_limited', kind: 'rate_limit' });
    // Nor does the next call wait behind it.
    expect(await rejection(client.call(get))).toMatchObject({ kind: 'rate_limit' });
    expect(clock.waits).toEqual([]);
  });

  it.each(['nothing', '-5', '1e9', 'Infinity'])('Retry-After of %s is none: the usual waits, and no more of them', async (header) => {
    const server = await serve((_request, response) => json(response, 429, {}, { 'retry-after': header }));
    const { client, clock } = clientFor(server.origin);
    expect(await rejection(client.call(get))).toMatchObject({ code: 'rate_limited' });
    expect(clock.waits).toEqual([500, 1000, 2000, 4000, 8000]);
  });

  it('a limit that is over in a century fails the next call and does not hold it', async () => {
    const server = await serve((_request, response) => json(response, 200, {}, { 'x-left': '0', 'x-reset': '3155760000' }));
    const limits = [{ requests: 100, per: 60_000, remaining: 'X-Left', reset: { header: 'X-Reset', as: 'seconds' as const } }];
    const { client, clock } = clientFor(server.origin, { limits });
    await client.call(get);
    expect(await rejection(client.call(get))).toMatchObject({ code: 'rate_limited' });
    expect(clock.waits).toEqual([]);
  });

  it('cookies by the thousand, under any name', async () => {
    const cookies = [
      ...Array.from({ length: 1500 }, (_, i) => `c${i}=${i}`),
      '__proto__=x',
      'constructor=y',
      'toString=z',
      '=',
      'a',
      `b=${'c'.repeat(9000)}`,
    ];
    const server = await serve((_request, response) => {
      response.setHeader('set-cookie', cookies);
      json(response, 200, {});
    });
    const answer = await clientFor(server.origin).client.call(get);
    expect(answer.cookies).toMatchObject({ c0: '0', c1499: '1499', constructor: 'y', toString: 'z' });
    expect(Object.getPrototypeOf(answer.cookies)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });
});

it('a wait of a century is not taken for none', async () => {
  const stop = new AbortController();
  const slept = systemClock.sleep(3_155_760_000_000, stop.signal);
  const soon = new Promise((resolve) => setTimeout(() => resolve('it waits'), 30));
  expect(await Promise.race([slept, soon])).toBe('it waits');
  stop.abort(new Error('enough'));
  await expect(slept).rejects.toThrow('enough');
});
