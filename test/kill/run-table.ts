import type { JsonObject } from '../../framework/core/value.ts';

/** A record of the provider; `at` is when it was made or changed, in milliseconds. */
export interface Row {
  id: number;
  text: string;
  amount: number;
  at: number;
}

/** Texts that a format could break: quotes, newlines, separators, a formula, letters beyond one byte. */
const TEXTS = ['plain', 'with "quotes"', 'two\nlines', 'a, b; c\t|', "=1+1 'x'", 'Ünïcödé ✓ 漢字 😀', ' spaces ', 'CR\r\nLF', '\\N'];

/** Halves come late, so that a column of integers has to become one of doubles on the way. */
export const rowOf = (id: number, at: number, version = 0): Row => ({
  id,
  text: `${TEXTS[id % TEXTS.length]} ${id}.${version}`,
  amount: id % 400 === 399 ? id + 0.5 : id,
  at,
});

/** As the provider sends it: now and then with a column that others lack. */
export const wire = ({ id, text, amount, at }: Row, parent?: number): JsonObject => ({
  id,
  text,
  amount,
  at: new Date(at).toISOString(),
  ...(parent !== undefined && { parent }),
  ...(id % 701 === 700 && { [`extra_${id % 3}`]: true }),
});

/** Appended as often as they are read to the end: so they are read once. */
export const ONCE = ['pages', 'members', 'dump'] as const;
/** Upserted. */
export const KEYED = ['changes', 'notes'] as const;
/** Appended: only what is new comes with each further read. */
export const NEW = ['events', 'comments', 'report'] as const;

const DAY = 86_400_000;

/** All that the provider has. Rows are in the order of their moments. */
export interface Tables {
  /** Read once, page by page; grows meanwhile. */
  pages: Row[];
  /** Taken whole each time. */
  whole: Row[];
  /** Rows change, and come again under another moment. */
  changes: Row[];
  events: Row[];
  /** Of each project. */
  comments: Row[][];
  members: Row[][];
  /** What has notes, which are others whenever it has changed. */
  topics: Row[];
  report: Row[];
  dump: Row[];
}

/** Rows whose moments lie evenly in the twenty days before `now`. */
const spread = (count: number, now: number): Row[] =>
  Array.from({ length: count }, (_, id) => rowOf(id, now - 20 * DAY + Math.floor((id * 19.9 * DAY) / count)));

/** Rows of many lists, with ids that no two of them share. */
const lists = (count: number, length: number, now: number): Row[][] =>
  Array.from({ length: count }, (_, list) => spread(length, now).map((row) => rowOf(list * 10_000 + row.id, row.at)));

export const tablesAt = (now: number): Tables => ({
  pages: spread(4000, now),
  whole: spread(3000, now),
  changes: spread(3000, now),
  events: spread(3000, now),
  comments: lists(60, 45, now),
  members: lists(60, 25, now),
  topics: spread(80, now),
  report: spread(2000, now),
  dump: spread(8000, now).map((row) => ({ ...row, text: `${row.text} ${'x'.repeat(1000)}` })),
});

/** What happens at the provider between two reads: rows are added everywhere where a later read can know of it, and some change. */
export function moveOn(tables: Tables, random: () => number, now: number): void {
  const add = (rows: Row[], first = 0): void => {
    for (let count = 5 + Math.floor(random() * 60); count > 0; count -= 1) rows.push(rowOf(first + rows.length, now));
  };
  add(tables.pages);
  add(tables.whole);
  add(tables.events);
  add(tables.changes);
  add(tables.report);
  change(tables.changes, 20, random, now);
  change(tables.topics, 10, random, now);
  for (let count = 0; count < 8; count += 1) {
    const project = Math.floor(random() * tables.comments.length);
    add(tables.comments[project] as Row[], project * 10_000);
    // At the very moment of the last one: a reader that goes on from there must tell them apart.
    const last = tables.comments[project]?.at(-1) as Row;
    tables.comments[project]?.push(rowOf(last.id + 1, last.at));
  }
  const project = tables.comments.length;
  tables.comments.push([rowOf(project * 10_000, now)]);
}

function change(rows: Row[], count: number, random: () => number, now: number): void {
  for (let done = 0; done < count; done += 1) {
    const [row] = rows.splice(Math.floor(random() * rows.length), 1);
    if (row !== undefined) rows.push(rowOf(row.id, now, now % 100_000));
  }
}

/** Of one topic, as it is now. */
export const notesOf = (topic: Row): Row[] =>
  Array.from({ length: 12 }, (_, at) => rowOf(topic.id * 100 + at, topic.at, topic.at % 100_000));
