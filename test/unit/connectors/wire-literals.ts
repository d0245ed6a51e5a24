import { canary, plainCanary } from '../../canary.ts';

/**
 * What goes over the wire for some streams of each provider, written down from the providers' references and never from
 * what we send. A test drives the runtime against these.
 */
export interface WireRequest {
  method: 'GET' | 'POST';
  /** Compare path and query parameter by parameter: their order and the escape of `:` are free. */
  url: string;
  /** Names in lower case. Others may be there too. */
  headers: Record<string, string>;
  /** Headers that must not be there. */
  absent?: string[];
  /** As parsed JSON. For GraphQL, white space in `query` is free. */
  json?: unknown;
  /** As form parameters; their order is free. */
  form?: Record<string, string>;
}

export interface WireLiteral {
  connector: string;
  /** What is special here. */
  about: string;
  method: string;
  choices: Record<string, string>;
  inputs: Record<string, string>;
  /** Captures that the credential already holds, where a person consented before. */
  captured?: Record<string, string>;
  /** The token request that comes first, and its answer. */
  token?: { request: WireRequest; answer: string };
  stream: string;
  requests: WireRequest[];
  /** Answer bodies as text, one for each request, as the reference describes them. */
  pages: string[];
  /** How many records come out. */
  records: number;
  /** Columns of the first and the last of them that must come out so. */
  first: Record<string, unknown>;
  last: Record<string, unknown>;
}

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, at) => from + at);

// ---- Jama Connect: dev.jamasoftware.com/api

const jamaPage = (startIndex: number, total: number, data: unknown[]): string =>
  JSON.stringify({
    meta: {
      status: 'OK',
      timestamp: '2026-01-01T00:00:00.000+0000',
      pageInfo: { startIndex, resultCount: data.length, totalResults: total },
    },
    links: {},
    data,
  });
const jamaProject = (id: number) => ({
  id,
  projectKey: `P${id}`,
  isFolder: false,
  modifiedDate: '2026-01-02T03:04:05.000+0000',
  fields: { name: `Project ${id}` },
});
const jamaItem = (id: number) => ({ id, documentKey: `ACME-REQ-${id}`, project: 7, modifiedDate: '2026-01-02T03:04:05.000+0000' });

const jama: WireLiteral[] = [
  {
    connector: 'jama-connect',
    about: 'Basic; offset paging that ends by the total',
    method: 'basic',
    choices: {},
    inputs: { site: 'https://acme.jamacloud.com', username: 'reader', password: canary('jama-password') },
    stream: 'projects',
    requests: [0, 50].map((startAt) => ({
      method: 'GET',
      url: `https://acme.jamacloud.com/rest/v1/projects?startAt=${startAt}&maxResults=50`,
      headers: { authorization: `Basic ${base64(`reader:${canary('jama-password')}`)}`, accept: 'application/json' },
    })),
    pages: [jamaPage(0, 52, range(1, 51).map(jamaProject)), jamaPage(50, 52, range(51, 53).map(jamaProject))],
    records: 52,
    first: { id: 1, projectKey: 'P1' },
    last: { id: 52, projectKey: 'P52' },
  },
  {
    connector: 'jama-connect',
    about: 'client credentials in HTTP Basic; a context path; a range of two values with a +, which a query must escape',
    method: 'oauth',
    choices: {},
    inputs: {
      site: 'https://jama.example.com/contour',
      client_id: 'jama-client',
      client_secret: plainCanary('jama-client-secret'),
      start_date: '2026-01-01',
    },
    token: {
      request: {
        method: 'POST',
        url: 'https://jama.example.com/contour/rest/oauth/token',
        headers: {
          authorization: `Basic ${base64(`jama-client:${plainCanary('jama-client-secret')}`)}`,
          'content-type': 'application/x-www-form-urlencoded',
        },
        form: { grant_type: 'client_credentials' },
      },
      answer: JSON.stringify({ access_token: plainCanary('jama-access-token'), token_type: 'Bearer', expires_in: 3600 }),
    },
    stream: 'items',
    requests: [0, 50].map((startAt) => ({
      method: 'GET',
      url: `https://jama.example.com/contour/rest/v1/abstractitems?modifiedDate=2026-01-01T00%3A00%3A00.000%2B0000&modifiedDate=2026-06-15T10%3A00%3A00.000%2B0000&sortBy=modifiedDate.asc&startAt=${startAt}&maxResults=50`,
      headers: { authorization: `Bearer ${plainCanary('jama-access-token')}`, accept: 'application/json' },
    })),
    pages: [jamaPage(0, 51, range(100, 150).map(jamaItem)), jamaPage(50, 51, [jamaItem(150)])],
    records: 51,
    first: { id: 100, documentKey: 'ACME-REQ-100', project: 7 },
    last: { id: 150, documentKey: 'ACME-REQ-150' },
  },
];

