import type { ResolvedStream } from '../../../framework/core/resolved.ts';
import type { SpecDocument } from '../../../framework/core/spec-types.gen.ts';
import { type Sandbox, startSandbox } from '../../../framework/sandbox/index.ts';
import { resolve } from '../../../framework/spec/resolve.ts';
import { at, basic, bearer, connector, type Got, send } from './wire.ts';

/**
 * Every stream of every connector that is read by requests, read to its end by a reader of a few lines: as many records as the sandbox
 * says, and their keys all different. Ranges are asked for in one: the 30 days in which the records lie. Jobs are in jobs.test.ts.
 */
type Row = Record<string, unknown>;

async function authorized(sandbox: Sandbox, document: SpecDocument): Promise<Record<string, string>> {
  const { method, choices, fields } = sandbox.inputs;
  const { method: auth } = resolve(document, { method, choices });
  const { client_id = '', client_secret = '', username = '', password = '', api_key = '' } = fields;
  if (auth.type === 'basic') return basic(username, password);
  if (auth.type === 'api_key') return { authorization: api_key };
  const url = auth.token!.url.replace('${region.token}', 'api.amazon.com');
  const client = { client_id, client_secret };
  if (auth.type === 'oauth2_client_credentials') {
    const got = await send(sandbox, url, { form: { grant_type: 'client_credentials', ...client } });
    return bearer(at(got.body, 'access_token') as string);
  }
  const redirect_uri = 'http://localhost:9/cb';
  const challenge = { code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' };
  const query = new URLSearchParams({
    client_id,
    redirect_uri,
    response_type: 'code',
    scope: 'advertising::campaign_management',
    ...challenge,
  });
  const consent = await send(sandbox, `https://www.amazon.com/ap/oa?${query}`);
  // The pair of RFC 7636, appendix B.
  const code_verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
  const code = new URL(consent.headers.location!).searchParams.get('code')!;
  const got = await send(sandbox, url, { form: { grant_type: 'authorization_code', code, redirect_uri, code_verifier, ...client } });
  return bearer(at(got.body, 'access_token') as string);
}

/** A body whose whole numbers beyond 2^53 are text. */
const exact = (text: string): unknown => JSON.parse(text.replace(/([:[,])(\d{16,})(?=[,}\]])/g, '$1"$2"'));

const day = (ago: number): string => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
const written: Record<string, (date: string) => string> = {
  date: (date) => date,
  '%Y-%m-%dT00:00:00Z': (date) => `${date}T00:00:00Z`,
  '%Y-%m-%dT%H:%M:%S.%L%z': (date) => `${date}T00:00:00.000+0000`,
};
/** The records of times lie until now, those of days until yesterday. */
function windowOf({ cursor }: ResolvedStream): Record<string, string> {
  const write = written[cursor?.format ?? ''];
  if (write === undefined) return {};
  const end = cursor?.format.includes('%H') ? -1 : 0;
  return { start: write(day(30)), end: write(day(end)) };
}

class Reader {
  readonly #sandbox: Sandbox;
  readonly #streams: Record<string, ResolvedStream>;
  readonly #base: string;
  readonly #headers: Record<string, string | null>;
  readonly #auth: Record<string, string>;
  readonly #known: Record<string, unknown>;
  readonly #rows = new Map<string, Promise<Row[]>>();

  constructor(sandbox: Sandbox, document: SpecDocument, auth: Record<string, string>) {
    const { method, choices, fields } = sandbox.inputs;
    const resolved = resolve(document, { method, choices });
    this.#sandbox = sandbox;
    this.#streams = resolved.streams;
    this.#known = { fields, ...resolved.choices };
    this.#base = this.#text(resolved.http.base_url, {})!;
    this.#headers = resolved.http.headers;
    this.#auth = auth;
  }

  /** Look-ups only; whatever else is optional in the five specs and left out. */
  #text(text: unknown, parent: unknown): string | undefined {
    const plain = String(text)
      .replace(/\$\{default\((window\.\w+), .*\) \+ (\w+\.\w+)\}/, '${$1}${$2}')
      .replace(/\$\{string\(([\w.]+)\)\}/, '${$1}');
    const filled = plain.replace(/\$\{(\w+(?:\.\w+)*)\}/g, (_, path: string) => {
      const [root = '', ...rest] = path.split('.');
      return String(at(root === 'parent' ? parent : this.#known[root], ...rest));
    });
    return filled.includes('${') ? undefined : filled;
  }

  #map(entries: Record<string, unknown>, parent: unknown): Record<string, string> {
    const found = Object.entries(entries).map(([name, text]) => [name, text === null ? undefined : this.#text(text, parent)]);
    return Object.fromEntries(found.filter(([, text]) => text !== undefined));
  }

  rows(name: string): Promise<Row[]> {
    const known = this.#rows.get(name) ?? this.#read(this.#streams[name]!);
    this.#rows.set(name, known);
    return known;
  }

  async #read(stream: ResolvedStream): Promise<Row[]> {
    const parents = stream.parent === undefined ? [undefined] : await this.rows(stream.parent);
    const rows: Row[] = [];
    for (const parent of parents) {
      for (const row of await this.#pages(stream, parent)) {
        for (const [column, text] of Object.entries(stream.add)) row[column] = this.#text(text, parent) ?? row[column];
        rows.push(row);
      }
    }
    return rows;
  }

  async #pages(stream: ResolvedStream, parent: unknown): Promise<Row[]> {
    const { paginate } = stream;
    this.#known.window = windowOf(stream);
    const rows: Row[] = [];
    let place: string | number | undefined = paginate.type === 'page' ? (paginate.start ?? 1) : paginate.type === 'offset' ? 0 : undefined;
    for (let turn = 0; turn < 50; turn++) {
      const got = await this.#call(stream, parent, place);
      if (got.status !== 200) throw new Error(`${stream.name}: ${got.status} ${got.text}`);
      const body = exact(got.text);
      const found = records(body, stream.records);
      rows.push(...found);
      if (paginate.type === 'page') place = Number(place) + 1;
      else if (paginate.type === 'offset') place = rows.length;
      else if (paginate.type === 'next_token') place = at(body, ...paginate.from.split('.')) as string | undefined;
      if (paginate.type === 'none' || place === undefined || (paginate.type !== 'next_token' && found.length === 0)) return rows;
    }
    throw new Error(`${stream.name} does not end`);
  }

