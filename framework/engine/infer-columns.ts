import { FerruleError } from '../core/errors.ts';
import type { ColumnType } from '../core/resolved.ts';
import { parseTime } from '../core/time.ts';
import type { Json, JsonObject } from '../core/value.ts';

/** What a value is; texts by what stands in them: `whole` are digits, `large` digits beyond 2^53, `decimal` other numbers. */
export type ValueKind = 'boolean' | 'integer' | 'number' | 'whole' | 'large' | 'decimal' | 'date' | 'datetime' | 'text' | 'object' | 'list';

/** What becomes of a column: new; as it is declared; declared otherwise than what came; only null was seen. */
export type ColumnState = 'new' | 'declared' | 'contradicted' | 'unseen';

export interface InferredColumn {
  name: string;
  state: ColumnState;
  /** What it is by the records; left out where only null was seen. */
  type?: ColumnType;
  /** What the spec says. */
  declared?: ColumnType;
  /** Set where values have no type in common, so that the type is text, and do not fit a declared one either. */
  mixed?: ValueKind[];
}

/** Records whose keys are data have columns without end. */
const MOST_COLUMNS = 500;

/** Sees the records of a stream, and says what its columns are. Keeps no value. */
export interface ColumnSample {
  see(record: JsonObject): void;
  /** Those that are declared first, in their order; then the others as they came. @throws FerruleError not_supported */
  columns(declared: Readonly<Record<string, { type: ColumnType }>>): InferredColumn[];
}

export function columnSample(stream: string): ColumnSample {
  const seen = new Map<string, Set<ValueKind>>();
  return {
    see: (record) => {
      for (const [name, value] of Object.entries(record)) {
        let kinds = seen.get(name);
        if (kinds === undefined) {
          if (seen.size > MOST_COLUMNS) continue;
          kinds = new Set();
          seen.set(name, kinds);
        }
        if (value !== null) kinds.add(kindOf(value));
      }
    },
    columns: (declared) => {
      if (seen.size > MOST_COLUMNS) throw tooMany(stream);
      const names = new Set([...Object.keys(declared), ...seen.keys()]);
      return [...names].map((name) =>
        inferred(name, seen.get(name) ?? new Set(), Object.hasOwn(declared, name) ? declared[name]?.type : undefined),
      );
    },
  };
}

const tooMany = (stream: string): FerruleError =>
  new FerruleError('not_supported', `${stream}: its records have more than ${MOST_COLUMNS} columns, as if keys were data`, {
    where: `streams.${stream}`,
    next: 'Declare its columns by hand, or take another path to its records.',
  });

function inferred(name: string, kinds: ReadonlySet<ValueKind>, declared: ColumnType | undefined): InferredColumn {
  if (kinds.size === 0) return { name, state: declared === undefined ? 'unseen' : 'declared', ...(declared && { declared }) };
  const known = typeOf(kinds);
  const type = known ?? 'text';
  const mixed = known === undefined && { mixed: [...kinds] };
  if (declared === undefined) return { name, state: 'new', type, ...mixed };
  if ([...kinds].every((kind) => FITS[declared].has(kind))) return { name, state: 'declared', type, declared };
  // There may be no better type.
  return { name, state: type === declared ? 'declared' : 'contradicted', type, declared, ...mixed };
}

const WHOLE = /^[+-]?\d+$/;
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

function kindOf(value: Exclude<Json, null>): ValueKind {
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  if (typeof value !== 'string') return Array.isArray(value) ? 'list' : 'object';
  if (WHOLE.test(value)) return Number.isSafeInteger(Number(value)) ? 'whole' : 'large';
  if (DECIMAL.test(value)) return 'decimal';
  if (parseTime(value, 'date') !== undefined) return 'date';
  return parseTime(value, 'iso') === undefined ? 'text' : 'datetime';
}

/** Kinds that a type stands for, narrower ones first: the first type that has all of them is the one. */
const HOLDS: readonly (readonly [ColumnType, ReadonlySet<ValueKind>])[] = [
  ['boolean', new Set(['boolean'])],
  // Whole numbers beyond 2^53 come as text among others that do not; alone they are text, as every text of digits.
  ['text', new Set(['whole', 'large', 'decimal'])],
  ['integer', new Set(['integer', 'large'])],
  ['number', new Set(['integer', 'number', 'large'])],
  ['date', new Set(['date'])],
  ['datetime', new Set(['date', 'datetime'])],
  ['text', new Set(['whole', 'large', 'decimal', 'date', 'datetime', 'text'])],
  ['object', new Set(['object'])],
  ['list', new Set(['list'])],
];

const typeOf = (kinds: ReadonlySet<ValueKind>): ColumnType | undefined =>
  HOLDS.find(([, held]) => [...kinds].every((kind) => held.has(kind)))?.[0];

const TEXTS: readonly ValueKind[] = ['whole', 'large', 'decimal', 'date', 'datetime', 'text'];

/** What a read takes for a declared type, as `streams/shape.ts` compares records. */
const FITS: Readonly<Record<ColumnType, ReadonlySet<ValueKind>>> = {
  text: new Set(TEXTS),
  integer: new Set(['integer', 'whole', 'large']),
  number: new Set(['integer', 'number', 'whole', 'large', 'decimal']),
  boolean: new Set(['boolean']),
  date: new Set(TEXTS),
  datetime: new Set([...TEXTS, 'integer', 'number']),
  object: new Set(['object']),
  list: new Set(['list']),
};
