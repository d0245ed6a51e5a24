import { type Sandbox, type SandboxOptions, startSandbox } from '../../../framework/sandbox/index.ts';
import { plainCanary } from '../../canary.ts';
import { at, basic, bearer, connector, type Got, type Sending, send, spec } from './wire.ts';

/** Addresses, parameters and envelopes below are those of the providers' documentation, not read from the specs. */
const open: Sandbox[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((sandbox) => sandbox.close()));
});

async function start(name: string, options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox(await connector(name), options);
  open.push(sandbox);
  return sandbox;
}

const ids = (got: Got, ...path: (string | number)[]): unknown[] => (at(got.body, ...path) as { id: unknown }[]).map(({ id }) => id);
const distinct = (list: readonly unknown[]): number => new Set(list.map(String)).size;

describe('jama-connect: offset and total, children', () => {
  const site = 'https://acme.jamacloud.com';
  async function jama(options: SandboxOptions = {}): Promise<{ sandbox: Sandbox; get(path: string): Promise<Got> }> {
    const sandbox = await start('jama-connect', { method: 'basic', ...options });
    const { username, password } = sandbox.inputs.fields;
    return { sandbox, get: (path) => send(sandbox, `${site}/rest/v1${path}`, { headers: basic(username!, password!) }) };
  }

  it('gives 2,345 users in pages of 50, each once, and an empty page behind them', async () => {
    const { sandbox, get } = await jama({ records: 2345 });
    const seen: unknown[] = [];
    for (let start = 0; ; start += 50) {
      const page = await get(`/users?includeInactive=true&startAt=${start}&maxResults=50`);
      expect(page.status).toBe(200);
      expect(at(page.body, 'meta', 'pageInfo', 'totalResults')).toBe(2345);
      const found = ids(page, 'data');
      if (found.length === 0) break;
      seen.push(...found);
    }
    expect(seen.length).toBe(2345);
    expect(distinct(seen)).toBe(2345);
    expect(sandbox.expected.users).toBe(2345);
  });

  it('gives the same records from the same seed, and others from another', async () => {
    const [one, other, seeded] = [await jama(), await jama(), await jama({ seed: 'another' })];
    const path = '/users?includeInactive=true&startAt=20&maxResults=2';
    expect((await one.get(path)).text).toBe((await other.get(path)).text);
    expect((await seeded.get(path)).text).not.toBe((await one.get(path)).text);
    expect(seeded.sandbox.inputs.fields.password).not.toBe(one.sandbox.inputs.fields.password);
  });

  it('cuts a page size beyond the most down, and refuses what is no number', async () => {
    const { get } = await jama();
    expect(ids(await get('/users?includeInactive=true&startAt=0&maxResults=500'), 'data').length).toBe(50);
    expect((await get('/users?includeInactive=true&startAt=0&maxResults=many')).status).toBe(400);
    expect((await get('/users?includeInactive=true&startAt=-1&maxResults=50')).status).toBe(400);
  });

  it('gives the items of each project, some none, and together as many as expected', async () => {
    const { sandbox, get } = await jama({ records: { projects: 7, project_items: 120, '*': 5 } });
    const projects = ids(await get('/projects?startAt=0&maxResults=50'), 'data');
    expect(projects.length).toBe(7);
    const counts: number[] = [];
    for (const project of projects) {
      let count = 0;
      for (let start = 0; ; start += 50) {
        const page = await get(`/items?project=${project}&startAt=${start}&maxResults=50`);
        const rows = at(page.body, 'data') as { project: unknown }[];
        if (rows.length === 0) break;
        expect(rows.every((row) => row.project === project)).toBe(true);
        count += rows.length;
      }
      counts.push(count);
    }
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(120);
    expect(Math.min(...counts)).toBe(0);
    expect(Math.max(...counts)).toBeGreaterThan(50);
    expect(sandbox.expected.project_items).toBe(120);
  });

  it('has no parent that it did not give', async () => {
    const { get } = await jama();
    expect((await get('/items?project=999999&startAt=0&maxResults=50')).status).toBe(404);
    expect((await get('/picklists/999999/options?startAt=0&maxResults=50')).status).toBe(404);
  });

  it.each([
    ['an unknown path', '/nothing', 404],
    ['an empty segment', '/picklists//options', 404],
    ['a parameter that is not in the spec', '/projects?startAt=0&maxResults=50&foo=1', 400],
    ['a fixed parameter with another value', '/users?includeInactive=false&startAt=0&maxResults=50', 400],
    ['a fixed parameter left out', '/users?startAt=0&maxResults=50', 400],
    ['a parameter twice', '/projects?startAt=0&startAt=0&maxResults=50', 400],
    ['no parent at all', '/items?startAt=0&maxResults=50', 400],
    ['a date in another form', '/abstractitems?sortBy=modifiedDate.asc&modifiedDate=yesterday&startAt=0&maxResults=50', 400],
  ])('refuses %s', async (_, path, status) => {
    const { get } = await jama();
    const got = await get(path);
    expect(got.status).toBe(status);
    expect(typeof at(got.body, 'meta', 'message')).toBe('string');
  });

  it('names a stray parameter, and says which methods there are', async () => {
    const { sandbox, get } = await jama();
    expect(at((await get('/projects?foo=1')).body, 'meta', 'message')).toBe('unexpected query parameter: foo');
    const { username, password } = sandbox.inputs.fields;
    const posted = await send(sandbox, `${site}/rest/v1/projects`, { headers: basic(username!, password!), json: {} });
    expect([posted.status, posted.headers.allow]).toEqual([405, 'GET']);
  });

  it('takes the two dates of a range, and no third', async () => {
    const { get } = await jama();
    const path = '/abstractitems?sortBy=modifiedDate.asc&startAt=0&maxResults=50&modifiedDate=2026-01-01T00:00:00.000%2B0000';
    const range = `${path}&modifiedDate=2026-02-01T00:00:00.000%2B0000`;
    expect((await get(range)).status).toBe(200);
    expect((await get(`${range}&modifiedDate=2026-03-01T00:00:00.000%2B0000`)).status).toBe(400);
  });

  it('answers the check with an account', async () => {
    const { sandbox, get } = await jama();
    expect(at((await get('/users/current')).body, 'data', 'username')).toBe(sandbox.inputs.fields.username);
  });
});

