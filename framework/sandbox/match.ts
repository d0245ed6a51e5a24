import { type Data, isDataMap, pick } from './data.ts';
import { matchGraphql } from './graphql.ts';
import { describe, type Filled, fill, type Pattern, pattern } from './pattern.ts';
import { type Incoming, mediaType, pairs } from './request.ts';
import { chainOf, type Route } from './route.ts';

export interface Problem {
  status: number;
  message: string;
}

export interface Matched {
  filled: Filled[];
  problems: Problem[];
  /** The body as data: JSON, or the form's entries. */
  body: Data;
}

/** Whether the path is the route's, and what stands in its holes. */
export function matchPath(route: Route, path: string): Filled[] | undefined {
  const given = path.replace(/^\//, '').split('/');
  if (given.length !== route.segments.length) return undefined;
  const filled: Filled[] = [];
  for (const [index, wanted] of route.segments.entries()) {
    const segment = decode(given[index]!);
    const found = segment === undefined ? undefined : fill(wanted, segment);
    // An empty id is another address (RFC 3986, 3.3), never an id.
    if (found === undefined || found.some(({ value }) => value === '')) return undefined;
    filled.push(...found);
  }
  return filled;
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

/** What is wrong with a request whose path and method are the route's: query, headers, media types, body. */
export function matchRequest(route: Route, request: Incoming, allowedQuery: ReadonlySet<string>): Matched {
  const matched: Matched = { filled: [], problems: [], body: null };
  matchHeaders(route, request, matched);
  for (const [name, wanted] of route.cookies) {
    const value = request.cookies[name];
    matchEntry(`cookie ${name}`, [wanted], value === undefined ? [] : [value], matched);
  }
  matchMedia(route, request, matched);
  if (matched.problems.length === 0) matchBody(route, request, matched);
  matchQuery(route, request, allowedQuery, matched);
  return matched;
}

const wrong = (matched: Matched, message: string, status = 400): unknown => matched.problems.push({ status, message });

function matchQuery(route: Route, { query }: Incoming, allowed: ReadonlySet<string>, matched: Matched): void {
  const expected = new Map(route.query);
  if (route.encode === 'query') for (const [name, text] of leaves(route.body)) expected.set(name, [pattern(String(text), route.view)]);
  for (const [name, wanted] of expected) {
    const values = query.filter(([key]) => key === name).map(([, value]) => value);
    matchEntry(`query parameter ${name}`, wanted, values, matched);
  }
  for (const [name] of query) {
    const known = expected.has(name) || allowed.has(name) || route.targets.has(`query.${name}`);
    if (!known) wrong(matched, `unexpected query parameter: ${name}`);
  }
  for (const target of route.targets) {
    const name = target.slice('query.'.length);
    if (target.startsWith('query.') && query.filter(([key]) => key === name).length > 1)
      wrong(matched, `repeated query parameter: ${name}`);
  }
}

function matchEntry(what: string, wanted: readonly Pattern[], values: readonly string[], matched: Matched): void {
  const needed = wanted.filter(({ optional }) => !optional);
  if (values.length === 0 && needed.length > 0) return void wrong(matched, `missing ${what}`);
  if (wanted.every(({ absent }) => absent) && values.length > 0) return void wrong(matched, `unexpected ${what}`);
  if (values.length > wanted.length) return void wrong(matched, `repeated ${what}`);
  const expected = values.length === wanted.length ? wanted : needed;
  for (const [index, value] of values.entries()) {
    const found = expected[index] === undefined ? undefined : fill(expected[index], value);
    if (found === undefined) wrong(matched, `wrong ${what}: it should be ${wanted.map(describe).join(', ')}`);
    else matched.filled.push(...found);
  }
}

function matchHeaders({ headers }: Route, request: Incoming, matched: Matched): void {
  for (const [name, wanted] of headers) {
    const value = request.headers[name];
    if (wanted === null) {
      // Every client sends an Accept of its own.
      if (value !== undefined && name !== 'accept' && name !== 'content-type') wrong(matched, `unexpected header ${name}`);
    } else if (name === 'content-type' || name === 'accept') {
      const free = name === 'accept' ? value === '*/*' : value === undefined && request.body === '';
      if (!free && !(value !== undefined && sameMedia(value, describe(wanted))))
        wrong(matched, `wrong header ${name}`, name === 'accept' ? 406 : 415);
    } else {
      matchEntry(`header ${name}`, [wanted], value === undefined ? [] : [value], matched);
    }
  }
}

const sameMedia = (given: string, wanted: string): boolean => mediaType(given) === mediaType(wanted);

/** RFC 9110, 15.5.16 and 15.5.7. Without media_type of the spec: JSON in, unless the body is of another form. */
function matchMedia(route: Route, { headers, body }: Incoming, matched: Matched): void {
  const given = mediaType(headers['content-type']);
  const wanted = route.mediaType?.toLowerCase();
  const accepted = (headers.accept ?? '*/*').toLowerCase();
  // A media type of the provider's own must be named; plain JSON is also meant by the usual wildcards.
  const fits = wanted === undefined ? ['application/json', 'application/*', '*/*', '+json'] : [wanted];
  if (
    !route.headers.has('accept') &&
    route.call.decode !== 'xml' &&
    chainOf(route).length === 0 &&
    !fits.some((type) => accepted.includes(type))
  )
    wrong(matched, `Accept must be ${wanted ?? 'application/json'}`, 406);
  if (body === '' || route.headers.has('content-type')) return;
  const sent = wanted ?? BODY_TYPES[route.encode];
  if (sent !== undefined && given !== sent) wrong(matched, `Content-Type must be ${sent}`, 415);
}

const BODY_TYPES: Partial<Record<Route['encode'], string>> = {
  json: 'application/json',
  graphql: 'application/json',
  form: 'application/x-www-form-urlencoded',
};

function matchBody(route: Route, { body: text }: Incoming, matched: Matched): void {
  const expected = route.body !== undefined && route.body !== null && route.encode !== 'query';
  if (!expected && (text === '' || route.sent.length > 0)) return;
  if (route.encode === 'text' || (route.encode === 'xml' && typeof route.body === 'string')) {
    matchEntry('body', [pattern(String(route.body), route.view)], [text], matched);
    return;
  }
  const parsed = route.encode === 'form' ? formData(text, matched) : jsonData(text, matched);
  if (parsed === undefined) return;
  matched.body = parsed;
  if (isDataMap(parsed)) for (const name of route.sent) delete parsed[name];
  if (route.encode === 'graphql') matchGraphql(route, parsed, matched);
  else compare(route, route.body ?? {}, parsed, [], matched);
}

function formData(text: string, matched: Matched): Data | undefined {
  const entries = pairs(text);
  const names = entries.map(([name]) => name);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) return void wrong(matched, `repeated parameter: ${repeated}`);
  return Object.fromEntries(entries);
}

function jsonData(text: string, matched: Matched): Data | undefined {
  try {
    return JSON.parse(text) as Data;
  } catch {
    return void wrong(matched, 'the body is no JSON');
  }
}

/** Walks the spec's body and the request's together. */
function compare(route: Route, wanted: unknown, given: Data | undefined, at: string[], matched: Matched): void {
  const name = at.length === 0 ? 'body' : `body.${at.join('.')}`;
  if (route.targets.has(name)) return;
  if (typeof wanted === 'string') return void compareText(route, wanted, given, name, matched);
  if (Array.isArray(wanted)) {
    if (!Array.isArray(given) || given.length !== wanted.length) return void wrong(matched, `${name} should be a list of ${wanted.length}`);
    for (const [index, item] of wanted.entries()) compare(route, item, given[index], [...at, String(index)], matched);
  } else if (typeof wanted === 'object' && wanted !== null) {
    if (!isDataMap(given)) return void wrong(matched, `${name} should be an object`);
    const map = wanted as { [key: string]: unknown };
    for (const [key, item] of Object.entries(map)) if (item !== null) compare(route, item, pick(given, [key]), [...at, key], matched);
    for (const key of Object.keys(given)) {
      const path = [...at, key].join('.');
      const known =
        (Object.hasOwn(map, key) && map[key] !== null) || [...route.targets].some((target) => `${target}.`.startsWith(`body.${path}.`));
      if (!known) wrong(matched, `unexpected body.${path}`);
    }
  } else if (given !== wanted) wrong(matched, `${name} should be ${String(wanted)}`);
}

function compareText(route: Route, wanted: string, given: Data | undefined, name: string, matched: Matched): void {
  const values = given === undefined ? [] : [typeof given === 'object' && given !== null ? JSON.stringify(given) : String(given)];
  matchEntry(name, [pattern(wanted, route.view)], values, matched);
}

function leaves(body: unknown): [string, unknown][] {
  return typeof body === 'object' && body !== null ? Object.entries(body) : [];
}
