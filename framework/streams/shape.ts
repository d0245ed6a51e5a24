import { ABSENT } from '../core/absent.ts';
import { compileOrThrow, evaluateCondition, type Vars } from '../core/expression/index.ts';
import { plainNumber } from '../core/json.ts';
import { put } from '../core/put.ts';
import { compileValue } from '../core/render.ts';
import type { ColumnType, ResolvedStream } from '../core/resolved.ts';
import type { Scopes } from '../core/scope.ts';
import { parseTime, timeText } from '../core/time.ts';
import type { Json, JsonObject } from '../core/value.ts';

/** Why a record does not fit what the spec declares; never a value. */
export interface Misfit {
  column: string;
  wanted: ColumnType;
  /** What it is: `text`, `list`, … */
  found: string;
}

/** A record as it leaves the stream; undefined when `keep` leaves it out. */
export type Shape = (record: JsonObject, vars: Vars, misfits: Misfit[]) => JsonObject | undefined;

/**
 * What a spec makes of each record, in this order: keep, flatten, rename, types, remove, add; then its declared columns are compared. The
 * record that came is not changed; `keep` and `add` see it as it came. What does not fit is put into `misfits`, and left as it is.
 */
export function compileShape(stream: ResolvedStream, scopes: Scopes): Shape {
  const keep = stream.keep === undefined ? undefined : compileOrThrow(stream.keep, 'condition', 'data', scopes.record);
  const steps = [flattening(stream), renaming(stream), typing(stream), removing(stream), adding(stream, scopes)].filter(
    (step) => step !== undefined,
  );
  const fits = fitting(stream);
  return (record, vars, misfits) => {
    if (keep !== undefined && !evaluateCondition(keep, { ...vars, record })) return undefined;
    let result = record;
    for (const { changes, run } of steps) result = run(changes && result === record ? { ...record } : result, record, vars, misfits);
    fits?.(result, misfits);
    return result;
  };
}

interface Step {
  /** It changes `result` itself, which must be its own; else it gives another. */
  changes: boolean;
  run(result: JsonObject, record: JsonObject, vars: Vars, misfits: Misfit[]): JsonObject;
}

function flattening({ flatten }: ResolvedStream): Step | undefined {
  if (flatten === undefined) return undefined;
  const { separator, depth } = flatten;
  const into = (result: JsonObject, map: JsonObject, prefix: string, level: number): JsonObject => {
    for (const [key, value] of Object.entries(map)) {
      const name = prefix + key;
      const deeper = typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;
      if (deeper && level < depth) into(result, value, name + separator, level + 1);
      else put(result, name, value);
    }
    return result;
  };
  return { changes: false, run: (result) => into({}, result, '', 0) };
}

/** A key of data may be the name of something that every object has. */
const own = (record: JsonObject, column: string): Json | undefined => (Object.hasOwn(record, column) ? record[column] : undefined);

function renaming({ rename }: ResolvedStream): Step | undefined {
  if (Object.keys(rename).length === 0) return undefined;
  return {
    changes: false,
    run: (result) =>
      Object.fromEntries(
        Object.entries(result).map(([name, value]) => [Object.hasOwn(rename, name) ? (rename[name] as string) : name, value]),
      ),
  };
}

function removing({ remove }: ResolvedStream): Step | undefined {
  if (remove.length === 0) return undefined;
  const removed = new Set(remove);
  return {
    changes: false,
    // An object that keys were deleted from is a slow one for all who look at it later.
    run: (result) => {
      const kept: JsonObject = {};
      for (const column of Object.keys(result)) if (!removed.has(column)) put(kept, column, result[column] as Json);
      return kept;
    },
  };
}

function adding(stream: ResolvedStream, scopes: Scopes): Step | undefined {
  const added = Object.entries(stream.add).map(([column, value]) => [column, compileValue(value, 'data', scopes.record)] as const);
  if (added.length === 0) return undefined;
  return {
    changes: true,
    run: (result, record, vars) => {
      const all = { ...vars, record };
      for (const [column, value] of added) {
        const filled = value(all);
        if (filled !== ABSENT) result[column] = filled as Json;
      }
      return result;
    },
  };
}

