import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { replaceFile, syncFolder, unlessMissing } from '../core/atomic-write.ts';
import { reached } from '../core/moment.ts';
import type { StateChange } from '../core/sink.ts';
import { unreadable } from './output-failure.ts';
import type { Picture } from './rows.ts';
import { eachLine, writeAll } from './whole-lines.ts';

/**
 * The state file of one stream in a folder, JSON Lines: a head `{"ferrule":1,"type":"csv"}`, then one line for each commit,
 * `{"rows":{…},"set":{"key":value}}`: what holds the rows now, and what is new in the state (null: the key is gone). The last whole line
 * is what is committed; a line that was torn by the end of its process is no line. A file that has grown beyond ten times what it says
 * (twice, if it is large; a quarter more, when a read has ended) is written anew beside itself.
 */
export interface StateContents {
  type: string;
  rows: Picture | undefined;
  /** Values as JSON text: what a caller does to a value that it has given or got changes nothing here. */
  keys: Map<string, string>;
  /** Bytes of whole lines. */
  whole: number;
}

export interface StateFile {
  readonly contents: StateContents;
  /** Durable when it resolves. @throws system errors; then `undo` is called */
  append(rows: Picture, change: StateChange): Promise<void>;
  /** Takes the last line back, whole or not. */
  undo(): Promise<void>;
  /** Writes the file anew when it has grown. For when the last line will not be taken back. `atRest`: a read has ended, and much is left for the next. */
  tidy(atRest?: boolean): Promise<void>;
  close(): Promise<void>;
}

const VERSION = 1;
/** More than it says, and by how much, before it is written anew. Small files are left alone. Bytes. */
const GROWTH = 10;
const SMALL = 65_536;
/** So much may stand in a large file of what it no longer says, and double of it in any. */
const LARGE = 33_554_432;
/** The same between two reads. */
const GROWTH_AT_REST = 1.25;
/** Keys a line of a file that is written anew. */
const KEYS_A_LINE = 1000;

/** Reads it line by line; undefined when there is none, or nothing in it. @throws FerruleError output_unreadable */
export async function readState(path: string): Promise<StateContents | undefined> {
  const handle = await open(path, 'r').catch(unlessMissing);
  if (handle === undefined) return undefined;
  const contents: Reading = { type: '', rows: undefined, values: new Map(), whole: 0 };
  let torn: number | undefined;
  try {
    for await (const { text, end } of eachLine(handle)) {
      if (torn !== undefined) throw damaged(path, torn);
      // Only the last line can be torn: none is begun before the one before it is flushed.
      if (take(contents, parsed(text), path)) contents.whole = end;
      else torn = contents.whole;
    }
  } finally {
    await handle.close();
  }
  if (contents.type === '') return undefined;
  const { type, rows, values, whole } = contents;
  const keys = new Map<string, string>();
  for (const [key, value] of values) keys.set(key, JSON.stringify(value));
  return { type, rows, keys, whole };
}

/** Values become text once, at the end: a file may have ten of each. */
type Reading = Omit<StateContents, 'keys'> & { values: Map<string, unknown> };

function parsed(text: string): { [name: string]: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as { [name: string]: unknown }) : undefined;
  } catch {
    return undefined;
  }
}

/** False: it is no line of ours. */
function take(contents: Reading, line: { [name: string]: unknown } | undefined, path: string): boolean {
  if (line === undefined) return false;
  if (contents.type === '') {
    if (typeof line.ferrule !== 'number' || typeof line.type !== 'string') return false;
    if (line.ferrule > VERSION)
      throw unreadable(path, `${path} was written by a newer Ferrule.`, 'Use that one, or choose another folder.');
    contents.type = line.type;
    return true;
  }
  if (line.rows !== undefined) {
    if (!isPicture(line.rows)) return false;
    contents.rows = line.rows;
  }
  for (const [key, value] of Object.entries(line.set ?? {})) {
    if (value === null) contents.values.delete(key);
    else contents.values.set(key, value);
  }
  return line.rows !== undefined || line.set !== undefined;
}

