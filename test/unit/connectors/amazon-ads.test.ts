import { REPORTS, type ReportLiteral } from './amazon-reports.ts';
import { closeProviders, DAY, keysOf, type Provider, provider, TOKEN, type Wire, wire } from './provider.ts';

afterEach(closeProviders);

const API = 'https://advertising-api.amazon.com';
const CLIENT = 'amzn1.application-oa2-client.0123456789abcdef0123456789abcdef';
/** The sandbox's ids of profiles, beyond what a double holds. The first of three has no records, the others half each. */
const PROFILES = ['9007199254740993', '9007199254740995', '9007199254740997'];
const SEEN = ['amazon-advertising-api-clientid', 'amazon-advertising-api-scope', 'accept', 'content-type'];
const headers = (scope: string, accept = 'application/json', type: string = 'none'): Record<string, string> => ({
  'amazon-advertising-api-clientid': CLIENT,
  'amazon-advertising-api-scope': scope,
  accept,
  'content-type': type,
});
/** The same for each profile. */
const each = (ask: (scope: string, index: number) => string[]): string[] => PROFILES.flatMap(ask).sort();
const vendor = (type: string): string => `application/vnd.${type}+json`;

/** Sponsored Products, version 3: 500 a page, the media type in both directions. advertising.amazon.com/API/docs/en-us/sponsored-products */
const ENTITIES: Record<string, [path: string, type: string]> = {
  sp_campaigns: ['/sp/campaigns/list', 'spCampaign.v3'],
  sp_ad_groups: ['/sp/adGroups/list', 'spAdGroup.v3'],
  sp_product_ads: ['/sp/productAds/list', 'spProductAd.v3'],
  sp_keywords: ['/sp/keywords/list', 'spKeyword.v3'],
  sp_targets: ['/sp/targets/list', 'spTargetingClause.v3'],
  sp_negative_keywords: ['/sp/negativeKeywords/list', 'spNegativeKeyword.v3'],
  sp_campaign_negative_keywords: ['/sp/campaignNegativeKeywords/list', 'spCampaignNegativeKeyword.v3'],
  sp_negative_targets: ['/sp/negativeTargets/list', 'spNegativeTargetingClause.v3'],
  sp_campaign_negative_targets: ['/sp/campaignNegativeTargets/list', 'spCampaignNegativeTargetingClause.v3'],
};
/** Sponsored Brands, version 4: at most 100 a page. */
const BRANDS: Record<string, [path: string, type: string]> = {
  sb_campaigns: ['/sb/v4/campaigns/list', 'sbcampaignresource.v4'],
  sb_ad_groups: ['/sb/v4/adGroups/list', 'sbadgroupresource.v4'],
  sb_ads: ['/sb/v4/ads/list', 'sbadresource.v4'],
};
/** startIndex and count, a bare array. */
const DISPLAY: Record<string, string> = {
  sb_keywords: '/sb/keywords',
  sd_campaigns: '/sd/campaigns',
  sd_ad_groups: '/sd/adGroups',
  sd_product_ads: '/sd/productAds',
  sd_targets: '/sd/targets',
  sd_negative_targets: '/sd/negativeTargets',
  sd_creatives: '/sd/creatives',
};
/** The unified API: 100 a page, of targets 5000. */
const UNIFIED = [
  ['sb', 'SPONSORED_BRANDS'],
  ['sd', 'SPONSORED_DISPLAY'],
].flatMap(([short, product]) =>
  [
    ['campaigns', 'campaigns', 100],
    ['ad_groups', 'adGroups', 100],
    ['ads', 'ads', 100],
    ['targets', 'targets', 5000],
  ].map(([name, entity, size]) => ({ stream: `unified_${short}_${name}`, product, entity, size: Number(size) })),
);
const EXPORTS: Record<string, [entity: string, type: string]> = {
  export_campaigns: ['campaigns', 'campaignsexport.v1'],
  export_ad_groups: ['adGroups', 'adgroupsexport.v1'],
  export_targets: ['targets', 'targetsexport.v1'],
  export_ads: ['ads', 'adsexport.v1'],
};