// ---- Jumpseller: jumpseller.com/support/api

const jumpseller: WireLiteral[] = [
  {
    connector: 'jumpseller',
    about: 'Basic; one-key envelopes; pages end with a short one',
    method: 'basic',
    choices: {},
    inputs: { username: 'store-login', password: canary('jumpseller-auth-token') },
    stream: 'products',
    requests: [1, 2].map((page) => ({
      method: 'GET',
      url: `https://api.jumpseller.com/v1/products.json?page=${page}&limit=100`,
      headers: { authorization: `Basic ${base64(`store-login:${canary('jumpseller-auth-token')}`)}`, accept: 'application/json' },
    })),
    pages: [
      JSON.stringify(
        range(1, 101).map((id) => ({ product: { id, name: `Product ${id}`, price: 9.5, updated_at: '2026-01-02 03:04:05 UTC' } })),
      ),
      JSON.stringify([{ product: { id: 101, name: 'Product 101', price: 9.5, updated_at: '2026-01-02 03:04:05 UTC' } }]),
    ],
    records: 101,
    first: { id: 1, name: 'Product 1', price: 9.5 },
    last: { id: 101, name: 'Product 101' },
  },
  {
    connector: 'jumpseller',
    about: 'an access token got before; orders in windows of 90 days, those after the last day left out',
    method: 'oauth',
    choices: {},
    inputs: {
      client_id: 'jumpseller-app',
      client_secret: plainCanary('jumpseller-app-secret'),
      start_date: '2026-01-01',
      end_date: '2026-03-31',
    },
    captured: { access_token: plainCanary('jumpseller-access-token'), refresh_token: plainCanary('jumpseller-refresh-token') },
    stream: 'orders',
    requests: [
      ['2026-01-01', '2026-03-31'],
      ['2026-04-01', '2026-06-15'],
    ].map(([from, to]) => ({
      method: 'GET',
      url: `https://api.jumpseller.com/v1/orders.json?dateFilter=customDate&initialDate=${from}&finalDate=${to}&page=1&limit=100`,
      headers: { authorization: `Bearer ${plainCanary('jumpseller-access-token')}`, accept: 'application/json' },
    })),
    pages: [
      JSON.stringify([
        { order: { id: 1001, status_enum: 'paid', total: 12.5, created_at: '2026-01-01 00:10:00 UTC' } },
        { order: { id: 1002, status_enum: 'canceled', created_at: '2026-03-31 23:59:59 UTC' } },
      ]),
      JSON.stringify([{ order: { id: 1003, status_enum: 'paid', created_at: '2026-04-01 00:00:00 UTC' } }]),
    ],
    records: 2,
    first: { id: 1001, status_enum: 'paid', total: 12.5 },
    last: { id: 1002, status_enum: 'canceled' },
  },
  {
    connector: 'jumpseller',
    about: 'the deprecated way: both values in the query; a list without paging',
    method: 'query',
    choices: {},
    inputs: { login: 'store-login', api_key: plainCanary('jumpseller-query-token') },
    stream: 'taxes',
    requests: [
      {
        method: 'GET',
        url: `https://api.jumpseller.com/v1/taxes.json?login=store-login&authtoken=${plainCanary('jumpseller-query-token')}`,
        headers: { accept: 'application/json' },
        absent: ['authorization'],
      },
    ],
    pages: [JSON.stringify([{ tax: { id: 3, name: 'VAT', tax_amount: 19.0 } }])],
    records: 1,
    first: { id: 3, name: 'VAT' },
    last: { id: 3 },
  },
];

