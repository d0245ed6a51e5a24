import type { SpecDocument } from '../../../framework/core/spec-types.gen.ts';
import { connectSpec } from '../../../framework/engine/connect.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../../framework/sandbox/index.ts';
import { plainCanary } from '../../canary.ts';
import { at, type Got, send, spec } from './wire.ts';

const open: Sandbox[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((sandbox) => sandbox.close()));
});

const KEY = plainCanary('paging');
const acme = (http: string, streams: string) =>
  spec(`
spec: 1
name: acme
title: Acme
version: 1.0.0
auth: { key: { type: api_key, send: { query: { key: '\${fields.api_key}' } } } }
http: { base_url: https://api.acme.com/v1${http} }
check: { get: /me }
streams:
${streams}`);

async function start(document: SpecDocument, options: SandboxOptions): Promise<Sandbox> {
  const sandbox = await startSandbox(document, { fields: { api_key: KEY }, ...options });
  open.push(sandbox);
  return sandbox;
}

const CEILING = `
  pages: { get: /pages, records: data, primary_key: [id], columns: { id: integer, updated: datetime }, paginate: { type: page, page: query.page, size: query.n, page_size: 30, start: 0, total: total, total_pages: pages, more: more, restart: { at: 100, from: updated, into: query.since } } }
  skips: { post: /skips, body: { since: '2026-01-01T00:00:00Z' }, records: data, primary_key: [id], columns: { id: integer, updated: datetime }, paginate: { type: offset, offset: query.skip, size: query.n, page_size: 25, total: total, more: more, restart: { at: 100, from: '\${last_record.updated}', into: body.since } } }`;

describe('a provider that gives no more than 100 rows of a list', () => {
  it('is read to its end, each row once, with as few restarts as that takes', async () => {
    const document = acme('', CEILING);
    const sandbox = await start(document, { records: 250 });
    await using connection = await connectSpec(document, sandbox.inputs, { sandbox: { addresses: sandbox.addresses } });
    for (const [stream, sizes] of [
      // 90 of 100, since a page of 30 more would reach beyond: 90 + 90 + 70.
      ['pages', [30, 30, 30, 30, 30, 30, 30, 30, 10]],
      // 100 + 100 + 50.
      ['skips', [25, 25, 25, 25, 25, 25, 25, 25, 25, 25]],
    ] as const) {
      const pages: number[] = [];
      const ids = new Set<unknown>();
      for await (const page of connection.read(stream).pages()) {
        pages.push(page.length);
        for (const { id } of page) ids.add(id);
      }
      expect(pages).toEqual(sizes);
      expect(ids.size).toBe(250);
    }
  });

  it('refuses what lies beyond, and counts no further', async () => {
    const sandbox = await start(acme('', CEILING), { records: 250 });
    const get = (query: string): Promise<Got> => send(sandbox, `https://api.acme.com/v1/pages?${query}&key=${KEY}`);
    const last = await get('n=30&page=2');
    const { data, ...counts } = last.body as { data: { updated: string }[] };
    expect([data.length, counts]).toEqual([30, { total: 100, pages: 4, more: true }]);
    expect((await get('n=25&page=3')).body).toMatchObject({ total: 100, pages: 4, more: false });
    expect((await get('n=30&page=3')).status).toBe(400);
    // Behind row 90 are 160 more, behind row 240 ten.
    expect((await get(`n=30&page=0&since=${data.at(-1)?.updated}`)).body).toMatchObject({ total: 100, more: true });
    // One minute from row to row: the 240th is 150 minutes behind the 90th.
    const later = new Date(Date.parse(data.at(-1)!.updated) + 150 * 60_000).toISOString().replace('.000Z', 'Z');
    const rest = (await get(`n=30&page=0&since=${later}`)).body;
    expect([at(rest, 'data', 'length'), at(rest, 'total'), at(rest, 'more')]).toEqual([10, 10, false]);
    expect((await get('n=30&page=0&since=yesterday')).status).toBe(400);
  });
});

it('keyset reads each record of each parent once, with ids beyond 2^53', async () => {
  const document = acme(
    ', big_integers: text',
    `
  teams: { get: /teams, records: data, primary_key: [id], columns: { id: integer } }
  members: { parent: teams, get: '/teams/\${parent.id}/members', records: data, primary_key: [id], columns: { id: integer }, paginate: { type: keyset, from: id, into: query.after, size: query.n, page_size: 20, stop: [short_page] } }`,
  );
  const sandbox = await start(document, { records: 130, parents: 4 });
  await using connection = await connectSpec(document, sandbox.inputs, { sandbox: { addresses: sandbox.addresses } });
  const ids: string[] = [];
  for await (const { id } of connection.read('members')) ids.push(String(id));
  expect(new Set(ids).size).toBe(130);
  // 2^53 + 1, and on by 2: what a double rounds.
  expect(ids.map((id) => BigInt(id) - 9007199254740993n)).toEqual(ids.map((_, index) => BigInt(index) * 2n));
});