/** By profile: the sandbox gives 100 a page, however many are asked for. */
const PAGES = [1, 2, 2];
/** Pages that a token leads to, the first without one. */
function tokenPages(path: string, pages: number, body: object, of: Record<string, string>): string[] {
  const first: Wire = { json: body, headers: of };
  return Array.from({ length: pages }, (_, index) =>
    wire(`POST ${API}${path}`, index === 0 ? first : { ...first, json: { ...body, nextToken: TOKEN } }),
  );
}

describe('lists', () => {
  let amazon: Provider;
  let counts: Record<string, number>;
  const names = [...Object.keys(ENTITIES), ...Object.keys(BRANDS), ...Object.keys(DISPLAY), ...UNIFIED.map(({ stream }) => stream)];

  beforeAll(async () => {
    // So many that each of two profiles has a second page.
    amazon = await provider('amazon-ads', { records: 210, parents: 3 });
    ({ counts } = await amazon.read('profiles', 'portfolios', 'sb_targets', ...names));
  });

  it('are read completely', () => {
    const all = Object.fromEntries(names.map((name) => [name, 210]));
    expect(counts).toEqual({ ...all, profiles: 3, portfolios: 210, sb_targets: 210 });
  });

  it('of profiles take no profile', () => {
    expect(new Set(amazon.asked('profiles', SEEN))).toEqual(new Set([wire(`GET ${API}/v2/profiles`, { headers: headers('none') })]));
  });

  it.each(Object.entries(ENTITIES))('%s is asked for as the reference says', (stream, [path, type]) => {
    expect(amazon.asked(stream, SEEN)).toEqual(
      each((scope, index) => tokenPages(path, PAGES[index]!, { maxResults: 500 }, headers(scope, vendor(type), vendor(type)))),
    );
  });

  it('portfolios are asked for without a size', () => {
    const type = vendor('spPortfolio.v3');
    expect(amazon.asked('portfolios', SEEN)).toEqual(
      each((scope, index) => tokenPages('/portfolios/list', PAGES[index]!, {}, headers(scope, type, type))),
    );
  });

  it.each(Object.entries(BRANDS))('%s is asked for as the reference says', (stream, [path, type]) => {
    expect(amazon.asked(stream, SEEN)).toEqual(
      each((scope, index) => tokenPages(path, PAGES[index]!, { maxResults: 100 }, headers(scope, vendor(type), vendor(type)))),
    );
  });

  it('sb_targets names the form of the answer alone', () => {
    const type = vendor('sblisttargetsresponse.v3.2');
    expect(amazon.asked('sb_targets', SEEN)).toEqual(
      each((scope, index) => tokenPages('/sb/targets/list', PAGES[index]!, { maxResults: 100 }, headers(scope, type, 'application/json'))),
    );
  });

  it.each(Object.entries(DISPLAY))('%s is asked for as the reference says', (stream, path) => {
    const starts = [[0], [0, 100], [0, 100]];
    const page = (startIndex: number, scope: string): string =>
      wire(`GET ${API}${path}`, {
        query: [
          ['startIndex', startIndex],
          ['count', 100],
        ],
        headers: headers(scope),
      });
    expect(amazon.asked(stream, SEEN)).toEqual(each((scope, index) => starts[index]!.map((start) => page(start, scope))));
  });

  it.each(UNIFIED.map((one) => [one.stream, one] as const))('%s is asked for as the reference says', (stream, one) => {
    const body = { adProductFilter: { include: [one.product] }, maxResults: one.size };
    const own = (scope: string) => ({ ...headers(scope, 'application/json', 'application/json'), 'amazon-ads-clientid': CLIENT });
    expect(amazon.asked(stream, [...SEEN, 'amazon-ads-clientid'])).toEqual(
      each((scope, index) => tokenPages(`/adsApi/v1/query/${one.entity}`, PAGES[index]!, body, own(scope))),
    );
  });
});