// ---- UpPromote: aff-api.uppromote.com/docs/v2 and /docs/v1.html

const uppromote: WireLiteral[] = [
  {
    connector: 'uppromote',
    about: 'version 2: the key alone; pages end with an empty one',
    method: 'key',
    choices: {},
    inputs: { api_key: plainCanary('uppromote-key') },
    stream: 'affiliates',
    requests: [1, 2].map((page) => ({
      method: 'GET',
      url: `https://aff-api.uppromote.com/api/v2/affiliates?page=${page}&per_page=100`,
      headers: { authorization: plainCanary('uppromote-key'), accept: 'application/json', 'content-type': 'application/json' },
    })),
    pages: [
      JSON.stringify({
        data: [
          { id: 11, email: 'a@example.com' },
          { id: 12, email: 'b@example.com' },
        ],
      }),
      JSON.stringify({ data: [] }),
    ],
    records: 2,
    first: { id: 11, email: 'a@example.com' },
    last: { id: 12 },
  },
  {
    connector: 'uppromote',
    about: 'version 2: days become times in UTC',
    method: 'key',
    choices: { api: 'v2' },
    inputs: { api_key: plainCanary('uppromote-key'), start_date: '2026-01-01', end_date: '2026-03-31' },
    stream: 'referrals',
    requests: [1, 2].map((page) => ({
      method: 'GET',
      url: `https://aff-api.uppromote.com/api/v2/referrals?from_date=2026-01-01T00%3A00%3A00Z&to_date=2026-06-15T23%3A59%3A59Z&page=${page}&per_page=100`,
      headers: { authorization: plainCanary('uppromote-key') },
    })),
    pages: [
      JSON.stringify({
        data: [
          { id: 21, status: 'approved', commission: 4.2, created_at: '2026-03-31T23:00:00Z' },
          { id: 22, status: 'approved', commission: 4.2, created_at: '2026-04-01T00:00:00Z' },
        ],
      }),
      JSON.stringify({ data: [] }),
    ],
    records: 1,
    first: { id: 21, status: 'approved', commission: 4.2 },
    last: { id: 21 },
  },
  {
    connector: 'uppromote',
    about: 'version 1: Bearer, limit, days as they are, the next page by its full URL',
    method: 'key',
    choices: { api: 'v1' },
    inputs: { api_key: plainCanary('uppromote-key'), start_date: '2026-01-01', end_date: '2026-03-31' },
    stream: 'referrals',
    requests: [
      {
        method: 'GET',
        url: 'https://aff-api.uppromote.com/api/v1/referrals?from_date=2026-01-01&to_date=2026-06-15&limit=100',
        headers: { authorization: `Bearer ${plainCanary('uppromote-key')}`, accept: 'application/json' },
      },
      {
        method: 'GET',
        url: 'https://aff-api.uppromote.com/api/v1/referrals?from_date=2026-01-01&to_date=2026-06-15&limit=100&page=2',
        headers: { authorization: `Bearer ${plainCanary('uppromote-key')}`, accept: 'application/json' },
      },
    ],
    pages: [
      JSON.stringify({
        data: [{ id: 31, created_at: 1767225600 }],
        links: { next: 'https://aff-api.uppromote.com/api/v1/referrals?from_date=2026-01-01&to_date=2026-06-15&limit=100&page=2' },
      }),
      JSON.stringify({ data: [{ id: 32, created_at: 1767312000 }], links: { next: null } }),
    ],
    records: 2,
    first: { id: 31, created_at: 1767225600 },
    last: { id: 32 },
  },
];

// ---- Amazon Ads: advertising.amazon.com/API/docs/en-us

