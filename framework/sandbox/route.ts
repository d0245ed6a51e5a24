import { FerruleError } from '../core/errors.ts';
import type { DecodeChain, ResolvedCall, ResolvedStream } from '../core/resolved.ts';
import type { Paginate } from '../core/spec-types.gen.ts';
import type { Encode } from '../core/value.ts';
import { inPoll, type JobPart, jobCalls } from './job-routes.ts';
import { fixed, type Pattern, pattern } from './pattern.ts';
import { splitText } from './reading.ts';
import type { View } from './view.ts';

/** A call of the auth method's own: a step, or what ends its grant or session. */
type Own = 'step' | 'ending';

/** One call of the spec as the provider sees it arrive. */
export interface Route {
  view: View;
  purpose: 'stream' | 'job' | 'check' | 'options' | Own;
  /** Which call of a job it is. */
  part: JobPart | undefined;
  call: ResolvedCall;
  stream: ResolvedStream | undefined;
  /** Another purpose under a stream's address answers with that stream's records. */
  like: ResolvedStream | undefined;
  method: string;
  origin: string;
  segments: Pattern[];
  query: Map<string, Pattern[]>;
  /** Lower-case names; null: must not be there. */
  headers: Map<string, Pattern | null>;
  /** A step's own. */
  cookies: Map<string, Pattern>;
  body: unknown;
  /** Entries of the body that `send` puts there: the gate's business. */
  sent: readonly string[];
  encode: Encode;
  mediaType: string | undefined;
  paginate: Paginate;
  /** Targets that the paginator writes: `query.page`, `body.nextToken`. */
  targets: ReadonlySet<string>;
  weight: number;
}

/** How the route's answer is written; empty: JSON. */
export function chainOf({ stream, part }: Route): DecodeChain {
  const own = part === 'download' ? (stream?.job?.download?.chain ?? []) : [];
  if (own.length > 0) return own;
  return part === undefined || part === 'download' ? (stream?.chain ?? []) : [];
}

/** The query name under which the sandbox's own next links carry their place. */
export const LINK_PLACE = 'sandbox_page';

/** Every API call of a view, the most specific first. */
export function apiRoutes(view: View): Route[] {
  const { resolved } = view;
  const streams = Object.values(resolved.streams)
    .filter((stream) => offered(stream, view))
    .flatMap((stream) =>
      stream.job === undefined
        ? [route(view, 'stream', stream, stream)]
        : jobCalls(stream, view).map(({ part, call }) => route(view, 'job', call, stream, part)),
    );
  const other = (purpose: 'check' | 'options', call: ResolvedCall): Route => {
    const made = route(view, purpose, call, undefined);
    const like = streams.find(
      (one) => one.method === made.method && samePath(one, made) && one.part === undefined && one.stream?.encode !== 'graphql',
    );
    return { ...made, like: like?.stream };
  };
  const options = resolved.fields.flatMap(({ options }) => (options?.call === undefined ? [] : [other('options', options.call)]));
  const check = resolved.check === undefined ? [] : [other('check', resolved.check)];
  return [...streams, ...options, ...check].sort((a, b) => b.weight - a.weight);
}

export function offered(stream: ResolvedStream, view: View): boolean {
  if (stream.when === undefined) return true;
  const text = pattern(stream.when, view).pieces;
  return !(text.length === 1 && 'text' in text[0]! && text[0].text === 'false');
}

const samePath = (a: Route, b: Route): boolean => a.origin === b.origin && JSON.stringify(a.segments) === JSON.stringify(b.segments);

export function route(
  from: View,
  purpose: Route['purpose'],
  call: ResolvedCall,
  stream: ResolvedStream | undefined,
  part?: JobPart,
): Route {
  const view = stream === undefined ? beforeChoosing(from) : withWindow(from, stream);
  const { http, method } = view.resolved;
  const own = purpose === 'step' || purpose === 'ending';
  const absolute = /^https?:\/\//.test(call.url) || (own && call.url.startsWith('${'));
  const text = absolute ? call.url : `${http.base_url.replace(/\/+$/, '')}/${call.url.replace(/^\/+/, '')}`;
  const [path = '', search] = text.split('?');
  // A job's pages are those of its result.
  const paged = part === undefined || part === 'download' || (part === 'poll' && inPoll(stream!));
  const paginate: Paginate = (paged ? stream?.paginate : undefined) ?? { type: 'none' };
  const targets = targetsOf(paginate);
  const { origin, segments } = locate(path, view);
  const alone = own || leaves(part, origin, view);
  const inherited = alone ? { query: {}, headers: {} } : { query: http.query, headers: { ...http.headers } };
  const query = queryOf({ ...inherited.query, ...inUrl(search), ...call.query }, targets, view);
  return {
    view,
    purpose,
    part,
    call,
    stream,
    like: undefined,
    method: call.method,
    origin,
    segments,
    query,
    headers: headersOf(inherited.headers, alone ? {} : method.send.headers, call.headers, view),
    cookies: new Map(Object.entries(call.cookies).map(([name, cookie]) => [name, pattern(cookie, view)])),
    body: call.body,
    sent: alone ? [] : Object.keys((method.send.body ?? {}) as object),
    encode: call.encode,
    mediaType:
      call.media_type === undefined
        ? undefined
        : pattern(call.media_type, view)
            .pieces.map((piece) => ('text' in piece ? piece.text : ''))
            .join(''),
    paginate,
    targets,
    weight: segments.reduce((sum, one) => sum + fixed(one), 0) + [...query.values()].flat().reduce((sum, one) => sum + 1 + fixed(one), 0),
  };
}

