// The provider of bench/peers: three streams, from memory, in a process of its own.
//   /items?offset&limit        by offset, with their total
//   /orders?cursor&limit       by cursor; each has /orders/{id}/lines, 40 at once
//   /events?from&to&offset&limit   400 a day in a window of days
import { createServer } from 'node:http';

const ITEMS = Number(process.env.ITEMS ?? 100_000);
const ORDERS = Number(process.env.ORDERS ?? 1_000);
const LINES = 40;
const DAYS = Number(process.env.DAYS ?? 100);
const A_DAY = 400;
const DAY = 86_400_000;
/** The first day; the last one is yesterday. */
const BEGIN = Math.floor(Date.now() / DAY) * DAY - DAYS * DAY;

const filler = 'x'.repeat(480);
/** A record of about 800 bytes as JSON; text is put together, for making it must not be what is measured. */
const record = (id, more) =>
  `{"id":${id},${more}"name":"Item ${id}","status":"${id % 3 === 0 ? 'active' : 'paused'}","price":${id + 0.25},"owner":{"id":${id % 50},` +
  `"name":"Owner ${id % 50}","email":"owner${id % 50}@example.com"},"tags":["a","b","${id % 7}"],"updated_at":"2026-05-01T10:00:00Z","note":"${filler}"}`;
const list = (from, to, more) => {
  const records = [];
  for (let id = from; id < to; id++) records.push(record(id, more(id)));
  return `[${records.join(',')}]`;
};
const none = () => '';
const made = new Map();
/** Each answer is made once, and kept. */
const answers = (url, make) => {
  const known = made.get(url);
  if (known !== undefined) return known;
  const body = Buffer.from(make());
  made.set(url, body);
  return body;
};

function answer(path, query) {
  const limit = Number(query.get('limit') ?? 100);
  if (path === '/items') {
    const offset = Number(query.get('offset') ?? 0);
    return `{"total":${ITEMS},"data":${list(offset, Math.min(ITEMS, offset + limit), none)}}`;
  }
  if (path === '/orders') {
    const from = Number(query.get('cursor') || 0);
    const to = Math.min(ORDERS, from + limit);
    return `{"orders":${list(from, to, none)},"next":${to < ORDERS ? `"${to}"` : 'null'}}`;
  }
  const [, order] = /^\/orders\/(\d+)\/lines$/.exec(path) ?? [];
  if (order !== undefined) return `{"lines":${list(order * LINES, (Number(order) + 1) * LINES, () => `"order":${order},`)}}`;
  if (path === '/events') {
    const day = (name) => Math.max(0, Math.min(DAYS, Math.round((Date.parse(query.get(name)) - BEGIN) / DAY)));
    const [from, to] = [day('from') * A_DAY, day('to') * A_DAY];
    const offset = from + Number(query.get('offset') ?? 0);
    const at = (id) => `"created":"${new Date(BEGIN + Math.floor(id / A_DAY) * DAY + (id % A_DAY) * 1000).toISOString().slice(0, 19)}Z",`;
    return `{"total":${to - from},"events":${list(offset, Math.min(to, offset + limit), at)}}`;
  }
  return undefined;
}

const seen = { requests: 0, first: 0 };
const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://server');
  if (url.pathname === '/seen') {
    response.end(JSON.stringify(seen));
    Object.assign(seen, { requests: 0, first: 0 });
    return;
  }
  seen.requests += 1;
  seen.first ||= Date.now();
  const body = answers(request.url, () => answer(url.pathname, url.searchParams) ?? '');
  response.writeHead(body.length === 0 ? 404 : 200, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
});
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => console.log(server.address().port));
