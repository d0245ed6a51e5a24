import { connectSpec } from '../../../framework/engine/connect.ts';
import { startSandbox } from '../../../framework/sandbox/index.ts';
import { lintText } from '../../../framework/spec/lint.ts';
import { specOf } from '../../acme.ts';
import { plainCanary } from '../../canary.ts';
import { memorySink } from '../../sink.ts';

const text = (rest: string): string => `spec: 1
name: acme
title: Acme
version: 1.0.0
summary: Orders.
categories: [testing]
links: { api: 'https://acme.com/docs' }
fields: { from: { title: From, type: date, required: false }, since: { title: Since, type: date } }
auth: { key: { type: bearer } }
http: { base_url: 'https://api.acme.com/v1' }
check: { get: /me }
${rest}`;

const FILTER = `get: /orders, records: data, query: { filter: 'changed ge \${window.start}' }, primary_key: [id], columns: { id: integer, at: datetime }, source: 'https://acme.com/docs'`;
const UNTIL = FILTER.replace('${window.start}', '${window.start} and changed lt ${window.end}');
const stream = (request: string, cursor: string): string => text(`streams: { orders: { ${request}, cursor: { field: at, ${cursor} } } }`);

/** What lint says of the expressions in it. */
const said = (spec: string): string[] =>
  lintText(spec, 'acme.yaml')
    .filter(({ rule }) => rule.startsWith('expression'))
    .map(({ message }) => message);

const ABSENT_START = 'window.start may be absent, and nothing can be left out here.';
const ABSENT_END = ABSENT_START.replace('start', 'end');

describe('a window within a text', () => {
  it.each<[string, string, string[]]>([
    ['no beginning: it may be absent', stream(FILTER, 'format: iso'), [ABSENT_START]],
    ['a beginning that an optional field gives', stream(FILTER, `format: iso, start: '\${fields.from}'`), [ABSENT_START]],
    ['a beginning', stream(FILTER, 'format: iso, start: 90d'), []],
    ['a beginning that a field gives', stream(FILTER, `format: iso, start: '\${fields.since}'`), []],
    ['a beginning that the provider sets', stream(FILTER, 'format: iso, oldest: 90d'), []],
    ['an integer to begin with', stream(FILTER, `format: integer, start: '1'`), []],
    ['no window', stream(UNTIL, 'format: iso, start: 90d'), [ABSENT_END]],
    ['a window', stream(UNTIL, 'format: iso, start: 90d, window: { end: exclusive }'), []],
    [
      'a window of integers, whose end nobody knows',
      stream(UNTIL, `format: integer, start: '1', window: { end: exclusive }`),
      [ABSENT_END],
    ],
    [
      'a template whose streams all have a beginning',
      text(
        `templates: { t: { ${FILTER} } }\nstreams: { a: { use: t, cursor: { field: at, start: 9d } }, b: { use: t, cursor: { field: at, oldest: 9d } } }`,
      ),
      [],
    ],
    [
      'a template that one stream has no beginning for',
      text(
        `templates: { t: { ${FILTER} } }\nstreams: { a: { use: t, cursor: { field: at, start: 9d } }, b: { use: t, cursor: { field: at } } }`,
      ),
      [ABSENT_START],
    ],
    ['a cursor that is inherited', text(`defaults: { cursor: { field: at, start: 9d } }\nstreams: { orders: { ${FILTER} } }`), []],
    [
      'an inherited window that is taken away',
      text(
        `defaults: { cursor: { field: at, start: 9d, window: { end: exclusive } } }\nstreams: { orders: { ${UNTIL}, cursor: { window: null } } }`,
      ),
      [ABSENT_END],
    ],
  ])('%s', (_, spec, expected) => {
    expect(said(spec)).toEqual(expected);
  });

  it('is what a provider gets, and its sandbox understands', async () => {
    const spec = specOf(stream(UNTIL, 'format: iso, start: 30d, window: { max: 10d, end: exclusive }'));
    const token = plainCanary('window-scope');
    const inputs = { fields: { token, since: '2026-01-01' } };
    const sandbox = await startSandbox(spec, { ...inputs, records: 40 });
    try {
      await using connection = await connectSpec(spec, inputs, { sandbox });
      const [outcome] = await connection.readInto(memorySink(), {});
      expect(outcome).toMatchObject({ complete: true, records: sandbox.expected.orders, units: { finished: 3 } });
      expect(outcome?.records).toBeGreaterThan(20);
      const { parts } = await connection.explain({ stream: 'orders' });
      expect(parts.find(({ name }) => name === 'filter')).toMatchObject({ part: 'query', value: expect.stringMatching(/^changed.ge.20/) });
    } finally {
      await sandbox.close();
    }
  });
});