/** Whether a request goes where no credential of the API's may go: a result on another host. */
export const leaves = (part: JobPart | undefined, origin: string, { origin: api, resolved }: View): boolean =>
  part === 'download' && origin !== api && !resolved.http.hosts.some((host) => new URL(origin).host === host.replace(/^https:\/\//, ''));

/** The first read has no beginning where the spec gives none, and a range without an end has no end. */
const withWindow = (view: View, { cursor }: ResolvedStream): View => ({
  ...view,
  mayBeAbsent: (keys) => {
    if (keys[0] !== 'window') return view.mayBeAbsent(keys);
    if (keys[1]?.startsWith('end')) return cursor?.window === undefined;
    const [only, ...more] = splitText(cursor?.start ?? '');
    if (only === undefined) return true;
    return more.length === 0 && 'expr' in only && (only.expr.type !== 'path' || view.mayBeAbsent(only.expr.keys));
  },
});

/** Check and options may come before the person has chosen what is asked for after auth. */
const beforeChoosing = (view: View): View => ({
  ...view,
  mayBeAbsent: (keys) => view.mayBeAbsent(keys) || (keys[0] === 'fields' && view.field(keys[1] ?? '')?.after === 'auth'),
});

const inUrl = (search: string | undefined): Record<string, string> =>
  search === undefined
    ? {}
    : Object.fromEntries(search.split('&').map((pair) => [pair.split('=')[0]!, pair.split('=').slice(1).join('=')]));

/**
 * Origin and path segments of a URL text. What stands in a host is known without a request, so the origin is in the
 * first literal part; known values in the path may hold several segments (`api/v2`).
 */
function locate(text: string, view: View): { origin: string; segments: Pattern[] } {
  const pieces: Pattern['pieces'] = [];
  for (const piece of pattern(text, view).pieces) {
    const last = pieces.at(-1);
    if ('text' in piece && last !== undefined && 'text' in last) pieces[pieces.length - 1] = { text: last.text + piece.text };
    else pieces.push(piece);
  }
  const [head, ...rest] = pieces;
  const match = head !== undefined && 'text' in head ? /^(https?:\/\/[^/]+)\/?(.*)$/s.exec(head.text) : null;
  if (match === null) throw new FerruleError('not_supported', `The sandbox can't work out the host of ${text}`, { where: text });
  const segments: Pattern[] = [{ pieces: [], optional: false, absent: false }];
  for (const piece of [{ text: match[2]! }, ...rest]) {
    const [same, ...next] = 'text' in piece ? piece.text.split('/') : [piece];
    if (same !== '') segments.at(-1)!.pieces.push(typeof same === 'string' ? { text: same } : same!);
    for (const segment of next)
      segments.push({ pieces: segment === '' ? [] : [{ text: String(segment) }], optional: false, absent: false });
  }
  return { origin: new URL(match[1]!).origin, segments };
}

function queryOf(entries: Record<string, string | string[] | null>, targets: ReadonlySet<string>, view: View): Map<string, Pattern[]> {
  const found = new Map<string, Pattern[]>();
  for (const [name, value] of Object.entries(entries)) {
    if (value === null || targets.has(`query.${name}`)) continue;
    found.set(
      name,
      [value].flat().map((text) => pattern(String(text), view)),
    );
  }
  return found;
}

/** http ← send ← call. What `send` puts there is the gate's business, unless the call has its own. */
function headersOf(
  http: Record<string, string | null>,
  send: Record<string, string | null>,
  call: Record<string, string | null>,
  view: View,
): Map<string, Pattern | null> {
  const found = new Map<string, Pattern | null>();
  const put = (name: string, text: string | null): unknown =>
    found.set(name.toLowerCase(), text === null ? null : pattern(String(text), view));
  for (const [name, text] of Object.entries(http)) if (text !== null) put(name, text);
  for (const name of Object.keys(send)) found.delete(name.toLowerCase());
  for (const [name, text] of Object.entries(call)) put(name, text);
  return found;
}

function targetsOf(paginate: Paginate): Set<string> {
  const written = [
    'page' in paginate ? paginate.page : undefined,
    'offset' in paginate ? paginate.offset : undefined,
    'into' in paginate ? paginate.into : undefined,
    'size' in paginate ? paginate.size : undefined,
    'restart' in paginate ? paginate.restart?.into : undefined,
  ];
  const links = paginate.type === 'next_url' || paginate.type === 'link_header';
  return new Set([...written.filter((target) => target !== undefined), ...(links ? [`query.${LINK_PLACE}`] : [])]);
}
