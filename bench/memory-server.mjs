// The provider of bench/memory.ts and bench/partitions.ts, in a process of its own: pages of 100 records, one large JSON answer, one large
// gzip CSV, and parents with children. `memory-server RECORDS BYTES`: of the pages, and of each large answer before it is packed.
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

const [records, bytes] = process.argv.slice(2).map(Number);
const record = (id) => ({
  id,
  name: `Item ${id}`,
  price: (id % 1000) * 1.25,
  updated_at: new Date(1_750_000_000_000 + (id % 1_000_000) * 1000).toISOString(),
  owner: { id: id % 50, email: `owner${id % 50}@example.com` },
  tags: ['a', 'b', String(id % 7)],
});
const row = (id) =>
  `${id},Item ${id},${(id % 1000) * 1.25},"owner${id % 50}@example.com, and others",${(id * 2654435761) % 4294967296}\r\n`;

/** Made once and sent again and again: making them must not be what is measured. Ids count on in the first numbers of each page alone. */
const PAGE = Array.from({ length: 100 }, (_, at) => JSON.stringify(record(at)).replace(/^\{"id":\d+/, ''));
const page = (first, count) => Array.from({ length: count }, (_, at) => `{"id":${first + at}${PAGE[at]}`).join(',');

/** Text in pieces of about 64 KiB until there is enough of it. */
function* poured(head, piece, foot) {
  yield head;
  for (let [written, next] = [0, 0]; written < bytes; ) {
    const parts = [];
    for (let size = 0; size < 65_536; ) {
      const [text, count] = piece(next);
      parts.push(text);
      size += text.length;
      next += count;
    }
    const text = parts.join('');
    written += text.length;
    yield text;
  }
  if (foot !== '') yield foot;
}

/** Whoever goes away in the middle is no error here. */
const pour = (...streams) => pipeline(...streams).catch(() => undefined);

async function answer(request, response) {
  const url = new URL(request.url, 'http://server');
  const number = Number(url.searchParams.get('page') ?? 1);
  const json = (body) =>
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body);
  if (url.pathname === '/items')
    return json(`{"data":[${page((number - 1) * 100, Math.max(0, Math.min(100, records - (number - 1) * 100)))}]}`);
  if (url.pathname === '/parents') {
    const all = Number(request.headers['x-parents']);
    const first = (number - 1) * 100;
    return json(JSON.stringify({ data: Array.from({ length: Math.max(0, Math.min(100, all - first)) }, (_, at) => ({ id: first + at })) }));
  }
  const [, parent] = /^\/parents\/(\d+)\/children$/.exec(url.pathname) ?? [];
  if (parent !== undefined) {
    const pages = Number(request.headers['x-pages']);
    const first = Number(parent) * 1000 + number * 10;
    return json(
      JSON.stringify({
        data:
          number > pages
            ? []
            : [0, 1].map((at) => ({ id: first + at, updated_at: new Date(1_750_000_000_000 + first + at).toISOString() })),
        more: number < pages,
      }),
    );
  }
  if (url.pathname === '/large.json') {
    response.writeHead(200, { 'content-type': 'application/json' });
    const piece = (next) => [(next === 0 ? '' : ',') + page(next, 100), 100];
    return pour(
      Readable.from(poured('{"meta":{"kind":"large"},"result":{"pages":[],"data":{"items":[', piece, ']}},"end":true}')),
      response,
    );
  }
  if (url.pathname === '/large.csv.gz') {
    response.writeHead(200, { 'content-type': 'application/gzip' });
    const text = Readable.from(poured('id,name,price,owner,number\r\n', (next) => [row(next), 1], ''));
    return pour(text, createGzip({ level: 1 }), response);
  }
  return response.writeHead(404).end();
}

createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1', function () {
  process.send?.(this.address().port);
});