function typing({ types }: ResolvedStream): Step | undefined {
  const wanted = Object.entries(types);
  if (wanted.length === 0) return undefined;
  return {
    changes: true,
    run: (result, _record, _vars, misfits) => {
      for (const [column, type] of wanted) {
        const value = own(result, column);
        if (value === undefined || value === null) continue;
        const made = CONVERSIONS[type]?.(value);
        if (made === undefined) misfits.push({ column, wanted: type, found: kindOf(value) });
        else result[column] = made;
      }
      return result;
    },
  };
}

const WHOLE = /^[+-]?\d+$/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** Undefined: it cannot be done without loss. A whole number beyond 2^53 stays text, digit for digit. */
const CONVERSIONS: Partial<Record<ColumnType, (value: Exclude<Json, null>) => Json | undefined>> = {
  text: (value) => (typeof value === 'object' ? JSON.stringify(value) : typeof value === 'number' ? plainNumber(value) : String(value)),
  integer: (value) => {
    if (typeof value === 'boolean') return Number(value);
    if (typeof value === 'number') return Number.isInteger(value) ? value : undefined;
    if (typeof value !== 'string' || !WHOLE.test(value.trim())) return undefined;
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value.trim().replace(/^\+/, '');
  },
  number: (value) => {
    if (typeof value === 'number') return value;
    if (typeof value !== 'string' || !NUMBER.test(value.trim())) return undefined;
    const number = Number(value);
    // More digits than a double holds would be lost.
    if (!Number.isFinite(number) || (WHOLE.test(value.trim()) && !Number.isSafeInteger(number))) return undefined;
    return number;
  },
  boolean: (value) => {
    if (typeof value === 'boolean') return value;
    const word = String(value).trim().toLowerCase();
    return ['true', '1', 'yes', 't', 'y'].includes(word) ? true : ['false', '0', 'no', 'f', 'n'].includes(word) ? false : undefined;
  },
  date: (value) => instant(value, (at) => new Date(at).toISOString().slice(0, 10)),
  datetime: (value) => instant(value, timeText),
};

/** Numbers are seconds since the epoch, or milliseconds where seconds would lie beyond the year 5138. */
function instant(value: Exclude<Json, null>, write: (at: number) => string): string | undefined {
  const at =
    typeof value === 'number'
      ? Math.abs(value) < 1e11
        ? value * 1000
        : value
      : typeof value === 'string'
        ? parseTime(value, 'iso')
        : undefined;
  return at === undefined || Number.isNaN(new Date(at).getTime()) ? undefined : write(at);
}

/** Compares a record with the declared columns; a null fits each. */
function fitting({ columns }: ResolvedStream): ((record: JsonObject, misfits: Misfit[]) => void) | undefined {
  const declared = Object.entries(columns).map(([column, { type }]) => ({ column, type, test: FITS[type] }));
  if (declared.length === 0) return undefined;
  return (record, misfits) => {
    for (const { column, type, test } of declared) {
      const value = own(record, column);
      if (value !== undefined && value !== null && !test(value)) misfits.push({ column, wanted: type, found: kindOf(value) });
    }
  };
}

type Present = Exclude<Json, null>;
const isText = (value: Present): boolean => typeof value === 'string';

const FITS: Record<ColumnType, (value: Present) => boolean> = {
  text: isText,
  integer: (value) => (typeof value === 'number' ? Number.isInteger(value) : typeof value === 'string' && WHOLE.test(value)),
  number: (value) => typeof value === 'number' || (typeof value === 'string' && NUMBER.test(value)),
  boolean: (value) => typeof value === 'boolean',
  date: isText,
  // Some write them as a number since the epoch.
  datetime: (value) => typeof value === 'string' || typeof value === 'number',
  object: (value) => typeof value === 'object' && !Array.isArray(value),
  list: (value) => Array.isArray(value),
};

export const kindOf = (value: Json): string =>
  value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value === 'string' ? 'text' : typeof value;
