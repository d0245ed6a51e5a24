import { pick, segments } from './data.ts';
import type { Dataset } from './dataset.ts';
import type { Filled } from './pattern.ts';
import type { Route } from './route.ts';
import type { View } from './view.ts';

const FORMS: Record<string, RegExp> = {
  date: /^\d{4}-\d\d-\d\d$/,
  datetime: /^\d{4}-\d\d-\d\dT/,
  integer: /^-?\d+$/,
  number: /^-?\d+(\.\d+)?$/,
  boolean: /^(true|false)$/,
};

/** What is wrong with a value that came from a field of the connection: its form, or an option that is not offered. */
export function wrongField({ hole, value }: Filled, route: Route, dataset: Dataset): string | undefined {
  const [root, name = '', ...more] = hole.split('.');
  if (root !== 'fields' || more.length > 0) return undefined;
  const field = route.view.field(name);
  if (field === undefined || field.of === 'method') return undefined;
  if (FORMS[field.type]?.test(value) === false) return `${value} is no ${field.type}`;
  const offered = offeredValues(route.view, name, dataset);
  return offered === undefined || offered.includes(value) ? undefined : `there is no ${name} ${value}`;
}

const known = new WeakMap<Dataset, { version: number; values: Map<string, string[] | undefined> }>();

/** The values that a field's option list gives; undefined when it has none. */
export function offeredValues(view: View, name: string, dataset: Dataset): string[] | undefined {
  const { version } = dataset;
  const before = known.get(dataset);
  const { values } = before?.version === version ? before : { values: new Map<string, string[] | undefined>() };
  known.set(dataset, { version, values });
  if (!values.has(name)) values.set(name, offeredNow(view, name, dataset));
  return values.get(name);
}

function offeredNow(view: View, name: string, dataset: Dataset): string[] | undefined {
  const options = view.field(name)?.options;
  if (options === undefined) return undefined;
  if (options.list !== undefined) return options.list.map(({ value }) => value);
  const like = Object.values(view.resolved.streams).find(({ url, parent }) => url === options.call?.url && parent === undefined);
  if (like === undefined) return ['1001', '1002', '1003'];
  return Array.from(dataset.indexes(like.name), (index) => String(pick(dataset.record(like.name, index), segments(options.value))));
}