const amazonInputs = {
  client_id: 'amzn1.application-oa2-client.0123456789abcdef',
  client_secret: plainCanary('amazon-client-secret'),
  profile_id: '777777777',
};
const amazonTokens = { access_token: plainCanary('amazon-access-token'), refresh_token: plainCanary('amazon-refresh-token') };
const amazonHeaders = {
  authorization: `Bearer ${plainCanary('amazon-access-token')}`,
  'amazon-advertising-api-clientid': 'amzn1.application-oa2-client.0123456789abcdef',
};

const amazonProfiles = (host: string): WireRequest => ({
  method: 'GET',
  url: `https://${host}/v2/profiles`,
  headers: amazonHeaders,
  absent: ['amazon-advertising-api-scope'],
});
/** Of two, the one that was chosen is read. */
const PROFILES = '[{"profileId":777777777,"countryCode":"DE"},{"profileId":777777778,"countryCode":"FR"}]';

const amazon: WireLiteral[] = [
  {
    connector: 'amazon-ads',
    about: 'North America; the media type in both directions; the token in the body',
    method: 'oauth',
    choices: { region: 'na' },
    inputs: amazonInputs,
    captured: amazonTokens,
    stream: 'sp_campaigns',
    requests: [
      amazonProfiles('advertising-api.amazon.com'),
      ...[{ maxResults: 500 }, { maxResults: 500, nextToken: 'page-two' }].map(
        (json): WireRequest => ({
          method: 'POST',
          url: 'https://advertising-api.amazon.com/sp/campaigns/list',
          headers: {
            ...amazonHeaders,
            'amazon-advertising-api-scope': '777777777',
            'content-type': 'application/vnd.spCampaign.v3+json',
            accept: 'application/vnd.spCampaign.v3+json',
          },
          json,
        }),
      ),
    ],
    pages: [
      PROFILES,
      '{"campaigns":[{"campaignId":"180571593","name":"One","state":"ENABLED"},{"campaignId":"180571594","name":"Two","state":"PAUSED"}],"nextToken":"page-two","totalResults":3}',
      '{"campaigns":[{"campaignId":"180571595","name":"Three","state":"ARCHIVED"}],"totalResults":3}',
    ],
    records: 3,
    first: { profileId: '777777777', campaignId: '180571593', name: 'One' },
    last: { profileId: '777777777', campaignId: '180571595' },
  },
  {
    connector: 'amazon-ads',
    about: 'Europe; startIndex and count; an id beyond 2^53 that must not be rounded',
    method: 'oauth',
    choices: { region: 'eu' },
    inputs: amazonInputs,
    captured: amazonTokens,
    stream: 'sd_campaigns',
    requests: [
      amazonProfiles('advertising-api-eu.amazon.com'),
      ...[0, 100].map(
        (startIndex): WireRequest => ({
          method: 'GET',
          url: `https://advertising-api-eu.amazon.com/sd/campaigns?startIndex=${startIndex}&count=100`,
          headers: { ...amazonHeaders, 'amazon-advertising-api-scope': '777777777', accept: 'application/json' },
        }),
      ),
    ],
    pages: [
      PROFILES,
      `[${range(1, 101)
        .map((id) => `{"campaignId":${id},"name":"Campaign ${id}","tactic":"T00020"}`)
        .join(',')}]`,
      '[{"campaignId":9007199254740993,"name":"Large","tactic":"T00030"}]',
    ],
    records: 101,
    first: { profileId: '777777777', name: 'Campaign 1' },
    last: { profileId: '777777777', campaignId: '9007199254740993', name: 'Large' },
  },
  {
    connector: 'amazon-ads',
    about: 'Far East; the one list that takes no profile',
    method: 'oauth',
    choices: { region: 'fe' },
    inputs: { client_id: amazonInputs.client_id, client_secret: amazonInputs.client_secret },
    captured: amazonTokens,
    stream: 'profiles',
    requests: [amazonProfiles('advertising-api-fe.amazon.com')],
    pages: [
      '[{"profileId":888888888,"countryCode":"JP","currencyCode":"JPY","timezone":"Asia/Tokyo","accountInfo":{"marketplaceStringId":"A1VC38T7YXB528","id":"ENTITY1","type":"seller","name":"Example","validPaymentMethod":true}}]',
    ],
    records: 1,
    first: { countryCode: 'JP', currencyCode: 'JPY' },
    last: { countryCode: 'JP' },
  },
];