/** The parts of a job stream's requests: what begins jobs, what asks how far they are, where results were fetched. */
function jobs(amazon: Provider, stream: string) {
  const requests = amazon.sandbox.requests.filter((request) => request.stream === stream);
  const downloads = requests.filter(({ origin }) => origin !== API);
  return {
    ids: amazon.sandbox.jobs.filter((job) => job.stream === stream).map(({ captured }) => captured.id!),
    asked: amazon.asked(stream, SEEN).filter((text) => text.includes(` ${API}/`)),
    polls: requests.filter(({ method, origin }) => method === 'GET' && origin === API),
    downloads: downloads.map(({ headers: sent }) => [sent.authorization, sent[SEEN[0]!], sent[SEEN[1]!]]),
  };
}

const creation = ({ report, product, group, columns }: ReportLiteral, [startDate, endDate]: [string, string], scope: string): string =>
  wire(`POST ${API}/reporting/reports`, {
    json: {
      name: report,
      startDate,
      endDate,
      configuration: {
        adProduct: product,
        reportTypeId: report,
        groupBy: [group],
        timeUnit: 'DAILY',
        format: 'GZIP_JSON',
        columns: columns.split(' '),
      },
    },
    headers: headers(scope, 'application/json', 'application/vnd.createasyncreportrequest.v3+json'),
  });
/** The configuration's columns are a list whose order is free. */
const anyOrder = (text: string): string =>
  text.replace(/"columns":\[([^\]]*)\]/, (_, list: string) => `"columns":[${list.split(',').sort().join()}]`);

describe('reports', () => {
  it('are read for each profile and range, and asked for as the reference says', async () => {
    const amazon = await provider('amazon-ads', { records: 60, parents: 3 });
    const { counts } = await amazon.read(...REPORTS.map(({ stream }) => stream));
    expect(counts).toEqual(Object.fromEntries(REPORTS.map(({ stream }) => [stream, 60])));
    for (const literal of REPORTS) {
      const { ids, asked, polls, downloads } = jobs(amazon, literal.stream);
      const wanted = each((scope) => literal.windows.map((window) => creation(literal, window, scope)));
      expect(
        asked
          .filter((text) => text.startsWith('POST'))
          .map(anyOrder)
          .sort(),
      ).toEqual(wanted.map(anyOrder).sort());
      // Each is found running once, then done.
      expect(ids).toHaveLength(wanted.length);
      expect(polls.map(({ path }) => path).sort()).toEqual(
        ids.flatMap((id) => [`/reporting/reports/${id}`, `/reporting/reports/${id}`]).sort(),
      );
      for (const { headers: sent } of polls) expect(PROFILES).toContain(sent['amazon-advertising-api-scope']);
      expect(downloads).toEqual(ids.map(() => [undefined, undefined, undefined]));
    }
  });

  it('bring in the second read what is new and the 29 days before again', async () => {
    const amazon = await provider('amazon-ads', { records: 60, parents: 2 });
    const streams = REPORTS.map(({ stream }) => stream);
    const { rows: first } = await amazon.read(...streams);
    amazon.clock.advance(Date.parse('2026-06-16T10:00:00Z') - amazon.clock.now());
    const changes = streams.map((stream) => amazon.sandbox.change({ stream, update: 2, insert: 2, at: '2026-06-16T09:00:00Z' }));
    const { rows: second } = await amazon.read(...streams);
    for (const [index, stream] of streams.entries()) {
      const { updated, inserted } = changes[index]!;
      const key = Object.keys(inserted[0]!);
      const again = first[stream]!.filter(({ date }) => String(date) >= '2026-05-17');
      expect(again.length).toBeLessThan(60);
      expect(keysOf(second[stream]!, key)).toEqual(keysOf([...again, ...inserted], key));
      expect(keysOf(second[stream]!, key)).toEqual(expect.arrayContaining(keysOf(updated, key)));
      // One request for each profile: 31 days.
      const asked = jobs(amazon, stream).asked.filter((text) => text.startsWith('POST'));
      const wanted = PROFILES.slice(0, 2).map((scope) => creation(REPORTS[index]!, ['2026-05-17', '2026-06-16'], scope));
      expect(asked.map(anyOrder).sort()).toEqual(wanted.map(anyOrder).sort());
    }
  });

  it('wait where the same one is being made, and where a poll is refused for a moment', async () => {
    const amazon = await provider('amazon-ads', { records: 12, parents: 2 });
    amazon.sandbox.faults.add(
      { kind: 'server_error', status: 425, path: '/reporting/reports', times: 2 },
      { kind: 'server_error', status: 401, path: '/reporting/reports/', after: 1, times: 2 },
    );
    expect((await amazon.read('sp_campaigns_report')).counts).toEqual({ sp_campaigns_report: 12 });
    const statuses = new Set(amazon.sandbox.requests.filter(({ path }) => path.startsWith('/reporting')).map(({ status }) => status));
    expect([...statuses].sort()).toEqual([200, 202, 401, 425]);
  });
});

