import { FerruleError } from '../core/errors.ts';
import type { ColumnType } from '../core/resolved.ts';
import { plainValue } from './scalar.ts';
import { readSource } from './source.ts';
import { applyEdits, type TextEdit } from './text-edit.ts';
import type { SpecMap, SpecNode, SpecTree } from './tree.ts';

/** What a stream is to declare: columns of a type, by name. One that it declares already gets the type; the rest of it stays. */
export type WantedColumns = Readonly<Record<string, Readonly<Record<string, ColumnType>>>>;

/** Longest line that a map in braces becomes. */
const LONGEST_LINE = 140;

/**
 * The edits that write columns into a spec as it was written (`loaded.source`). Only what is new is put in, so that comments, order, quotes
 * and layout stay; a map in braces stays one. What a template declares stays there: what differs goes into the stream.
 * @throws FerruleError stream_unknown, spec_invalid, not_supported
 */
export function columnEdits(source: SpecTree, wanted: WantedColumns): TextEdit[] {
  const edits = Object.entries(wanted).flatMap(([stream, columns]) => {
    const given = Object.entries(columns);
    return given.length === 0 ? [] : streamEdits(source, stream, given);
  });
  checkEdits(source, edits, wanted);
  return edits;
}

type Given = readonly (readonly [name: string, type: ColumnType])[];

function streamEdits(source: SpecTree, stream: string, given: Given): TextEdit[] {
  const map = source.node(['streams', stream]);
  if (map === undefined) throw new FerruleError('stream_unknown', `The file has no stream "${stream}"`, { where: `streams.${stream}` });
  if (map.kind !== 'map' || map.entries.size === 0) throw notAMap(stream, '');
  const columns = map.entries.get('columns')?.value;
  if (columns === undefined) return [newColumns(source.text, map, given)];
  if (columns.kind !== 'map') throw notAMap(stream, '.columns');
  const known = given.filter(([name]) => columns.entries.has(name));
  const added = given.filter(([name]) => !columns.entries.has(name));
  return [
    ...known.map(([name, type]) => retyped(columns.entries.get(name)?.value as SpecNode, stream, name, type)),
    ...(added.length === 0 ? [] : [more(source.text, columns, added)]),
  ];
}

const notAMap = (stream: string, at: string): FerruleError =>
  new FerruleError('spec_invalid', `streams.${stream}${at} is no map of keys to values`, { where: `streams.${stream}${at}` });

/** `type` of the long form, or the short form itself. */
function retyped(value: SpecNode, stream: string, name: string, type: ColumnType): TextEdit {
  const scalar = value.kind === 'map' ? value.entries.get('type')?.value : value;
  if (scalar?.kind !== 'scalar' || scalar.end <= scalar.start) throw notAMap(stream, `.columns.${name}`);
  return { start: scalar.start, end: scalar.end, text: type };
}

const isFlow = (text: string, { start }: SpecMap): boolean => text[start] === '{';

/** `columns` as the last key of the stream. */
function newColumns(text: string, map: SpecMap, given: Given): TextEdit {
  const pairs = given.map(pair);
  if (!isFlow(text, map)) {
    const indent = indentOf(text, map);
    return below(text, map, [`${indent}columns:`, ...pairs.map((one) => `${indent}  ${one}`)]);
  }
  const end = lastEnd(map);
  const together = `, columns: { ${pairs.join(', ')} }`;
  if (fits(text, end, together)) return { start: end, end, text: together };
  const indent = deeper(text, end);
  return { start: end, end, text: `,\n${indent}columns: {\n${lines(pairs, `${indent}  `)}\n${indent}}` };
}

/** Further entries of `columns`. */
function more(text: string, columns: SpecMap, given: Given): TextEdit {
  const pairs = given.map(pair);
  if (!isFlow(text, columns)) {
    const indent = indentOf(text, columns);
    const added = pairs.map((one) => `${indent}${one}`);
    return below(text, columns, added);
  }
  const isEmpty = columns.entries.size === 0;
  const end = isEmpty ? columns.start + 1 : lastEnd(columns);
  const together = isEmpty ? ` ${pairs.join(', ')} ` : `, ${pairs.join(', ')}`;
  if (fits(text, end, together)) return { start: end, end, text: together };
  return { start: end, end, text: `${isEmpty ? '' : ','}\n${lines(pairs, deeper(text, end))}` };
}

const pair = ([name, type]: Given[number]): string => `${key(name)}: ${type}`;

/** A name that every YAML parser takes for that text stands as it is; those of version 1.1 take these words for true or false. */
const key = (name: string): string =>
  /^[A-Za-z_][\w.-]*$/.test(name) && plainValue(name) === name && !/^(y|n|yes|no|on|off)$/i.test(name) ? name : JSON.stringify(name);

const lastEnd = ({ entries }: SpecMap): number => Math.max(...[...entries.values()].map(({ end, value }) => Math.max(end, value.end)));

/** The blanks before a block's first key. */
function indentOf(text: string, map: SpecMap): string {
  const line = text.lastIndexOf('\n', map.start - 1) + 1;
  return ' '.repeat(map.start - line);
}

/** New lines below a block's last one, whose comment stays with it. */
function below(text: string, map: SpecMap, lines: readonly string[]): TextEdit {
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const end = lastEnd(map);
  const next = text.indexOf('\n', end);
  const at = next === -1 ? text.length : text[next - 1] === '\r' ? next - 1 : next;
  return { start: at, end: at, text: lines.map((line) => newline + line).join('') };
}

/** Whether what is put in at this place still fits its line. */
function fits(text: string, at: number, added: string): boolean {
  const next = text.indexOf('\n', at);
  return (next === -1 ? text.length : next) - lineStart(text, at) + added.length <= LONGEST_LINE;
}

const lineStart = (text: string, at: number): number => text.lastIndexOf('\n', at - 1) + 1;

/** Deeper than the line on which the map's last entry stands, as far as a map in braces that goes on below it has to be. */
const deeper = (text: string, at: number): string => `${/^ */.exec(text.slice(lineStart(text, at)))?.[0] ?? ''}    `;

/** As many to a line as fit. */
function lines(pairs: readonly string[], indent: string): string {
  const filled: string[] = [];
  for (const one of pairs) {
    const last = filled.at(-1);
    if (last !== undefined && last.length + one.length + 3 <= LONGEST_LINE) filled[filled.length - 1] = `${last}, ${one}`;
    else filled.push(indent + one);
  }
  return filled.join(',\n');
}

/** The file with the edits says what it said, and the columns besides: a layout that is not understood is not written to. */
function checkEdits(source: SpecTree, edits: readonly TextEdit[], wanted: WantedColumns): void {
  const { tree } = readSource(applyEdits(source.text, edits), source.file);
  const expected = structuredClone(source.value) as { streams: Record<string, { columns?: Record<string, unknown> }> };
  for (const [stream, types] of Object.entries(wanted)) {
    for (const [name, type] of Object.entries(types)) {
      const columns = (expected.streams[stream] as { columns?: Record<string, unknown> }).columns ?? {};
      const known = columns[name];
      columns[name] = typeof known === 'object' && known !== null ? { ...known, type } : type;
      (expected.streams[stream] as object & { columns?: object }).columns = columns;
    }
  }
  if (tree !== undefined && JSON.stringify(tree.value) === JSON.stringify(expected)) return;
  throw new FerruleError('not_supported', `Columns cannot be written into ${source.file} as it is laid out`, {
    where: source.file,
    next: 'Print them with --json, and write them by hand.',
  });
}