describe('jumpseller: numbered pages of one-key objects', () => {
  async function jumpseller(options: SandboxOptions = {}): Promise<{ sandbox: Sandbox; get(path: string): Promise<Got> }> {
    const sandbox = await start('jumpseller', options);
    const { username, password } = sandbox.inputs.fields;
    return { sandbox, get: (path) => send(sandbox, `https://api.jumpseller.com/v1${path}`, { headers: basic(username!, password!) }) };
  }

  it('ends with a short page', async () => {
    const { sandbox, get } = await jumpseller();
    const sizes: number[] = [];
    const seen: unknown[] = [];
    for (let page = 1; sizes.at(-1) !== 50; page++) {
      const rows = (await get(`/customers.json?page=${page}&limit=100`)).body as { customer: { id: number } }[];
      sizes.push(rows.length);
      seen.push(...rows.map(({ customer }) => customer.id));
    }
    expect(sizes).toEqual([100, 100, 50]);
    expect(distinct(seen)).toBe(sandbox.expected.customers);
  });

  it('tells what remains of both limits, and has one object at store/info', async () => {
    const { get } = await jumpseller();
    const got = await get('/store/info.json');
    expect(got.headers['jumpseller-perminuteratelimit-remaining']).toBe('799');
    expect(got.headers['jumpseller-persecondratelimit-remaining']).toBe('19');
    expect(typeof at(got.body, 'code')).toBe('string');
    expect(typeof at(got.body, 'name')).toBe('string');
  });

  it('begins with page 1', async () => {
    const { get } = await jumpseller();
    expect((await get('/customers.json?page=0&limit=100')).status).toBe(400);
    expect((await get('/customers.json?page=4&limit=100')).body).toEqual([]);
  });
});

