import { closeProviders, DAY, keysOf, provider, wire } from './provider.ts';

afterEach(closeProviders);

const API = 'GET https://api.jumpseller.com/v1';
const HEADERS = { accept: 'application/json' };

/** Lists with page and limit, at most 100 a page: jumpseller.com/support/api. */
const LISTED: Record<string, string> = {
  products: '/products.json',
  product_reviews: '/products/reviews.json',
  customers: '/customers.json',
  customer_categories: '/customer_categories.json',
  fulfillments: '/fulfillments.json',
  promotions: '/promotions.json',
  locations: '/locations.json',
  pages: '/pages.json',
  hooks: '/hooks.json',
  checkout_custom_fields: '/checkout_custom_fields.json',
  documents: '/documents.json',
};
/** Lists that come whole. */
const WHOLE: Record<string, string> = {
  categories: '/categories.json',
  shipping_methods: '/shipping_methods.json',
  payment_methods: '/payment_methods.json',
  taxes: '/taxes.json',
  custom_fields: '/custom_fields.json',
  store: '/store/info.json',
};
const page = (path: string, number: number, more: [string, string][] = []): string =>
  wire(API + path, { query: [['page', number], ['limit', 100], ...more], headers: HEADERS });
const between = (initialDate: string, finalDate: string): [string, string][] => [
  ['dateFilter', 'customDate'],
  ['initialDate', initialDate],
  ['finalDate', finalDate],
];
/** 90 days from 1 January end with 31 March. */
const FIRST = between('2026-01-01', '2026-03-31');
const REST = between('2026-04-01', '2026-06-15');

it('reads every stream, and asks as the reference says', async () => {
  // 105 of each, products and orders too, although they have children: so that there is a second page.
  const records = { '*': 105, products: 105, orders: 105 };
  const jumpseller = await provider('jumpseller', { records, fields: { start_date: '2026-01-01' } });
  const { counts, rows } = await jumpseller.read();
  const lists = [...Object.keys(LISTED), ...Object.keys(WHOLE), 'orders', 'order_history', 'product_variants'];
  expect(counts).toEqual({ ...Object.fromEntries(lists.map((name) => [name, 105])), store: 1 });
  const asked = (stream: string): string[] => jumpseller.asked(stream, ['accept']);
  for (const [stream, path] of Object.entries(LISTED)) {
    // Products are read once more, for their variants.
    const numbers = stream === 'products' ? [1, 1, 2, 2] : [1, 2];
    expect(asked(stream)).toEqual(numbers.map((number) => page(path, number)).sort());
  }
  for (const [stream, path] of Object.entries(WHOLE)) expect(asked(stream)).toEqual([wire(API + path, { headers: HEADERS })]);
  // The records lie in the 30 days before now: none in the first window.
  const orders = [page('/orders.json', 1, FIRST), page('/orders.json', 1, REST), page('/orders.json', 2, REST)];
  expect(asked('orders')).toEqual([...orders, ...orders].sort());
  const children = (parent: string, path: string): string[] =>
    rows[parent]!.map(({ id }) => wire(`${API}/${parent}/${String(id)}/${path}.json`, { headers: HEADERS })).sort();
  expect(asked('order_history')).toEqual(children('orders', 'history'));
  expect(asked('product_variants')).toEqual(children('products', 'variants'));
  expect(Object.keys(rows.store![0]!)).not.toContain('hooks_token');
});

it.each(['products', 'fulfillments'])('%s: the second read brings what changed, and nothing else', async (stream) => {
  const jumpseller = await provider('jumpseller', { records: { [stream]: 40 } });
  expect((await jumpseller.read(stream)).counts).toEqual({ [stream]: 40 });
  jumpseller.clock.advance(DAY);
  const { updated, inserted } = jumpseller.sandbox.change({ stream, update: 3, insert: 2, delete: 1 });
  const { rows } = await jumpseller.read(stream);
  expect(keysOf(rows[stream]!, ['id'])).toEqual(keysOf([...updated, ...inserted], ['id']));
  expect(jumpseller.asked(stream, ['accept'])).toEqual([page(LISTED[stream]!, 1)]);
});

it('hooks: the second read brings what was made since', async () => {
  const jumpseller = await provider('jumpseller', { records: 40 });
  expect((await jumpseller.read('hooks')).counts).toEqual({ hooks: 40 });
  jumpseller.clock.advance(DAY);
  const { inserted } = jumpseller.sandbox.change({ stream: 'hooks', insert: 2 });
  const { rows } = await jumpseller.read('hooks');
  expect(keysOf(rows.hooks!, ['id'])).toEqual(keysOf(inserted, ['id']));
});

it('orders and their history: the second read brings what is new and the 30 days before again', async () => {
  const options = { records: { orders: 120, order_history: 240 }, span: 60 * DAY, fields: { start_date: '2026-01-01' } };
  const jumpseller = await provider('jumpseller', options);
  const { rows: first, counts } = await jumpseller.read('orders', 'order_history');
  expect(counts).toEqual({ orders: 120, order_history: 240 });
  jumpseller.clock.advance(DAY);
  const { inserted } = jumpseller.sandbox.change({ stream: 'orders', insert: 2 });
  const { rows } = await jumpseller.read('orders', 'order_history');
  // 30 days before the 15th, on which the first read was.
  const again = first.orders!.filter(({ created_at }) => String(created_at) >= '2026-05-16');
  expect(again.length).toBeLessThan(70);
  const wanted = [...again, ...inserted];
  expect(keysOf(rows.orders!, ['id'])).toEqual(keysOf(wanted, ['id']));
  const window = page('/orders.json', 1, between('2026-05-16', '2026-06-16'));
  expect(jumpseller.asked('orders', ['accept'])).toEqual([window, window]);
  expect(jumpseller.asked('order_history')).toEqual(wanted.map(({ id }) => `${API}/orders/${String(id)}/history.json`).sort());
});

it('leaves out orders that were made after "Orders to"', async () => {
  const jumpseller = await provider('jumpseller', {
    records: { orders: 60 },
    fields: { start_date: '2026-05-16', end_date: '2026-05-31' },
  });
  const { rows } = await jumpseller.read('orders');
  // Two a day over the 30 days until yesterday: 16 days.
  expect(rows.orders).toHaveLength(32);
  expect(rows.orders!.every(({ created_at }) => String(created_at) < '2026-06-01')).toBe(true);
});
