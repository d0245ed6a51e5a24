import type { PaginateRestart } from '../core/spec-types.gen.ts';
import { placeOf, Refused } from './answer.ts';
import { type Data, pick, plant } from './data.ts';
import { lookupsIn } from './reading.ts';
import type { Incoming } from './request.ts';
import { LINK_PLACE, type Route } from './route.ts';

/** Which records of a collection a request asks for. */
export interface Slice {
  offset: number;
  size: number;
  /** Where the list begins that this request asks for: 0, but after a restart. */
  begin: number;
}

/** A page size that the spec does not send: what providers take when they are not asked. */
const UNASKED = 100;
const LARGEST_UNSAID = 1000;

export interface Asked {
  request: Incoming;
  body: Data;
  /** Names the collection. */
  key: string;
  /** The place behind the record that a request names; undefined when there is none such. */
  behind(said: string): number | undefined;
}

export function slice(route: Route, { request, body, key, behind }: Asked): Slice {
  const { paginate } = route;
  if (paginate.type === 'none') return { offset: 0, size: Number.POSITIVE_INFINITY, begin: 0 };
  const value = (target: string | undefined): string | undefined => (target === undefined ? undefined : valueAt(target, request, body));
  const size = sizeOf(paginate.page_size, paginate.size, value(paginate.size));
  /** A value that the call itself begins with (`since_id: 0`) stands for the beginning. */
  const placeBehind = (target: string): number => {
    const said = value(target);
    const own = ownAt(route, target);
    const place = said === undefined || said === own ? 0 : behind(said);
    if (place === undefined && own === undefined) throw new Refused(400, `${target} is no key of this list`);
    return place ?? 0;
  };
  const numbered = (skip: number, restart: PaginateRestart | undefined): Slice => {
    if (restart !== undefined && skip + size > restart.at)
      throw new Refused(400, `No more than ${restart.at} rows: ${skip} and ${size} more lie beyond`);
    const begin = restart === undefined ? 0 : placeBehind(restart.into);
    return { offset: begin + skip, size, begin };
  };
  switch (paginate.type) {
    case 'page': {
      const start = paginate.start ?? 1;
      const page = whole(value(paginate.page), paginate.page, start);
      if (page < start) throw new Refused(400, `${paginate.page} begins at ${start}`);
      return numbered((page - start) * size, paginate.restart);
    }
    case 'offset':
      return numbered(whole(value(paginate.offset), paginate.offset, 0), paginate.restart);
    case 'next_token':
      return { offset: placeIn(value(paginate.into), key, paginate.into), size, begin: 0 };
    case 'keyset':
      return { offset: placeBehind(paginate.into), size, begin: 0 };
    default:
      return { offset: placeIn(value(`query.${LINK_PLACE}`), key, 'the link'), size, begin: 0 };
  }
}

/** More than the provider's most is cut down without a word, as most do: who counts on the size asked for then loses records. */
function sizeOf(most: number | undefined, target: string | undefined, given: string | undefined): number {
  const largest = most ?? LARGEST_UNSAID;
  if (target === undefined) return most ?? UNASKED;
  const size = whole(given, target, Math.min(most ?? UNASKED, 20));
  if (size < 1) throw new Refused(400, `${target} must be at least 1`);
  return Math.min(size, largest);
}

function whole(text: string | undefined, target: string, unsaid: number): number {
  if (text === undefined) return unsaid;
  if (!/^\d{1,9}$/.test(text)) throw new Refused(400, `${target} must be a whole number`);
  return Number(text);
}

function valueAt(target: string, request: Incoming, body: Data): string | undefined {
  const [part, ...rest] = target.split('.');
  const name = rest.join('.');
  if (part === 'query') return request.query.find(([key]) => key === name)?.[1];
  if (part === 'headers') return request.headers[name.toLowerCase()];
  if (part === 'cookies') return request.cookies[name];
  const value = pick(body, rest);
  return value === undefined || value === null ? undefined : String(value);
}

/** What the call itself has at a target, as it is written. */
function ownAt({ call }: Route, target: string): string | undefined {
  const [part, ...names] = target.split('.');
  const name = names.join('.').toLowerCase();
  const entries = part === 'query' ? call.query : part === 'headers' ? call.headers : call.cookies;
  const own = part === 'body' ? pick(call.body as Data, names) : Object.entries(entries).find(([key]) => key.toLowerCase() === name)?.[1];
  return own === undefined || own === null ? undefined : String(own);
}

/** A page token: a place in one collection, in base64 with its odd characters, so that one that was not encoded fails. */
const token = (offset: number, key: string): string => `${Buffer.from(`${offset} ${key}`).toString('base64')}+/=`;

function placeIn(text: string | undefined, key: string, what: string): number {
  if (text === undefined || text === '') return 0;
  const [offset, ...of] = Buffer.from(text.replace(/\+\/=$/, ''), 'base64')
    .toString('utf8')
    .split(' ');
  const wellFormed = text.endsWith('+/=') && of.join(' ') === key && /^\d+$/.test(offset ?? '');
  if (!wellFormed) throw new Refused(400, `${what} is not a page token of this list`);
  return Number(offset);
}

export interface Surroundings {
  /** All records of the collection. */
  count: number;
  slice: Slice;
  key: string;
  /** Where the request came to, for absolute links. */
  origin: string;
  request: Incoming;
  /** Say the same place again. */
  repeat: boolean;
}

/** Puts what the paginator reads into the answer: total, token, link. */
export function surround(route: Route, body: Data, headers: Record<string, string>, around: Surroundings): Data {
  const { paginate } = route;
  const next = around.repeat ? around.slice.offset : around.slice.offset + around.slice.size;
  // A provider with a ceiling counts up to it, and says that this is all.
  const { begin } = around.slice;
  const end = Math.min(around.count, 'restart' in paginate && paginate.restart !== undefined ? begin + paginate.restart.at : around.count);
  const more = around.repeat || next < end;
  let result = body;
  const put = (path: string, value: Data): void => {
    const header = path.startsWith('${') ? lookupsIn(path, 'response').find(([part]) => part === 'headers')?.[1] : undefined;
    if (header === undefined) result = plant(result, placeOf(path), value);
    else if (value !== null) headers[header] = String(value);
  };
  if ('total' in paginate && paginate.total !== undefined) put(paginate.total, end - begin);
  if ('total_pages' in paginate && paginate.total_pages !== undefined)
    put(paginate.total_pages, Math.ceil((end - begin) / around.slice.size));
  // The last page has no token at all, as with the providers at hand.
  if (paginate.type === 'next_token' && more) put(paginate.from, token(next, around.key));
  if (paginate.type === 'next_url') put(paginate.from, more ? link(route, next, around) : null);
  if (paginate.type === 'link_header' && more) headers.link = `<${link(route, next, around)}>; rel="${paginate.rel ?? 'next'}"`;
  if ('more' in paginate && paginate.more !== undefined) put(paginate.more, more);
  return result;
}

/** The request's own address with another place; a credential in the query is not repeated. */
function link(route: Route, offset: number, { origin, request, key }: Surroundings): string {
  const dropped = new Set([LINK_PLACE, ...Object.keys(route.view.resolved.method.send.query)]);
  const query = new URLSearchParams(request.query.filter(([name]) => !dropped.has(name)));
  query.append(LINK_PLACE, token(offset, key));
  return `${origin}${request.path}?${query}`;
}