describe('uppromote: two versions of one API', () => {
  const key = plainCanary('uppromote');

  it('takes the bare key and numbered pages in version 2', async () => {
    const sandbox = await start('uppromote', { fields: { api_key: key } });
    const get = (path: string, authorization = key): Promise<Got> =>
      send(sandbox, `https://aff-api.uppromote.com/api/v2${path}`, { headers: { authorization, 'content-type': 'application/json' } });
    const sizes: number[] = [];
    for (let page = 1; page <= 4; page++) sizes.push(ids(await get(`/coupons?page=${page}&per_page=100`), 'data').length);
    expect(sizes).toEqual([100, 100, 50, 0]);
    expect((await get('/coupons?page=1&per_page=100', `Bearer ${key}`)).status).toBe(401);
    expect((await get('/coupons?page=1&limit=100')).status).toBe(400);
  });

  it('takes Bearer in version 1 and gives the next page as a URL, which ends', async () => {
    const sandbox = await start('uppromote', { fields: { api_key: key }, choices: { api: 'v1' } });
    const headers = { ...bearer(key), 'content-type': 'application/json' };
    const seen: unknown[] = [];
    let url: string | null = 'https://aff-api.uppromote.com/api/v1/affiliates?limit=100';
    let pages = 0;
    while (url !== null && pages++ < 10) {
      const got: Got = await send(sandbox, url, { headers });
      expect(got.status).toBe(200);
      seen.push(...ids(got, 'data'));
      url = at(got.body, 'links', 'next') as string | null;
      if (url !== null) expect(new URL(url).origin).toBe('https://aff-api.uppromote.com');
    }
    expect([pages, distinct(seen), sandbox.expected.affiliates]).toEqual([3, 250, 250]);
    expect(Object.keys(sandbox.expected)).not.toContain('programs');
    expect((await send(sandbox, 'https://aff-api.uppromote.com/api/v1/programs?limit=100', { headers })).status).toBe(404);
  });
});

