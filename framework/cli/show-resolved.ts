import { anySelection } from '../docs/describe.ts';
import { isMap, type Origins, type Plain } from '../spec/merge.ts';
import { resolve } from '../spec/resolve.ts';
import type { Arguments } from './arguments.ts';
import type { FoundSpec } from './catalogue.ts';
import { type Io, print } from './io.ts';
import { printJson } from './json-output.ts';
import { type SpecLine, specLines } from './spec-line.ts';
import { styleOf } from './style.ts';

interface Leaf {
  /** Dot-joined path in the resolved spec. */
  path: string;
  value: unknown;
  /** `file:line` where it is written, or `built-in`, or `type oauth2_…`. */
  origin: string;
}

/** `show --resolved`: each leaf of what the runtime works on, and where it comes from. */
export async function printResolved(found: FoundSpec, args: Arguments, io: Io): Promise<number> {
  const { spec } = found;
  const origins: Origins = new Map();
  const method = args.text('method');
  const asked = { ...(method !== undefined && { method }), choices: args.pairs('choice') };
  const resolved = resolve(spec, { ...anySelection(spec, asked), origins });
  const where = specLines(found, origins, io.cwd);
  const { http, check, method: chosen } = resolved;
  // A stream's name is in the path already.
  const streams = Object.fromEntries(Object.entries(resolved.streams).map(([key, { name: _name, ...stream }]) => [key, stream]));
  const { send, token, refresh, ...plain } = chosen;
  const methodAt = `auth.${chosen.name}`;
  const leaves = [
    ...collect({ http, check, streams } as unknown as Plain, '', where),
    ...collect({ ...plain, send, token, refresh } as unknown as Plain, methodAt, where),
  ];
  if (args.flag('json')) {
    await printJson(io, { name: spec.name, method: chosen.name, choices: resolved.choices, values: leaves });
    return 0;
  }
  const style = styleOf(io.stdout, io.env);
  const chosenWords = Object.entries(resolved.choices).map(([choice, { id }]) => `${choice}=${id}`);
  await print(io.stderr, `method ${chosen.name}${chosenWords.length > 0 ? `, ${chosenWords.join(', ')}` : ''}\n`);
  for (const { path, value, origin } of leaves) {
    await print(io.stdout, `${path}: ${style.cyan(shown(value))}  ${style.dim(`# ${origin}`)}\n`);
  }
  return 0;
}

function collect(value: Plain, at: string, where: SpecLine): Leaf[] {
  return Object.entries(value).flatMap(([key, item]): Leaf[] => {
    const path = at === '' ? key : `${at}.${key}`;
    if (item === undefined) return [];
    if (isMap(item) && Object.keys(item).length > 0) return collect(item, path, where);
    if (isMap(item) || (Array.isArray(item) && item.length === 0)) return [];
    return [{ path, value: item, origin: where(path) }];
  });
}

const shown = (value: unknown): string => (typeof value === 'string' ? value.replaceAll('\n', '\\n') : JSON.stringify(value));
