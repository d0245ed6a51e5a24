import { type Answer, json, placeOf, Refused } from './answer.ts';
import { type Data, type DataMap, isDataMap, pick, plant, plantRecords, segments } from './data.ts';
import { type Dataset, isSingle, recordsAt } from './dataset.ts';
import { type Slice, slice, surround } from './paging.ts';
import type { Filled } from './pattern.ts';
import { avoid, type Parts } from './planting.ts';
import { lookupsIn, splitText } from './reading.ts';
import type { Incoming } from './request.ts';
import type { Route } from './route.ts';

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
  const body = route.stream === undefined ? besides(asking, dataset) : collection(asking, dataset, headers);
  return json(200, withoutError(route, withAccount(route, body)), headers);
}

function collection(asking: Asking, dataset: Dataset, headers: Record<string, string>): Data {
  const { route, request, filled, repeatPage } = asking;
  const stream = route.stream!;
  const parent = stream.parent === undefined ? undefined : parentIndex(asking, dataset);
  const { start, count } = dataset.share(stream.name, parent);
  const at = recordsAt(stream.records);
  if (isSingle(stream)) return plant({}, at, dataset.record(stream.name, start, filled));
  const key = `${stream.name} ${parent ?? ''}`;
  const behind = (said: string): number | undefined => {
    const index = dataset.placed(stream.name, said);
    return index === undefined || index < start || index >= start + count ? undefined : index - start + 1;
  };
  const asked = slice(route, { request, body: asking.body, key, behind });
  const wanted = repeatPage && byPlace(route) ? { ...asked, offset: 0, begin: 0 } : asked;
  const records = page(dataset, stream.name, start, count, wanted, filled);
  const body = plantRecords(undefined, at, records);
  return surround(route, body, headers, {
    count,
    slice: wanted,
    key,
    origin: asking.origin,
    request,
    repeat: repeatPage && !byPlace(route),
  });
}

/** Whether the request itself says the place, so that no word of the answer can lead back to it. */
const byPlace = ({ paginate }: Route): boolean => ['page', 'offset', 'keyset'].includes(paginate.type);

function page(dataset: Dataset, name: string, start: number, count: number, { offset, size }: Slice, filled: Filled[]): DataMap[] {
  const records: DataMap[] = [];
  for (let index = offset; index < Math.min(offset + size, count); index++) records.push(dataset.record(name, start + index, filled));
  return records;
}

function parentIndex({ route, filled }: Asking, dataset: Dataset): number {
  const { parent } = route.stream!;
  const found = dataset.find(parent!, filled);
  const named = filled.filter(({ hole }) => hole.startsWith('parent.')).map(({ value }) => value);
  if (found === undefined) throw new Refused(404, `${parent} has no ${named.join(', ')}`);
  return found;
}

/** Check and options: the records of the stream that has the same address, else an object of their own. */
function besides({ route, filled }: Asking, dataset: Dataset): Data {
  if (route.like !== undefined && route.like.parent === undefined) {
    const { name, records } = route.like;
    if (isSingle(route.like)) return plant({}, recordsAt(records), dataset.record(name, 0, filled));
    const size = route.purpose === 'check' ? 1 : Number.POSITIVE_INFINITY;
    return plantRecords(undefined, recordsAt(records), page(dataset, name, 0, dataset.total(name), { offset: 0, size, begin: 0 }, filled));
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