describe('amazon-ads: tokens in the body, int64 ids, media types', () => {
  async function amazon(): Promise<{ sandbox: Sandbox; headers: Record<string, string>; token: string }> {
    const sandbox = await start('amazon-ads', { autoConsent: true, records: { profiles: 3, '*': 1200 } });
    const { client_id = '', client_secret = '' } = sandbox.inputs.fields;
    const { token } = await consent(sandbox, client_id, client_secret);
    const headers = { ...bearer(token), 'amazon-advertising-api-clientid': client_id, 'amazon-advertising-api-scope': '9007199254740995' };
    return { sandbox, headers, token };
  }

  async function consent(sandbox: Sandbox, id: string, secret: string): Promise<{ token: string }> {
    const { createHash } = await import('node:crypto');
    const verifier = plainCanary('verifier').padEnd(43, 'x');
    const redirect = 'http://127.0.0.1:9/callback';
    const query = new URLSearchParams({
      client_id: id,
      scope: 'advertising::campaign_management',
      response_type: 'code',
      redirect_uri: redirect,
      state: 's',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    });
    const asked = await send(sandbox, `https://www.amazon.com/ap/oa?${query}`);
    const code = new URL(asked.headers.location!).searchParams.get('code')!;
    const form = {
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirect,
      client_id: id,
      client_secret: secret,
      code_verifier: verifier,
    };
    const got = await send(sandbox, 'https://api.amazon.com/auth/o2/token', { form });
    return { token: at(got.body, 'access_token') as string };
  }

  const list = (sandbox: Sandbox, headers: Record<string, string>, json: unknown): Promise<Got> => {
    const media = 'application/vnd.spCampaign.v3+json';
    const sending: Sending = { headers: { accept: media, 'content-type': media, ...headers }, text: JSON.stringify(json) };
    return send(sandbox, 'https://advertising-api.amazon.com/sp/campaigns/list', sending);
  };

  it('writes ids beyond 2^53 as bare numbers, digit for digit', async () => {
    const { sandbox, headers } = await amazon();
    const { 'amazon-advertising-api-scope': _scope, ...without } = headers;
    const got = await send(sandbox, 'https://advertising-api.amazon.com/v2/profiles', { headers: without });
    expect([...got.text.matchAll(/"profileId":(\d+)/g)].map(([, id]) => id)).toEqual([
      '9007199254740993',
      '9007199254740995',
      '9007199254740997',
    ]);
    // An optional choice is left out.
    expect(sandbox.inputs.fields).not.toHaveProperty('profile_id');
    expect((await send(sandbox, 'https://advertising-api.amazon.com/v2/profiles', { headers })).status).toBe(400);
  });

  it('goes from token to token, and refuses one that it did not give', async () => {
    const { sandbox, headers } = await amazon();
    const seen: string[] = [];
    let token: string | undefined;
    do {
      const got = await list(sandbox, headers, { maxResults: 500, ...(token !== undefined && { nextToken: token }) });
      expect(got.status).toBe(200);
      expect(got.headers['content-type']).toBe('application/vnd.spCampaign.v3+json');
      seen.push(...(at(got.body, 'campaigns') as { campaignId: string }[]).map(({ campaignId }) => campaignId));
      token = at(got.body, 'nextToken') as string | undefined;
    } while (token !== undefined);
    // The second of three profiles has half of them.
    expect([seen.length, distinct(seen)]).toEqual([600, 600]);
    expect((await list(sandbox, headers, { maxResults: 500, nextToken: 'abc' })).status).toBe(400);
  });

  it.each<[string, Record<string, string>, unknown, number]>([
    ['another Content-Type', { 'content-type': 'application/json' }, { maxResults: 500 }, 415],
    ['another Accept', { accept: 'application/json' }, { maxResults: 500 }, 406],
    ['a profile that was not offered', { 'amazon-advertising-api-scope': '9007199254740992' }, { maxResults: 500 }, 404],
    ['another client id', { 'amazon-advertising-api-clientid': 'other' }, { maxResults: 500 }, 401],
    ['a body without what the spec sends', {}, {}, 400],
    ['a stray entry in the body', {}, { maxResults: 500, startIndex: 0 }, 400],
  ])('refuses %s', async (_, wrong, body, status) => {
    const { sandbox, headers } = await amazon();
    const got = await list(sandbox, { ...headers, ...wrong }, body);
    expect([got.status, typeof at(got.body, 'details')]).toEqual([status, 'string']);
  });

  it('serves every region, and its hosts are all in the address map', async () => {
    const { sandbox, headers } = await amazon();
    const { 'amazon-advertising-api-scope': _scope, ...without } = headers;
    expect((await send(sandbox, 'https://advertising-api-eu.amazon.com/v2/profiles', { headers: without })).status).toBe(200);
    expect(Object.keys(sandbox.addresses).sort()).toEqual([
      'https://advertising-api-eu.amazon.com',
      'https://advertising-api-fe.amazon.com',
      'https://advertising-api.amazon.com',
      'https://apac.account.amazon.com',
      'https://api.amazon.co.jp',
      'https://api.amazon.co.uk',
      'https://api.amazon.com',
      'https://eu.account.amazon.com',
      'https://files.amazon-ads.sandbox.invalid',
      'https://www.amazon.com',
    ]);
  });
});

