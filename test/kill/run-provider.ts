import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from '../../framework/core/value.ts';
import { notesOf, type Row, type Tables, wire } from './run-table.ts';

/** A provider whose tables and jobs outlive whoever reads them. */
export interface TableProvider {
  origin: string;
  tables: Tables;
  /** Rows of `pages` that had been there when its end was last told. */
  told: number;
  /** Jobs that were created, and those that nobody has cleaned up. */
  jobs: { created: number; left: number };
  requests: number;
  close(): Promise<void>;
}

const PAGE = 200;
const SMALL_PAGE = 20;
const PIECE = 160_000;

export async function tableProvider(tables: Tables): Promise<TableProvider> {
  const jobs = new Map<number, { from: number; to: number; polls: number }>();
  const server = createServer((request, response) => void answer(request, response));
  const provider: TableProvider = {
    origin: '',
    tables,
    told: 0,
    jobs: { created: 0, left: 0 },
    requests: 0,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    provider.requests += 1;
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { pathname, searchParams: query } = new URL(request.url ?? '', 'http://provider');
    const [first = '', second, third] = pathname.replace('/v1/', '').split('/');
    const found =
      first === 'jobs' ? job(request.method ?? '', body, Number(second), third) : table(provider.tables, first, query, second, third);
    if (first === 'pages') tell(Number(query.get('offset')));
    if (found === undefined) response.writeHead(404).end();
    else if (typeof found === 'string') response.writeHead(200, { 'content-type': 'text/csv' }).end(found);
    else await trickle(response, JSON.stringify(found));
  }

  function tell(offset: number): void {
    if (offset + PAGE > provider.tables.pages.length) provider.told = provider.tables.pages.length;
  }

  function job(method: string, body: string, id: number, what: string | undefined): JsonObject | string | undefined {
    if (method === 'POST') {
      const { from, to } = JSON.parse(body) as { from: string; to: string };
      jobs.set(++provider.jobs.created, { from: Date.parse(from), to: Date.parse(to), polls: 0 });
      provider.jobs.left = jobs.size;
      return { id: provider.jobs.created };
    }
    const found = jobs.get(id);
    if (found === undefined) return undefined;
    if (method === 'DELETE') {
      jobs.delete(id);
      provider.jobs.left = jobs.size;
      return {};
    }
    if (what !== 'file') return { id, state: found.polls++ < 2 ? 'queued' : 'ready' };
    return csv(provider.tables.report.filter(({ at }) => at >= found.from && at < found.to));
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  provider.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return provider;
}

/** A large answer comes in pieces, so that who reads it may be killed in its midst. */
async function trickle(response: ServerResponse, text: string): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/json' });
  let at = 0;
  for (; text.length - at > PIECE && !response.destroyed; at += PIECE) {
    response.write(text.slice(at, at + PIECE));
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  response.end(text.slice(at));
}

const csv = (rows: readonly Row[]): string =>
  [
    'id,text,amount,at',
    ...rows.map(({ id, text, amount, at }) => `${id},"${text.replaceAll('"', '""')}",${amount},${new Date(at).toISOString()}`),
  ]
    .map((line) => `${line}\r\n`)
    .join('');

function table(
  tables: Tables,
  name: string,
  query: URLSearchParams,
  of: string | undefined,
  list: string | undefined,
): JsonObject | undefined {
  const [since, until, offset] = [
    moment(query.get('since')) ?? 0,
    moment(query.get('until')) ?? Number.POSITIVE_INFINITY,
    Number(query.get('offset')),
  ];
  const within = (rows: readonly Row[]): Row[] =>
    rows.filter(({ at }) => at >= since && at < until).sort((a, b) => a.at - b.at || a.id - b.id);
  const sent = (rows: readonly Row[]): JsonObject[] => rows.map((row) => wire(row));
  if (name === 'pages' || name === 'whole') return { data: sent(tables[name].slice(offset, offset + PAGE)) };
  if (name === 'events') return { data: sent(within(tables.events).slice(offset, offset + PAGE)) };
  if (name === 'dump') return { meta: { total: tables.dump.length }, data: { list: sent(tables.dump), more: false } };
  if (name === 'changes') return changes(within(tables.changes), query.get('after'));
  if (name === 'topics') {
    const topic = of === undefined ? undefined : tables.topics.find(({ id }) => id === Number(of));
    return {
      data:
        of === undefined ? sent(within(tables.topics).slice(offset, offset + SMALL_PAGE)) : sent(topic === undefined ? [] : notesOf(topic)),
    };
  }
  if (name !== 'projects') return undefined;
  if (of === undefined) return { data: tables.comments.slice(offset, offset + SMALL_PAGE).map((_, at) => ({ id: offset + at })) };
  const rows = (list === 'comments' ? tables.comments : tables.members)[Number(of)] ?? [];
  return {
    data: within(rows)
      .slice(offset, offset + SMALL_PAGE)
      .map((row) => wire(row, Number(of))),
  };
}

/** By a mark that stays where it is when rows before it go: `<moment>:<id>`. */
function changes(rows: readonly Row[], after: string | null): JsonObject {
  const [at = 0, id = 0] = (after ?? '0:0').split(':').map(Number);
  const rest = after === null ? rows : rows.filter((row) => row.at > at || (row.at === at && row.id > id));
  const page = rest.slice(0, PAGE);
  const last = page.at(-1);
  return { data: page.map((row) => wire(row)), next: rest.length > PAGE && last !== undefined ? `${last.at}:${last.id}` : null };
}

const moment = (text: string | null): number | undefined => (text === null ? undefined : Date.parse(text));
