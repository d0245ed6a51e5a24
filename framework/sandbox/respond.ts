import { type Answer, json, placeOf, Refused } from './answer.ts';
import { type Data, type DataMap, isDataMap, pick, plant, plantRecords, segments } from './data.ts';
import type { Dataset } from './dataset.ts';
import { encoded } from './encoding.ts';
import { type Slice, slice, surround } from './paging.ts';
import type { Filled } from './pattern.ts';
import { avoid, type Parts } from './planting.ts';
import { lookupsIn, splitText } from './reading.ts';
import type { Incoming } from './request.ts';
import { chainOf, type Route } from './route.ts';
import type { Sequence } from './sequence.ts';
import { recordsAt } from './shape.ts';
import { EVERYTHING, rangeSaid } from './window.ts';

export interface Asking {
  route: Route;
  request: Incoming;
  filled: Filled[];
  body: Data;
  /** The origin under which the client reached the sandbox, for links in answers. */
  origin: string;
  repeatPage: boolean;
}

/** The answer to a request that is right. */
export function respond(asking: Asking, dataset: Dataset): Answer {
  const { route } = asking;
  const headers: Record<string, string> = {};
  if (route.mediaType !== undefined) headers['content-type'] = route.mediaType;
  if (route.stream === undefined) return json(200, finished(route, besides(asking, dataset)), headers);
  const { body, rows } = collection(asking, dataset, headers);
  const chain = chainOf(route);
  if (chain.length === 0) return json(200, finished(route, body), headers);
  const { name } = route.stream;
  const { bytes, type } = encoded(chain, { body: finished(route, body), rows, columns: columnsOf(dataset, name), name });
  return { status: 200, headers: { ...headers, 'content-type': type }, body: '', bytes };
}

/** The body with what the spec's other rules look for in it. */
export const finished = (route: Route, body: Data): Data => withoutError(route, withAccount(route, body));

/** Those of the first record that was ever there: a file of no rows has them too. */
function columnsOf(dataset: Dataset, name: string): string[] {
  const { initial, shape } = dataset.plan(name);
  return initial === 0 ? shape.columns.map(([column]) => column) : Object.keys(dataset.record(name, 0));
}

interface Collected {
  body: Data;
  rows: DataMap[];
}

/** The records that a request asks for, in the answer around them. */
export function collection(asking: Asking, dataset: Dataset, headers: Record<string, string>): Collected {
  const { route, request, filled, repeatPage } = asking;
  const stream = route.stream!;
  const part = dataset.part(stream.name, filled);
  if (typeof part === 'string') throw new Refused(404, part);
  const range = rangeSaid(filled, stream.cursor);
  const list = dataset.list(stream.name, part, range);
  const at = recordsAt(stream.records);
  if (dataset.plan(stream.name).single) return single(dataset, stream.name, list, at, filled);
  const key = `${stream.name} ${part}${range === EVERYTHING ? '' : ` ${range.from} ${range.before}`}`;
  const behind = (said: string): number | undefined => {
    const index = dataset.placed(stream.name, said);
    return index === undefined ? undefined : list.behind(index);
  };
  const asked = slice(route, { request, body: asking.body, key, behind });
  const wanted = repeatPage && byPlace(route) ? { ...asked, offset: 0, begin: 0 } : asked;
  const rows = page(dataset, stream.name, list, wanted, filled);
  const body = surround(route, plantRecords(undefined, at, rows), headers, {
    count: list.count,
    slice: wanted,
    key,
    origin: asking.origin,
    request,
    repeat: repeatPage && !byPlace(route),
  });
  return { body, rows };
}

function single(dataset: Dataset, name: string, list: Sequence, at: string[], filled: Filled[]): Collected {
  if (list.count === 0) throw new Refused(404, `There is no ${name}`);
  const record = dataset.record(name, list.at(0), filled);
  return { body: plant({}, at, record), rows: [record] };
}

/** Whether the request itself says the place, so that no word of the answer can lead back to it. */
const byPlace = ({ paginate }: Route): boolean => ['page', 'offset', 'keyset'].includes(paginate.type);

function page(dataset: Dataset, name: string, list: Sequence, { offset, size }: Slice, filled: Filled[]): DataMap[] {
  const records: DataMap[] = [];
  for (let position = offset; position < Math.min(offset + size, list.count); position++)
    records.push(dataset.record(name, list.at(position), filled));
  return records;
}

/** Check and options: the records of the stream that has the same address, else an object of their own. */
function besides({ route, filled }: Asking, dataset: Dataset): Data {
  if (route.like !== undefined && route.like.parent === undefined) {
    const { name, records } = route.like;
    const list = dataset.list(name, 0);
    if (dataset.plan(name).single) return single(dataset, name, list, recordsAt(records), filled).body;
    const size = route.purpose === 'check' ? 1 : Number.POSITIVE_INFINITY;
    return plantRecords(undefined, recordsAt(records), page(dataset, name, list, { offset: 0, size, begin: 0 }, filled));
  }
  const options = route.view.resolved.fields.map((field) => field.options).find((one) => one?.call?.url === route.call.url);
  if (route.purpose === 'options' && options !== undefined) return plantRecords(undefined, segments(options.records), items(options));
  if (route.call.encode === 'graphql') return { data: { __typename: 'Query' } };
  return { id: 1001, name: `${route.view.resolved.title} (sandbox)` };
}

function items({ value, label }: { value: string; label: string }): Data[] {
  return [1, 2, 3].map((number) => {
    let item: Data = plant({}, segments(value), String(1000 + number));
    for (const path of lookupsIn(label, 'item')) if (pick(item, path) === undefined) item = plant(item, path, `Option ${number}`);
    return item;
  });
}

/** What tells an error from an answer where the status does not, such as `ok`. */
function withoutError({ view }: Route, body: Data): Data {
  if (!isDataMap(body)) return body;
  const parts: Parts = { body, headers: {}, cookies: [] };
  for (const { when } of view.resolved.http.errors.rules ?? [])
    for (const part of splitText(when ?? '')) if ('expr' in part) avoid(parts, part.expr, view.lookup);
  return parts.body ?? body;
}

/** The place that the check shows as the account has something in it. */
function withAccount(route: Route, body: Data): Data {
  const { check } = route.view.resolved;
  if (route.purpose === 'stream' && route.stream?.url !== check?.url) return body;
  if (check?.account === undefined || Array.isArray(body)) return body;
  const places = check.account.startsWith('${')
    ? lookupsIn(check.account, 'response').flatMap(([part, ...rest]) => (part === 'body' ? [rest] : []))
    : [placeOf(check.account)];
  if (places.some((place) => pick(body, place) !== undefined)) return body;
  const name = route.view.fields.username ?? `${route.view.resolved.title} (sandbox)`;
  return isDataMap(body) ? plant(body, places.at(-1) ?? ['name'], name) : body;
}
