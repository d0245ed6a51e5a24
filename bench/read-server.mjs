// The provider of bench/read.ts: pages of 100 records, from memory, in a process of its own.
import { createServer } from 'node:http';

const [pages, size] = process.argv.slice(2).map(Number);
const filler = 'x'.repeat(Math.max(0, (size ?? 800) - 330));
const record = (id) => ({
  id,
  name: `Item ${id}`,
  status: id % 3 === 0 ? 'active' : 'paused',
  price: id * 1.25,
  created_at: new Date(1_700_000_000_000 + id * 1000).toISOString(),
  updated_at: new Date(1_750_000_000_000 + id * 1000).toISOString(),
  owner: { id: id % 50, name: `Owner ${id % 50}`, email: `owner${id % 50}@example.com` },
  tags: ['a', 'b', String(id % 7)],
  note: filler,
});
const made = new Map();
function page(number) {
  // Made once: the first round, which does not count, waits for it.
  let parts = made.get(number);
  if (parts === undefined) {
    parts = JSON.stringify({ data: Array.from({ length: 100 }, (_, at) => record(number * 100 + at)) });
    made.set(number, parts);
  }
  return parts;
}
const EMPTY = JSON.stringify({ data: [] });
const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://server');
  const number = Number(url.searchParams.get('page'));
  const total = Number(url.searchParams.get('of') ?? pages);
  if (url.pathname === '/parents') {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({ data: number * 100 > total ? [] : Array.from({ length: 100 }, (_, at) => ({ id: (number - 1) * 100 + at + 1 })) }),
    );
    return;
  }
  const body = Buffer.from(number > total ? EMPTY : page(number));
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
});
server.listen(0, '127.0.0.1', () => process.send?.(server.address().port));