  #call(stream: ResolvedStream, parent: unknown, place: string | number | undefined): Promise<Got> {
    const { paginate, media_type: media } = stream;
    const query = new URLSearchParams();
    for (const [name, text] of Object.entries(stream.query)) {
      const values = [text].flat().map((one) => (one === null ? undefined : this.#text(one, parent)));
      for (const value of values) if (value !== undefined) query.append(name, value);
    }
    const body = stream.body === undefined ? undefined : (this.#tree(stream.body, parent) as Row);
    const put = (target: string | undefined, value: unknown): void => {
      if (target === undefined || value === undefined) return;
      const name = target.slice(target.indexOf('.') + 1);
      if (target.startsWith('query.')) query.set(name, String(value));
      else body![name] = value;
    };
    if (paginate.type === 'page') put(paginate.page, place);
    if (paginate.type === 'offset') put(paginate.offset, place);
    if (paginate.type === 'next_token') put(paginate.into, place);
    if ('size' in paginate) put(paginate.size, paginate.page_size);
    const type = media === undefined ? undefined : this.#text(media, parent);
    const headers = {
      ...this.#map({ ...this.#headers, ...stream.headers }, parent),
      ...this.#auth,
      ...(type !== undefined && { accept: type, 'content-type': type }),
    };
    const url = `${this.#base}${this.#text(stream.url, parent)}${query.size > 0 ? `?${query}` : ''}`;
    if (body === undefined) return send(this.#sandbox, url, { headers });
    return send(this.#sandbox, url, {
      method: stream.method,
      headers: { 'content-type': 'application/json', ...headers },
      text: JSON.stringify(body),
    });
  }

  #tree(value: unknown, parent: unknown): unknown {
    if (typeof value === 'string') return this.#text(value, parent);
    if (Array.isArray(value)) return value.map((item) => this.#tree(item, parent));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, item === null ? undefined : this.#tree(item, parent)]));
  }
}

function records(body: unknown, path: string): Row[] {
  const each = /^\$\.\*\.(\w+)$/.exec(path)?.[1];
  if (each !== undefined) return (body as Row[]).map((item) => item[each] as Row);
  const found = path === '$' || path.startsWith('${') ? body : at(body, ...path.split('.'));
  return (Array.isArray(found) ? found : [found]) as Row[];
}

const CASES: [string, string, Record<string, string>][] = [
  ['jama-connect', 'basic', {}],
  ['jumpseller', 'basic', {}],
  ['uppromote', 'key', { api: 'v2' }],
  ['amazon-ads', 'oauth', { region: 'eu' }],
  ['jampp', 'oauth', {}],
];

it.each(CASES)('%s: every stream gives what is expected', async (name, method, choices) => {
  const document = await connector(name);
  const sandbox = await startSandbox(document, { method, choices, autoConsent: true, records: 130, parents: 5 });
  try {
    const reader = new Reader(sandbox, document, await authorized(sandbox, document));
    const { streams } = resolve(document, { method, choices });
    const counts: Record<string, number> = {};
    const expected: Record<string, number | undefined> = {};
    const doubled: string[] = [];
    for (const [stream, { primary_key: keys, job }] of Object.entries(streams)) {
      if (job !== undefined) continue;
      expected[stream] = sandbox.expected[stream];
      const rows = await reader.rows(stream);
      counts[stream] = rows.length;
      const named = new Set(rows.map((row) => JSON.stringify(keys.map((key) => at(row, ...key.split('.'))))));
      if (named.size !== rows.length) doubled.push(stream);
      expect(keys.filter((key) => rows.some((row) => at(row, ...key.split('.')) === undefined))).toEqual([]);
    }
    expect(counts).toEqual(expected);
    expect(doubled).toEqual([]);
    expect(sandbox.requests.filter(({ status }) => status !== 200 && status !== 302)).toEqual([]);
  } finally {
    await sandbox.close();
  }
});