it('exports are read for each profile, and asked for as the reference says', async () => {
  const amazon = await provider('amazon-ads', { records: 60, parents: 3 });
  const { counts } = await amazon.read(...Object.keys(EXPORTS));
  expect(counts).toEqual(Object.fromEntries(Object.keys(EXPORTS).map((stream) => [stream, 60])));
  const body = {
    adProductFilter: ['SPONSORED_PRODUCTS', 'SPONSORED_BRANDS', 'SPONSORED_DISPLAY'],
    stateFilter: ['ENABLED', 'PAUSED', 'ARCHIVED'],
  };
  for (const [stream, [entity, type]] of Object.entries(EXPORTS)) {
    const { ids, asked, polls, downloads } = jobs(amazon, stream);
    const created = asked.filter((text) => text.startsWith('POST'));
    expect(created).toEqual(
      each((scope) => [wire(`POST ${API}/${entity}/export`, { json: body, headers: headers(scope, vendor(type), vendor(type)) })]),
    );
    expect(polls.map(({ path }) => path).sort()).toEqual(ids.flatMap((id) => [`/exports/${id}`, `/exports/${id}`]).sort());
    for (const { headers: sent } of polls) {
      expect(sent.accept).toBe(vendor(type));
      expect(PROFILES).toContain(sent['amazon-advertising-api-scope']);
    }
    expect(downloads).toEqual([1, 2, 3].map(() => [undefined, undefined, undefined]));
  }
});

describe('a profile that is chosen', () => {
  const chosen = (profile_id: string): Promise<Provider> => provider('amazon-ads', { records: 60, parents: 3, fields: { profile_id } });

  it('is the only one that is read', async () => {
    const amazon = await chosen(PROFILES[1]!);
    const { rows, counts } = await amazon.read('profiles', 'sp_campaigns', 'sp_campaigns_report', 'export_ads');
    expect(counts).toEqual({ profiles: 1, sp_campaigns: 30, sp_campaigns_report: 30, export_ads: 30 });
    for (const stream of ['sp_campaigns', 'sp_campaigns_report', 'export_ads'])
      expect(new Set(rows[stream]!.map(({ profileId }) => profileId))).toEqual(new Set([PROFILES[1]]));
    expect(amazon.sandbox.expected.sp_campaigns).toBe(30);
    await expect(amazon.connection.check()).resolves.toMatchObject({ ok: true });
  });

  it('is missed by the check where it cannot be seen', async () => {
    const report = await (await chosen('12')).connection.check();
    expect(report.ok).toBe(false);
    expect(report.steps.find(({ ok }) => !ok)?.message).toContain('the profile cannot be seen');
  });
});

it('adds the columns of times where they are wanted', async () => {
  const amazon = await provider('amazon-ads', { records: 6, parents: 1, fields: { extended: 'true' } });
  await amazon.read('sp_campaigns', 'sb_campaigns', 'portfolios');
  const extended = { includeExtendedDataFields: true };
  expect(amazon.asked('sp_campaigns')).toEqual([wire(`POST ${API}/sp/campaigns/list`, { json: { maxResults: 500, ...extended } })]);
  expect(amazon.asked('sb_campaigns')).toEqual([wire(`POST ${API}/sb/v4/campaigns/list`, { json: { maxResults: 100, ...extended } })]);
  expect(amazon.asked('portfolios')).toEqual([wire(`POST ${API}/portfolios/list`, { json: extended })]);
  amazon.clock.advance(DAY);
});
