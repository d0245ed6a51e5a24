import { type Data, isDataMap, pick } from './data.ts';
import type { Matched } from './match.ts';
import { type Filled, fill, pattern } from './pattern.ts';
import type { Route } from './route.ts';

/**
 * A GraphQL endpoint has one address for all: the query says which stream is meant. Problems are of status 200, as
 * GraphQL answers them; a query of another stream counts more than a variable that is missing, so that the nearest
 * stream's words are given.
 */
export function matchGraphql(route: Route, body: Data, matched: Matched): void {
  const wrong = (message: string): unknown => matched.problems.push({ status: 200, message });
  const query = pick(body, ['query']);
  if (typeof query !== 'string') return void wrong('Must provide query string.');
  const wanted = (route.body as { query?: unknown } | undefined)?.query;
  if (typeof wanted !== 'string' || plain(wanted) !== plain(query)) {
    const message = 'The sandbox answers only the queries of the spec, and this is none of them.';
    for (let weight = 0; weight < 10; weight++) wrong(message);
    return;
  }
  const found = variables(route, query, pick(body, ['variables']));
  if (Array.isArray(found)) matched.filled.push(...found);
  else wrong(found.error);
}

/** White space and commas say nothing in GraphQL (October 2021, 2.1.2 and 2.1.7), but for those in strings. */
const plain = (query: string): string => query.replace(/("(?:\\.|[^"\\])*")|[\s,]+/g, (_, text?: string) => text ?? ' ').trim();

/** Every variable that the query wants is there, and none that it does not declare. */
function variables(route: Route, query: string, given: Data | undefined): Filled[] | { error: string } {
  const declared = [...query.matchAll(/\$(\w+)\s*:\s*([\w[\]]+!*)(\s*=)?/g)].map(([, name, type, preset]) => ({
    name: name!,
    needed: type!.endsWith('!') && preset === undefined,
  }));
  const values = isDataMap(given) ? given : {};
  for (const { name, needed } of declared) {
    if (needed && (values[name] === undefined || values[name] === null)) return { error: `Variable "$${name}" was not provided.` };
  }
  const stray = Object.keys(values).find((name) => !declared.some((one) => one.name === name));
  if (stray !== undefined) return { error: `Variable "$${stray}" is not declared by the query.` };
  const filled: Filled[] = [];
  const texts = (route.body as { variables?: { [key: string]: unknown } }).variables ?? {};
  for (const [path, text] of leaves(texts)) {
    const value = pick(values, path);
    if (value === undefined || value === null || route.targets.has(`body.variables.${path.join('.')}`)) continue;
    const found = fill(pattern(text, route.view), typeof value === 'object' ? JSON.stringify(value) : String(value));
    if (found === undefined) return { error: `Variable "$${path[0]}" has a value of the wrong form.` };
    filled.push(...found);
  }
  return filled;
}

/** Every text of the spec's variables, in lists and input objects too, and where it is. */
function leaves(value: unknown, path: string[] = []): [path: string[], text: string][] {
  if (typeof value === 'string') return [[path, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) => leaves(item, [...path, name]));
}
