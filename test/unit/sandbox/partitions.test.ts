import type { Clock } from '../../../framework/core/clock.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../../framework/sandbox/index.ts';
import { at, bearer, type Got, send, spec } from './wire.ts';

const NOW = Date.parse('2026-06-15T10:00:00Z');
const clock: Clock = { now: () => NOW, sleep: () => Promise.resolve() };

let sandbox: Sandbox;
afterEach(() => sandbox.close());

async function start(streams: string, options: SandboxOptions = {}): Promise<(path: string) => Promise<Got>> {
  const text = `
spec: 1
name: acme
title: Acme
version: 1.0.0
fields: { accounts: { title: Accounts, type: list }, regions: { title: Regions, type: list, required: false } }
auth: { key: { type: bearer } }
http: { base_url: 'https://api.acme.com' }
streams:
${streams}`;
  const fields = { token: 'right', accounts: 'a1, a2, a3', ...options.fields };
  sandbox = await startSandbox(spec(text), { clock, ...options, fields });
  return (path) => send(sandbox, `https://api.acme.com${path}`, { headers: bearer('right') });
}

type Row = Record<string, string | number>;
const rows = (got: Got): Row[] => {
  expect([got.status, got.status === 200 ? '' : got.text]).toEqual([200, '']);
  return at(got.body, 'data') as Row[];
};
const ids = (got: Got): (string | number)[] => rows(got).map(({ id }) => id!);

const INSIGHTS = `
  insights:
    each: { account: '\${fields.accounts}', level: [campaign, ad] }
    get: /accounts/\${each.account}/insights
    query: { level: '\${each.level}', since: '\${window.start}', until: '\${window.end}' }
    records: data
    primary_key: [account, level, date]
    columns: { date: date, clicks: integer }
    add: { account: '\${each.account}', level: '\${each.level}' }
    cursor: { field: date, format: date, order: asc, window: { max: 60d, end: inclusive } }
`;

describe('items of each', () => {
  it('have a share each, spread over the whole time, and every day once', async () => {
    const get = await start(INSIGHTS, { records: 60 });
    const all: [string, Row[]][] = [];
    for (const account of ['a1', 'a2', 'a3'])
      for (const level of ['campaign', 'ad'])
        all.push([
          `${account} ${level}`,
          rows(await get(`/accounts/${account}/insights?level=${level}&since=2026-05-01&until=2026-06-15`)),
        ]);
    for (const [, list] of all) {
      const dates = list.map(({ date }) => String(date));
      // Ten in the 30 days before 15 June: one in each three.
      expect(dates).toEqual(
        ['05-17', '05-20', '05-23', '05-26', '05-29', '06-01', '06-04', '06-07', '06-10', '06-13'].map((day) => `2026-${day}`),
      );
    }
    expect(new Set(all.map(([, list]) => JSON.stringify(list))).size).toBe(6);
    expect(sandbox.expected.insights).toBe(60);
  });

  it('must be among those of the spec and of the credential', async () => {
    const get = await start(INSIGHTS);
    const wrong = async (path: string): Promise<unknown[]> => {
      const got = await get(`${path}&since=2026-05-20&until=2026-06-01`);
      return [got.status, at(got.body, 'message')];
    };
    expect(await wrong('/accounts/a1/insights?level=keyword')).toEqual([400, 'there is no level keyword']);
    expect(await wrong('/accounts/a9/insights?level=ad')).toEqual([400, 'there is no account a9']);
  });

  it('are any where nobody knows them, and maps where the spec has maps', async () => {
    const get = await start(
      `
  free: { each: { region: '\${fields.regions}' }, get: '/free/\${each.region}', records: data, primary_key: [id], columns: { id: integer } }
  mapped:
    each: { report: [{ id: 7, by: day }, { id: 9, by: week }] }
    get: /reports/\${each.report.id}
    query: { by: '\${each.report.by}' }
    records: data
    primary_key: [id]
    columns: { id: integer }
`,
      { records: 10 },
    );
    expect(ids(await get('/free/anything')).length).toBe(10);
    const [first, second] = [ids(await get('/reports/7?by=day')), ids(await get('/reports/9?by=week'))];
    expect([first.length, second.length, new Set([...first, ...second]).size]).toEqual([5, 5, 10]);
    expect((await get('/reports/7?by=week')).status).toBe(400);
  });

  it('that the request does not name get the same answer, which a full read gets as often', async () => {
    const get = await start(
      `  same: { each: { unit: [a, b, c] }, get: /same, add: { unit: '\${each.unit}' }, records: data, primary_key: [id, unit], columns: { id: integer } }`,
      { records: 4 },
    );
    expect([ids(await get('/same')).length, sandbox.expected.same]).toEqual([4, 12]);
  });

  it('of records that the spec does not keep are not expected, nor their children', async () => {
    const get = await start(
      `
  boards: { get: /boards, records: data, primary_key: [id], columns: { id: integer, open: boolean }, keep: '\${record.open == true}' }
  cards: { parent: boards, get: '/boards/\${parent.id}/cards', records: data, primary_key: [id], columns: { id: integer } }
`,
      { records: { boards: 9, cards: 40 } },
    );
    const kept = rows(await get('/boards')).filter(({ open }) => open as unknown);
    const cards = await Promise.all(kept.map(async ({ id }) => rows(await get(`/boards/${id}/cards`)).length));
    expect([kept.length > 0, kept.length < 9]).toEqual([true, true]);
    expect(sandbox.expected).toEqual({ boards: kept.length, cards: cards.reduce((sum, count) => sum + count, 0) });
  });

  it('are one object each where the answer is one', async () => {
    const get = await start(
      `  balance: { each: { account: '\${fields.accounts}' }, get: '/accounts/\${each.account}/balance', columns: { amount: number } }`,
    );
    const found = await Promise.all(['a1', 'a2', 'a3'].map((account) => get(`/accounts/${account}/balance`)));
    expect(new Set(found.map(({ text }) => text)).size).toBe(3);
    expect(sandbox.expected.balance).toBe(3);
  });

  it('multiply with parents, and children of theirs get what they add', async () => {
    const get = await start(
      `
  boards: { get: /boards, records: data, primary_key: [Id], rename: { id: Id }, columns: { Id: integer } }
  cards:
    parent: boards
    each: { state: [open, closed] }
    get: /boards/\${parent.Id}/cards
    query: { state: '\${each.state}' }
    records: data
    primary_key: [id]
    add: { state: '\${each.state}' }
    columns: { id: integer }
    cursor: { field: at, format: iso }
  notes: { parent: cards, get: '/cards/\${parent.id}/notes/\${parent.state}', records: data, primary_key: [id], columns: { id: integer } }
`,
      { records: { boards: 3, cards: 20, notes: 30 } },
    );
    const found: [string, string | number][] = [];
    for (const board of ids(await get('/boards')))
      for (const state of ['open', 'closed'])
        found.push(...ids(await get(`/boards/${board}/cards?state=${state}`)).map((id) => [state, id] as [string, number]));
    expect([found.length, new Set(found.map(([, id]) => id)).size]).toEqual([20, 20]);
    expect(new Set(found.map(([state]) => state)).size).toBe(2);
    const notes = await Promise.all(found.map(async ([state, id]) => ids(await get(`/cards/${id}/notes/${state}`))));
    expect(new Set(notes.flat()).size).toBe(30);
    const [[state, id]] = found as [[string, number]];
    expect((await get(`/cards/${id}/notes/${state === 'open' ? 'closed' : 'open'}`)).status).toBe(404);
  });
});