describe('jampp: GraphQL', () => {
  const query = (dimensions: string): string =>
    `query($from: DateTime!, $to: DateTime!) { pivot(from: $from, to: $to, context: {sqlTimeZone: "UTC"}) {
       results { date(granularity: DAILY) ${dimensions} impressions clicks spend installs ctr cpc cpm } } }`;

  async function jampp(): Promise<{ sandbox: Sandbox; post(json: unknown): Promise<Got> }> {
    const sandbox = await start('jampp');
    const { client_id = '', client_secret = '' } = sandbox.inputs.fields;
    const form = { grant_type: 'client_credentials', client_id, client_secret };
    const token = at((await send(sandbox, 'https://auth.jampp.com/v1/oauth/token', { form })).body, 'access_token') as string;
    return { sandbox, post: (json) => send(sandbox, 'https://reporting-api.jampp.com/v1/graphql', { headers: bearer(token), json }) };
  }

  it('gives rows within the days asked for, each day and campaign once', async () => {
    const { sandbox, post } = await jampp();
    const day = (ago: number): string => `${new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10)}T00:00:00Z`;
    const variables = { from: day(12), to: day(5) };
    const rows = at((await post({ query: query('campaignId campaign'), variables })).body, 'data', 'pivot', 'results') as {
      date: string;
      campaignId: number;
    }[];
    // 250 in the 30 days until yesterday: 8 or 9 a day.
    expect(rows.length).toBeGreaterThanOrEqual(56);
    expect(rows.length).toBeLessThanOrEqual(63);
    expect(distinct(rows.map(({ date, campaignId }) => `${date} ${campaignId}`))).toBe(rows.length);
    const days = [...new Set(rows.map(({ date }) => date))].sort();
    expect([days.length, days[0], days.at(-1)]).toEqual([7, day(12), day(6)]);
    expect(sandbox.requests.at(-1)?.stream).toBe('campaign_daily');
  });

  it('answers another query, a missing or a stray variable with errors and status 200', async () => {
    const { post } = await jampp();
    const from = '2026-03-01T00:00:00Z';
    const missing = await post({ query: query('campaignId campaign'), variables: { from } });
    expect([missing.status, at(missing.body, 'errors', 0, 'message')]).toEqual([200, 'Variable "$to" was not provided.']);
    const stray = await post({ query: query('campaignId campaign'), variables: { from, to: from, by: 1 } });
    expect(at(stray.body, 'errors', 0, 'message')).toBe('Variable "$by" is not declared by the query.');
    const other = await post({ query: query('nothing'), variables: { from, to: from } });
    expect(typeof at(other.body, 'errors', 0, 'message')).toBe('string');
    expect(at((await post({ query: '{ __typename }' })).body, 'data', '__typename')).toBe('Query');
  });
});

