import type { ColumnType } from '../core/resolved.ts';
import type { JsonObject } from '../core/value.ts';
import { columnName, folded, namesOf } from './column-name.ts';
import { declaredType, isTextAlready, kindOf, type SqlType, typeFor } from './column-type.ts';
import { unknownColumn } from './table-failure.ts';

/** A column of the table and the key of a record whose values it takes. */
export interface TableColumn {
  key: string;
  name: string;
  type: SqlType;
}

/** What is known of a table: its columns by name, in order. A text: one of another type, in the database's own word. */
export type KnownColumns = ReadonlyMap<string, SqlType | { other: string }>;

export interface Widening {
  name: string;
  from: SqlType;
  to: SqlType;
}

/** What a batch needs of its table. */
export interface TablePlan {
  /** Those that the batch has values for. */
  columns: TableColumn[];
  added: TableColumn[];
  widened: Widening[];
}

export type Declared = Readonly<Record<string, ColumnType>>;

/**
 * Columns for all keys of the records that have a value. A key that is null throughout gets none yet: nothing says of which type. `table` is
 * the name for errors.
 * @throws FerruleError output_unreadable: a column is there already, of a type that is none of ours
 */
export function planFor(records: readonly JsonObject[], known: KnownColumns, declared: Declared, table: string): TablePlan {
  const names = namesOf(known.keys());
  const plan: TablePlan = { columns: [], added: [], widened: [] };
  for (const [key, kinds] of kindsOf(records)) {
    if (kinds === 0) continue;
    const name = columnName(key, names);
    const there = known.get(name);
    if (typeof there === 'object') throw unknownColumn(table, name, there.other);
    const type = typeFor(there ?? typeOfDeclared(declared, key), kinds);
    const column = { key, name, type };
    if (there === undefined) {
      plan.added.push(column);
      names.set(folded(name), name);
    } else if (there !== type) plan.widened.push({ name, from: there, to: type });
    plan.columns.push(column);
  }
  return plan;
}

/** The declared columns of a table that is about to be made. With `flat`, a map's leaves are columns, and which those are only records say. */
export function declaredColumns(declared: Declared, flat: boolean): TableColumn[] {
  const names = namesOf([]);
  const columns: TableColumn[] = [];
  for (const [key, type] of Object.entries(declared)) {
    if (flat && type === 'object') continue;
    const name = columnName(key, names);
    names.set(folded(name), name);
    columns.push({ key, name, type: declaredType(type) });
  }
  return columns;
}

const typeOfDeclared = (declared: Declared, key: string): SqlType | undefined =>
  Object.hasOwn(declared, key) ? declaredType(declared[key]!) : undefined;

/** Key → the kinds of its values, in the order in which keys first come. */
function kindsOf(records: readonly JsonObject[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const record of records) {
    for (const key of Object.keys(record)) {
      const before = found.get(key) ?? 0;
      const value = record[key];
      const kinds = isTextAlready(before) && typeof value === 'string' ? before : before | kindOf(value);
      if (kinds !== before || before === 0) found.set(key, kinds);
    }
  }
  return found;
}
