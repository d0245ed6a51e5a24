import { closeProviders, DAY, keysOf, provider, wire } from './provider.ts';

afterEach(closeProviders);

/** Dimensions and metrics of each pivot: developers.jampp.com/docs/reporting-api. */
const METRICS = 'impressions clicks spend installs ctr cpc cpm';
const PIVOTS: Record<string, string> = {
  campaign_daily: `campaignId campaign ${METRICS}`,
  app_daily: `appId app appPlatform ${METRICS}`,
  country_daily: `campaignId countryCode ${METRICS}`,
  ad_set_daily: `campaignId adSetId adSet ${METRICS}`,
  ad_daily: `adSetId adId ad adType adSize ${METRICS}`,
  exchange_daily: `campaignId sourceId source ${METRICS}`,
  group_daily: `groupId group ${METRICS}`,
  events_daily: 'campaignId campaign events uniqueEvents eventsCpa eventsRoas eventValue',
};

const GRAPHQL = 'POST https://reporting-api.jampp.com/v1/graphql';
const HEADERS = { 'content-type': 'application/json' };
const days = (from: string, to: string) => ({ from: `${from}T00:00:00Z`, to: `${to}T00:00:00Z` });
const pivot = (fields: string, variables: object): string =>
  wire(GRAPHQL, {
    json: {
      query: `query($from: DateTime!, $to: DateTime!) { pivot(from: $from, to: $to, context: {sqlTimeZone: "UTC"}) { results { date(granularity: DAILY) ${fields} } } }`,
      variables,
    },
    headers: HEADERS,
  });
const create = (variables: object): string =>
  wire(GRAPHQL, {
    json: {
      query:
        'mutation($from: DateTime!, $to: DateTime!) { createAsyncPivot(Input: {from: $from, to: $to, dimensions: ["date", "campaignId", "siteBundle", "siteName"], metrics: ["impressions", "clicks", "spend"]}) { asyncPivot { id status } } }',
      variables,
    },
    headers: HEADERS,
  });
const poll = (id: string): string =>
  wire(GRAPHQL, {
    json: { query: 'query($id: String!) { asyncPivot(pivotId: $id) { id status url } }', variables: { id } },
    headers: HEADERS,
  });

/** 90 days before 15 June is 17 March; 31 days after that 17 April, 18 May. The end is not in it, and 15 June is not over. */
const FIRST = [days('2026-03-17', '2026-04-17'), days('2026-04-17', '2026-05-18'), days('2026-05-18', '2026-06-15')];
/** 7 days before the 15th, where the first read ended, to the 16th. */
const SECOND = days('2026-06-08', '2026-06-16');

it('reads every stream, and asks as the reference says', async () => {
  const jampp = await provider('jampp', { records: 40 });
  const { counts } = await jampp.read();
  // Each stream has as many records as the sandbox was asked for.
  expect(counts).toEqual(Object.fromEntries([...Object.keys(PIVOTS), 'publisher_daily'].map((name) => [name, 40])));
  for (const [stream, fields] of Object.entries(PIVOTS))
    expect(jampp.asked(stream, ['content-type'])).toEqual(FIRST.map((range) => pivot(fields, range)).sort());

  const asked = jampp.asked('publisher_daily', ['content-type']);
  const ids = jampp.sandbox.jobs.map(({ captured }) => captured.id!);
  // Three jobs, each found running once, then done.
  expect(ids).toHaveLength(3);
  expect(asked.filter((text) => text.startsWith('POST'))).toEqual(
    [...FIRST.map(create), ...ids.flatMap((id) => [poll(id), poll(id)])].sort(),
  );
  const downloads = jampp.sandbox.requests.filter(({ method, stream }) => method === 'GET' && stream === 'publisher_daily');
  expect(downloads).toHaveLength(3);
  for (const { origin, headers } of downloads)
    expect({ origin, authorization: headers.authorization }).toEqual({
      origin: 'https://files.jampp.sandbox.invalid',
      authorization: undefined,
    });
});

it.each([...Object.keys(PIVOTS), 'publisher_daily'])('%s: the second read brings what changed and the last week', async (stream) => {
  const jampp = await provider('jampp', { records: 60 });
  const { rows: first } = await jampp.read(stream);
  // Of the newest records, which are of yesterday and before: all within the week.
  const changed = jampp.sandbox.change({ stream, update: 2, insert: 1, at: '2026-06-15T12:00:00Z' });
  jampp.clock.advance(DAY);
  const { rows: second } = await jampp.read(stream);
  const week = first[stream]!.filter(({ date }) => String(date) >= SECOND.from);
  const key = Object.keys(changed.inserted[0]!);
  // The two that were restated are among the week's.
  expect(keysOf(second[stream]!, key)).toEqual(keysOf([...week, ...changed.inserted], key));
  expect(keysOf(second[stream]!, key)).toEqual(expect.arrayContaining(keysOf(changed.updated, key)));
  expect(changed.updated).toHaveLength(2);
  const asked = jampp.asked(stream, ['content-type']);
  if (stream === 'publisher_daily') expect(asked).toContain(create(SECOND));
  else expect(asked).toEqual([pivot(PIVOTS[stream]!, SECOND)]);
});

it('begins at "From", and leaves out what is of "To" or later', async () => {
  // Two a day: 60 over the 30 days to yesterday.
  const jampp = await provider('jampp', { records: 60, fields: { start_date: '2026-05-16', end_date: '2026-06-01' } });
  const { rows } = await jampp.read('campaign_daily');
  // 16 days, 16 to 31 May.
  expect(rows.campaign_daily).toHaveLength(32);
  expect(rows.campaign_daily!.map(({ date }) => String(date)).sort()[31]).toBe('2026-05-31T00:00:00Z');
  expect(jampp.asked('campaign_daily', ['content-type'])).toEqual([pivot(PIVOTS.campaign_daily!, days('2026-05-16', '2026-06-15'))]);
});
