import { closeProviders, DAY, keysOf, provider, wire } from './provider.ts';

afterEach(closeProviders);

/** Lists of version 2: pages of 100 until one is empty. aff-api.uppromote.com/docs/v2 */
const LISTS: Record<string, string> = {
  affiliates: '/affiliates',
  coupons: '/coupons',
  programs: '/programs',
  payments_paid: '/payments/paid',
  payments_unpaid: '/payments/unpaid',
};
const HEADERS = { accept: 'application/json', 'content-type': 'application/json' };
const V2 = 'GET https://aff-api.uppromote.com/api/v2';
const pages = (path: string, numbers: readonly number[], more: [string, string][] = []): string[] =>
  numbers.map((page) => wire(V2 + path, { query: [['page', page], ['per_page', 100], ...more], headers: HEADERS })).sort();
const range = (from: string, to: string): [string, string][] => [
  ['from_date', from],
  ['to_date', to],
];

it('version 2: reads every stream, and asks as the reference says', async () => {
  // 105 of each, paid payments too, although they have children: so that there is a second page. The third is empty.
  const uppromote = await provider('uppromote', { records: { '*': 105, payments_paid: 105 } });
  const { counts, rows } = await uppromote.read();
  const names = [...Object.keys(LISTS), 'referrals', 'payment_details', 'webhook_subscriptions'];
  expect(counts).toEqual(Object.fromEntries(names.map((name) => [name, 105])));
  for (const [stream, path] of Object.entries(LISTS)) {
    // Paid payments are read once more, for their details.
    const times = stream === 'payments_paid' ? [1, 1, 2, 2, 3, 3] : [1, 2, 3];
    expect(uppromote.asked(stream, Object.keys(HEADERS))).toEqual(pages(path, times));
  }
  // Without "Referrals from" since before there was UpPromote; both dates, in UTC, the last day whole.
  expect(uppromote.asked('referrals', Object.keys(HEADERS))).toEqual(
    pages('/referrals', [1, 2, 3], range('2015-01-01T00:00:00Z', '2026-06-15T23:59:59Z')),
  );
  const details = rows.payments_paid!.map(({ payment_id }) => wire(`${V2}/payments/${String(payment_id)}`, { headers: HEADERS }));
  expect(uppromote.asked('payment_details', Object.keys(HEADERS))).toEqual(details.sort());
  expect(uppromote.asked('webhook_subscriptions', Object.keys(HEADERS))).toEqual([
    wire(`${V2}/webhook-subscriptions`, { headers: HEADERS }),
  ]);
  expect(Object.keys(rows.webhook_subscriptions![0]!)).not.toContain('secret_key');
});

it('version 1: has three lists, days as they are, the next page by its link', async () => {
  const uppromote = await provider('uppromote', { choices: { api: 'v1' }, records: 105, fields: { start_date: '2026-01-01' } });
  expect((await uppromote.read()).counts).toEqual({ affiliates: 105, coupons: 105, referrals: 105 });
  const first = 'GET https://aff-api.uppromote.com/api/v1';
  expect(uppromote.asked('affiliates')[0]).toBe(wire(`${first}/affiliates`, { query: [['limit', 100]] }));
  const asked = uppromote.asked('referrals');
  const own: [string, string | number][] = [...range('2026-01-01', '2026-06-15'), ['limit', 100]];
  expect(asked).toHaveLength(2);
  expect(asked).toContain(wire(`${first}/referrals`, { query: own }));
  // The other is the sandbox's own link, with a place in it; what was asked stays.
  const linked = asked.find((text) => text.includes('sandbox_page='))!;
  expect(linked.replace(/sandbox_page=[^&]*&/, '')).toBe(wire(`${first}/referrals`, { query: own }));
  for (const { headers, stream } of uppromote.sandbox.requests)
    if (stream !== undefined) expect(headers.authorization).toMatch(/^Bearer \S+$/);
});

it('referrals: the second read brings what is new and the 30 days before again', async () => {
  // Two a day over 30 days, and more before: 120 over 60 days.
  const uppromote = await provider('uppromote', { records: 120, span: 60 * DAY });
  const { rows: first } = await uppromote.read('referrals');
  const changed = uppromote.sandbox.change({ stream: 'referrals', insert: 2, at: '2026-06-16T08:00:00Z' });
  uppromote.clock.advance(DAY);
  const { rows: second } = await uppromote.read('referrals');
  // 30 days before the 15th, on which the first read was.
  const again = first.referrals!.filter(({ created_at }) => String(created_at) >= '2026-05-16');
  expect(again.length).toBeLessThan(70);
  expect(keysOf(second.referrals!, ['id'])).toEqual(keysOf([...again, ...changed.inserted], ['id']));
  expect(uppromote.asked('referrals', Object.keys(HEADERS))[0]).toBe(
    pages('/referrals', [1], range('2026-05-16T00:00:00Z', '2026-06-16T23:59:59Z'))[0],
  );
});

it('paid payments come once, and details of new ones only', async () => {
  const uppromote = await provider('uppromote', { records: 8, parents: 4 });
  expect((await uppromote.read('payments_paid', 'payment_details')).counts).toEqual({ payments_paid: 4, payment_details: 8 });
  uppromote.clock.advance(DAY);
  const { inserted } = uppromote.sandbox.change({ stream: 'payments_paid', insert: 2 });
  const { rows, counts } = await uppromote.read('payments_paid', 'payment_details');
  expect(keysOf(rows.payments_paid!, ['payment_id'])).toEqual(keysOf(inserted, ['payment_id']));
  // New ones have no details in the sandbox yet.
  expect(counts.payment_details).toBe(0);
  expect(uppromote.asked('payment_details')).toEqual(inserted.map(({ payment_id }) => `${V2}/payments/${String(payment_id)}`).sort());
});

it('leaves out referrals that were made after "Referrals to"', async () => {
  const fields = { start_date: '2026-05-16', end_date: '2026-05-31' };
  const uppromote = await provider('uppromote', { records: 60, fields });
  const { rows } = await uppromote.read('referrals');
  expect(
    rows
      .referrals!.map(({ created_at }) => String(created_at))
      .sort()
      .at(-1),
  ).toMatch(/^2026-05-31T/);
  // Two a day over the 30 days until yesterday: 16 days.
  expect(rows.referrals).toHaveLength(32);
  expect(uppromote.asked('referrals', Object.keys(HEADERS))).toEqual(
    pages('/referrals', [1, 2], range('2026-05-16T00:00:00Z', '2026-06-15T23:59:59Z')),
  );
});