function isPicture(value: unknown): value is Picture {
  const { main, next = { length: 0 } } = (value ?? {}) as Partial<Picture>;
  return Number.isSafeInteger(main?.length) && Number.isSafeInteger(next?.length);
}

const damaged = (path: string, offset: number) =>
  unreadable(
    path,
    `${path} is damaged behind byte ${offset}: a line is no state of ours, and others follow it.`,
    'Put a copy of it and of its rows back, or choose another folder and read from the start.',
  );

/** Opens it for writing, made if need be, and cuts a torn line off. `found` is what was read from it. */
export async function openState(path: string, type: string, found: StateContents | undefined): Promise<StateFile> {
  const contents = found ?? { type, rows: undefined, keys: new Map<string, string>(), whole: 0 };
  const head = `${JSON.stringify({ ferrule: VERSION, type })}\n`;
  let handle = await openOrMake(path);
  let live = 0;
  for (const [key, text] of contents.keys) live += sizeOf(key, text);
  let before = contents.whole;
  let last = 0;
  let compactAt = 0;
  try {
    await handle.truncate(contents.whole);
  } catch (error) {
    await handle.close();
    throw error;
  }

  function keep(rows: Picture, change: StateChange): void {
    contents.rows = rows;
    for (const [key, value] of Object.entries(change)) {
      const former = contents.keys.get(key);
      if (former !== undefined) live -= sizeOf(key, former);
      if (value === null) {
        contents.keys.delete(key);
        continue;
      }
      const text = JSON.stringify(value);
      contents.keys.set(key, text);
      live += sizeOf(key, text);
    }
  }

  async function compact(): Promise<void> {
    try {
      await replaceFile(path, compacted(head, contents), `${path}.new`);
      compactAt = 0;
    } catch {
      // Nothing is lost: whichever of the two stands there says the same. It is tried again when that has doubled.
      compactAt = contents.whole * 2;
    }
    await handle.close();
    handle = await open(path, 'r+');
    contents.whole = (await handle.stat()).size;
    before = contents.whole;
  }

  return {
    contents,
    async append(rows, change) {
      before = contents.whole;
      const rowsText = JSON.stringify(rows);
      const line = `{"rows":${rowsText},"set":${JSON.stringify(change)}}\n`;
      const bytes = Buffer.from(contents.whole === 0 ? head + line : line);
      await writeAll(handle, bytes, contents.whole);
      reached('sink_state_written');
      await handle.datasync();
      reached('sink_state_flushed');
      contents.whole += bytes.length;
      keep(rows, change);
      last = rowsText.length;
    },
    async undo() {
      contents.whole = before;
      await handle.truncate(before);
      await handle.datasync();
    },
    async tidy(atRest = false) {
      const says = live + last;
      const most = atRest ? GROWTH_AT_REST * says : Math.min(GROWTH * says, Math.max(2 * says, LARGE));
      if (contents.whole > Math.max(SMALL, most, compactAt)) await compact();
    },
    close: () => handle.close(),
  };
}

const sizeOf = (key: string, text: string): number => key.length + text.length + 4;

async function openOrMake(path: string): Promise<FileHandle> {
  const found = await open(path, 'r+').catch(unlessMissing);
  if (found !== undefined) return found;
  const made = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  await syncFolder(dirname(path)).catch(async (error: unknown) => {
    await made.close();
    throw error;
  });
  return made;
}

function compacted(head: string, { keys, rows }: StateContents): Buffer {
  const lines = [Buffer.from(head)];
  let texts: string[] = [];
  const flush = () => {
    lines.push(Buffer.from(`{"set":{${texts.join(',')}}}\n`));
    texts = [];
  };
  for (const [key, text] of keys) if (texts.push(`${JSON.stringify(key)}:${text}`) === KEYS_A_LINE) flush();
  flush();
  return Buffer.concat([...lines, Buffer.from(`{"rows":${JSON.stringify(rows)}}\n`)]);
}