describe('what the five do not have', () => {
  const ACME = `
spec: 1
name: acme
title: Acme
version: 1.0.0
auth: { key: { type: api_key, send: { query: { key: '\${fields.api_key}' } } } }
http: { base_url: https://api.acme.com/v1 }
fields:
  team: { type: text, after: auth, options: { get: /teams, records: teams, value: code, label: '\${item.name}' } }
streams:
  linked:
    get: /linked
    primary_key: [id]
    columns: { id: integer, name: text, born: date, seen: datetime, tags: list, extra: object, score: number, ok: boolean }
    paginate: { type: link_header, size: query.per_page, page_size: 30 }
  flagged:
    get: /teams/\${fields.team}/flagged
    records: items
    primary_key: [id]
    columns: { id: text }
    paginate: { type: next_token, from: '\${response.headers["x-next"]}', into: headers.X-After, more: page.more }
  keyed:
    get: /keyed
    query: { since: '0' }
    records: items
    primary_key: [code]
    columns: { code: text, meta: object }
    paginate: { type: keyset, from: meta.seen_id, into: query.since, size: query.n, page_size: 60, more: more }
  counted: { get: /counted, records: items, primary_key: [id], paginate: { type: page, page: query.p, size: query.n, page_size: 40, total: meta.total, total_pages: meta.pages, more: meta.more } }
  strict: { get: /strict, records: items, primary_key: [id], columns: { id: integer }, paginate: { type: keyset, from: '\${last_record.id}', into: query.after, page_size: 200 } }
`;
  const key = plainCanary('acme');
  async function acme(): Promise<Sandbox> {
    const sandbox = await startSandbox(spec(ACME), { fields: { api_key: key } });
    open.push(sandbox);
    return sandbox;
  }

  it('links pages in the Link header, and keeps the query', async () => {
    const sandbox = await acme();
    let url: string | undefined = 'https://api.acme.com/v1/linked?per_page=30';
    const sizes: number[] = [];
    while (url !== undefined) {
      const got: Got = await send(sandbox, `${url}&key=${key}`);
      sizes.push((got.body as unknown[]).length);
      url = /<([^>]+)>; rel="next"/.exec(got.headers.link ?? '')?.[1];
    }
    expect(sizes).toEqual([30, 30, 30, 30, 30, 30, 30, 30, 10]);
  });

  it('counts records and pages, and says whether there is more', async () => {
    const sandbox = await acme();
    const meta = async (page: number): Promise<unknown> =>
      at((await send(sandbox, `https://api.acme.com/v1/counted?p=${page}&n=40&key=${key}`)).body, 'meta');
    // 250 records: six pages of 40, and one of 10.
    expect(await meta(6)).toEqual({ total: 250, pages: 7, more: true });
    expect(await meta(7)).toEqual({ total: 250, pages: 7, more: false });
  });

  it('gives what comes after a key, and knows no other keys', async () => {
    const sandbox = await acme();
    const get = (since: unknown): Promise<Got> => send(sandbox, `https://api.acme.com/v1/keyed?since=${since}&n=60&key=${key}`);
    const sizes: unknown[] = [];
    const codes: unknown[] = [];
    for (let since: unknown = 0, more: unknown = true; more === true; ) {
      const got = await get(since);
      const items = at(got.body, 'items') as { code: string; meta: { seen_id: number } }[];
      more = at(got.body, 'more');
      since = items.at(-1)?.meta.seen_id;
      sizes.push([items.length, more]);
      codes.push(...items.map(({ code }) => code));
    }
    expect(sizes).toEqual([
      [60, true],
      [60, true],
      [60, true],
      [60, true],
      [10, false],
    ]);
    expect(distinct(codes)).toBe(250);
    const first = (await get(0)).body;
    const last = Number(at(first, 'items', 0, 'meta', 'seen_id')) + 249;
    expect(ids(await get(last), 'items')).toEqual([]);
    // The stream's own 0 is the beginning, whatever else is no key of the list.
    expect((await get(last + 1)).body).toEqual(first);
    const strict = (after: string): Promise<Got> => send(sandbox, `https://api.acme.com/v1/strict?key=${key}${after}`);
    const all = ids(await strict(''), 'items');
    expect([all.length, ids(await strict(`&after=${all[199]}`), 'items').length]).toEqual([200, 50]);
    expect((await strict(`&after=${Number(all[0]) - 1}`)).status).toBe(400);
  });

  it('names what it does not know, and a port that is taken', async () => {
    const sandbox = await acme();
    const refused = (options: SandboxOptions): Promise<unknown> => startSandbox(spec(ACME), options).catch((error: unknown) => error);
    expect(await refused({ records: { linkd: 1 } })).toMatchObject({ code: 'input_unknown', next: 'Did you mean "linked"?' });
    expect(await refused({ method: 'kay' })).toMatchObject({ code: 'input_unknown', where: 'kay' });
    expect(await refused({ port: Number(new URL(sandbox.origin).port) })).toMatchObject({
      code: 'usage',
      where: new URL(sandbox.origin).port,
    });
  });

  it('has a value of its type in every column', async () => {
    const sandbox = await acme();
    const [row] = (await send(sandbox, `https://api.acme.com/v1/linked?per_page=1&key=${key}`)).body as Record<string, unknown>[];
    expect(row).toEqual({
      id: expect.any(Number),
      name: expect.any(String),
      born: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
      seen: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      tags: expect.any(Array),
      extra: expect.any(Object),
      score: expect.any(Number),
      ok: expect.any(Boolean),
    });
  });

  it('reads and writes tokens in headers, says whether there is more, and offers options', async () => {
    const sandbox = await acme();
    expect(at((await send(sandbox, `https://api.acme.com/v1/teams?key=${key}`)).body, 'teams', 0)).toEqual({
      code: '1001',
      name: 'Option 1',
    });
    const get = (after?: string): Promise<Got> =>
      send(sandbox, `https://api.acme.com/v1/teams/1002/flagged?key=${key}`, after === undefined ? {} : { headers: { 'x-after': after } });
    const first = await get();
    const last = await get((await get(first.headers['x-next'])).headers['x-next']);
    expect([ids(first, 'items').length, at(first.body, 'page', 'more')]).toEqual([100, true]);
    expect([ids(last, 'items').length, at(last.body, 'page', 'more'), last.headers['x-next']]).toEqual([50, false, undefined]);
    expect((await send(sandbox, `https://api.acme.com/v1/teams/7/flagged?key=${key}`)).status).toBe(400);
  });
});
