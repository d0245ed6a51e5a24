import { STREAM_EXAMPLES, streamGuide } from '../../../framework/docs/stream-guide.ts';
import { connectSpec } from '../../../framework/engine/connect.ts';
import { lintText } from '../../../framework/spec/lint.ts';
import { acme, addresses } from '../../acme.ts';
import { FakeClock } from '../../clock.ts';
import { type Answer, type Received, serve } from '../../server.ts';
import { memorySink } from '../../sink.ts';

const HEAD = `spec: 1
name: acme
title: Acme
version: 1.0.0
auth: { key: bearer }
http: { base_url: https://api.acme.com }
check: { get: /me }
`;
const example = (heading: string): string => STREAM_EXAMPLES.find((one) => one.heading === heading)?.yaml ?? '';

describe('worked streams', () => {
  it.each(STREAM_EXAMPLES)('$heading: lint has nothing to say, and it stands in the guide', ({ heading, yaml, text }) => {
    expect(lintText(HEAD + yaml, 'acme.yaml')).toEqual([]);
    for (const part of [`### ${heading}\n`, yaml, text]) expect(streamGuide()).toContain(part);
  });

  /** Reads one stream once at each time, and gives what each read asked for. */
  async function requests(
    heading: string,
    stream: string,
    times: string[],
    answer: (request: Received) => Answer,
    fields: Record<string, unknown> = {},
  ): Promise<Received[][]> {
    const clock = new FakeClock(Date.parse(times[0] as string));
    const sink = memorySink();
    const server = await serve(answer);
    const connection = await connectSpec(
      acme(`auth: { none: none }\n${example(heading)}`),
      { fields: fields as Record<string, string> },
      { ...addresses(server.origin), clock },
    );
    const reads: Received[][] = [];
    for (const [at, time] of times.entries()) {
      if (at > 0) clock.advance(Date.parse(time) - Date.parse(times[at - 1] as string));
      await connection.readInto(sink, { streams: [stream], concurrency: 1 });
      reads.push(server.received.splice(0));
    }
    await connection.close();
    await server.close();
    return reads;
  }

  it('windows: the days that the text names', async () => {
    const reads = await requests('What is new, in windows', 'daily_costs', ['2026-03-10T12:00:00Z', '2026-03-11T12:00:00Z'], () => ({
      json: [],
    }));
    const asked = reads.map((read) => read.map(({ query }) => `${query.get('from')} to ${query.get('to')}`));
    expect(asked).toEqual([
      ['2026-01-01 to 2026-01-31', '2026-02-01 to 2026-03-03', '2026-03-04 to 2026-03-10'],
      ['2026-03-07 to 2026-03-11'],
    ]);
    const text = STREAM_EXAMPLES[0]?.text ?? '';
    for (const range of asked.flat()) expect(text).toContain(range);
  });

  it('parents of parents: the level between carries what the lowest needs, and a new board is read from the beginning', async () => {
    const boards = [7, 8];
    const answer = ({ path }: Received): Answer => {
      if (path === '/v1/workspaces') return { json: [{ id: 1 }] };
      if (path === '/v1/workspaces/1/boards') return { json: boards.map((id) => ({ id })) };
      const seen = { id: 1, updated_at: '2026-03-01T00:00:00Z' };
      boards.splice(0, 2, 7, 9);
      return { json: [seen] };
    };
    const reads = await requests('Parents of parents', 'cards', ['2026-03-10T12:00:00Z', '2026-03-11T12:00:00Z'], answer);
    expect(reads.map((read) => read.slice(2).map(({ path, query }) => `${path.slice(3)}?${query}`))).toEqual([
      ['/boards/7/cards?workspace=1', '/boards/8/cards?workspace=1'],
      ['/boards/7/cards?workspace=1&since=2026-03-01T00%3A00%3A00Z', '/boards/9/cards?workspace=1'],
    ]);
  });

  it('lists and windows: two accounts, two levels, two windows', async () => {
    const [read = []] = await requests(
      'Lists and windows',
      'insights',
      ['2026-03-15T00:00:00Z'],
      ({ query }) => ({ json: [{ day: query.get('from') }] }),
      { accounts: ['a', 'b'] },
    );
    expect(read.map(({ path, query }) => `${path.slice(3)}?${query}`)).toEqual([
      '/accounts/a/insights?level=campaign&from=2026-03-01&to=2026-03-08',
      '/accounts/a/insights?level=campaign&from=2026-03-08&to=2026-03-15',
      '/accounts/a/insights?level=ad&from=2026-03-01&to=2026-03-08',
      '/accounts/a/insights?level=ad&from=2026-03-08&to=2026-03-15',
      '/accounts/b/insights?level=campaign&from=2026-03-01&to=2026-03-08',
      '/accounts/b/insights?level=campaign&from=2026-03-08&to=2026-03-15',
      '/accounts/b/insights?level=ad&from=2026-03-01&to=2026-03-08',
      '/accounts/b/insights?level=ad&from=2026-03-08&to=2026-03-15',
    ]);
  });

  it('GraphQL: the variable is left out of the first read, and the mark goes from page to page', async () => {
    const answer = ({ body }: Received): Answer => {
      const { variables } = JSON.parse(String(body)) as { variables: { after?: string } };
      const nodes = [{ id: variables.after ?? 'first', updatedAt: '2026-03-01T08:00:00.250Z' }];
      const pageInfo = { hasNextPage: variables.after === undefined, endCursor: 'c2' };
      return { json: { data: { issues: { nodes, pageInfo } } } };
    };
    const reads = await requests('GraphQL with a cursor', 'issues', ['2026-03-10T12:00:00Z', '2026-03-11T12:00:00Z'], answer);
    expect(reads.map((read) => read.map(({ body }) => (JSON.parse(String(body)) as { variables: unknown }).variables))).toEqual([
      [{}, { after: 'c2' }],
      [{ since: '2026-03-01T08:00:00.250Z' }, { since: '2026-03-01T08:00:00.250Z', after: 'c2' }],
    ]);
  });
});