// ---- Jampp: developers.jampp.com/docs/reporting-api

const jamppInputs = {
  client_id: 'jampp-client',
  client_secret: plainCanary('jampp-client-secret'),
  start_date: '2026-05-15',
  end_date: '2026-06-01',
};
const jamppToken: WireLiteral['token'] = {
  request: {
    method: 'POST',
    url: 'https://auth.jampp.com/v1/oauth/token',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    absent: ['authorization'],
    form: { grant_type: 'client_credentials', client_id: 'jampp-client', client_secret: plainCanary('jampp-client-secret') },
  },
  answer: JSON.stringify({ access_token: plainCanary('jampp-access-token'), token_type: 'Bearer', expires_in: 7200 }),
};
const jamppRequest = (fields: string): WireRequest => ({
  method: 'POST',
  url: 'https://reporting-api.jampp.com/v1/graphql',
  headers: { authorization: `Bearer ${plainCanary('jampp-access-token')}`, 'content-type': 'application/json' },
  json: {
    query: `query($from: DateTime!, $to: DateTime!) { pivot(from: $from, to: $to, context: {sqlTimeZone: "UTC"}) { results { date(granularity: DAILY) ${fields} } } }`,
    variables: { from: '2026-05-15T00:00:00Z', to: '2026-06-15T00:00:00Z' },
  },
});

const jampp: WireLiteral[] = [
  {
    connector: 'jampp',
    about: 'client credentials in a form; GraphQL with variables; one answer',
    method: 'oauth',
    choices: {},
    inputs: jamppInputs,
    token: jamppToken,
    stream: 'campaign_daily',
    requests: [jamppRequest('campaignId campaign impressions clicks spend installs ctr cpc cpm')],
    pages: [
      JSON.stringify({
        data: {
          pivot: {
            results: [
              {
                date: '2026-05-30T00:00:00Z',
                campaignId: 5,
                campaign: 'Launch',
                impressions: 1000,
                clicks: 10,
                spend: 2.5,
                installs: 1,
                ctr: 0.01,
                cpc: 0.25,
                cpm: 2.5,
              },
              { date: '2026-06-01T00:00:00Z', campaignId: 5, campaign: 'Launch', impressions: 7 },
              {
                date: '2026-05-31T00:00:00Z',
                campaignId: 5,
                campaign: 'Launch',
                impressions: 0,
                clicks: 0,
                spend: 0,
                installs: 0,
                ctr: null,
                cpc: null,
                cpm: null,
              },
            ],
          },
        },
      }),
    ],
    records: 2,
    first: { date: '2026-05-30T00:00:00Z', campaignId: 5, spend: 2.5 },
    last: { date: '2026-05-31T00:00:00Z', campaignId: 5, ctr: null },
  },
  {
    connector: 'jampp',
    about: 'the pivot with metrics of its own',
    method: 'oauth',
    choices: {},
    inputs: jamppInputs,
    token: jamppToken,
    stream: 'events_daily',
    requests: [jamppRequest('campaignId campaign events uniqueEvents eventsCpa eventsRoas eventValue')],
    pages: [
      JSON.stringify({
        data: {
          pivot: {
            results: [
              {
                date: '2026-05-30T00:00:00Z',
                campaignId: 5,
                campaign: 'Launch',
                events: 12,
                uniqueEvents: 9,
                eventsCpa: 0.2,
                eventsRoas: 3.1,
                eventValue: 7.75,
              },
            ],
          },
        },
      }),
    ],
    records: 1,
    first: { campaignId: 5, events: 12, eventValue: 7.75 },
    last: { campaignId: 5 },
  },
];

export const WIRE_LITERALS: readonly WireLiteral[] = [...jama, ...jumpseller, ...uppromote, ...amazon, ...jampp];
