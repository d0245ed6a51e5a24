import type { ColumnType } from '../core/resolved.ts';
import { parseTime } from '../core/time.ts';
import type { Json } from '../core/value.ts';

/** What a column of a Parquet file is here. */
export type ParquetType = 'text' | 'int64' | 'double' | 'boolean' | 'date' | 'timestamp';

/** A value as the writer takes it: days since the epoch for a date, microseconds for a timestamp. */
export type ParquetValue = string | bigint | number | boolean | null;

const DAY = 86_400_000;
const LARGEST = 2n ** 63n - 1n;
const SMALLEST = -(2n ** 63n);

const DECLARED: Record<ColumnType, ParquetType> = {
  text: 'text',
  integer: 'int64',
  number: 'double',
  boolean: 'boolean',
  date: 'date',
  datetime: 'timestamp',
  object: 'text',
  list: 'text',
};

export const declaredType = (type: ColumnType): ParquetType => DECLARED[type];

/**
 * The values of a column in the narrowest type that holds all of them and is no narrower than `known`. A type that is neither known nor
 * declared comes from the values, for which a text is a text, whatever it looks like. Undefined type: there is no value.
 */
export function columnOf(
  values: readonly Json[],
  known: ParquetType | undefined,
  declared: ColumnType | undefined,
): { type: ParquetType | undefined; values: ParquetValue[] } {
  let type = known ?? (declared === undefined ? undefined : DECLARED[declared]);
  const exact = declared === 'integer';
  for (;;) {
    const converted: ParquetValue[] = [];
    let wider: ParquetType | undefined;
    for (const value of values) {
      if (value === null) {
        converted.push(null);
        continue;
      }
      type ??= typeOf(value);
      const fitting = CONVERT[type](value, exact);
      if (fitting === undefined) {
        wider = type === 'int64' && typeof value === 'number' ? 'double' : 'text';
        break;
      }
      converted.push(fitting);
    }
    if (wider === undefined) return { type, values: converted };
    type = wider;
  }
}

function typeOf(value: Exclude<Json, null>): ParquetType {
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'int64' : 'double';
  return 'text';
}

type Convert = (value: Exclude<Json, null>, exact: boolean) => ParquetValue | undefined;

/** Undefined: the value does not fit, or not without a loss. */
const CONVERT: Record<ParquetType, Convert> = {
  text: (value) => (typeof value === 'string' ? value : JSON.stringify(value)),
  int64: (value, exact) => {
    if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
    // Whole numbers beyond 2^53 come as text; one with a leading zero is none.
    if (!exact || typeof value !== 'string' || !/^(0|-?[1-9]\d{0,18})$/.test(value)) return undefined;
    const whole = BigInt(value);
    return whole >= SMALLEST && whole <= LARGEST ? whole : undefined;
  },
  double: (value) => (typeof value === 'number' ? value : undefined),
  boolean: (value) => (typeof value === 'boolean' ? value : undefined),
  date: (value) => {
    const time = typeof value === 'string' ? parseTime(value, 'date') : undefined;
    return time === undefined ? undefined : time / DAY;
  },
  timestamp: (value) => {
    const time = typeof value === 'string' ? parseTime(value, 'iso') : undefined;
    if (time === undefined) return undefined;
    const fraction = /[.,](\d+)/.exec(value as string)?.[1] ?? '';
    // Finer than a microsecond: only as text is nothing lost.
    if (/[1-9]/.test(fraction.slice(6))) return undefined;
    return BigInt(time) * 1000n + BigInt(fraction.slice(3, 6).padEnd(3, '0'));
  },
};
