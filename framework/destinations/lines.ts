import { type FileHandle, open as openFile } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { FerruleError } from '../core/errors.ts';
import { stringifyJson } from '../core/json.ts';
import type { JsonObject } from '../core/value.ts';
import { reason } from './output-failure.ts';

/**
 * Plain JSON Lines without state: one record a line, UTF-8, `\n` after each. For standard output and single files; a folder that is read
 * into again and again is a destination (jsonl.ts). What is in the file is whole lines, whatever happens.
 */
export interface JsonlWriter {
  /** Resolves when the records are with the operating system (files) or the reader is ready for more (streams). */
  write(records: readonly JsonObject[]): Promise<void>;
  close(): Promise<JsonlTotals>;
}

export interface JsonlTotals {
  /** Whole lines written. */
  records: number;
  bytes: number;
}

/** Records that become one write: enough to be fast, few enough that a huge page costs no second copy of itself. */
const SLICE = 1000;

/**
 * Writes to the file itself (no temporary one), which is emptied first. A write that fails cuts a regular file back to
 * its last whole line.
 * @throws FerruleError output_failed, from here and from write and close, with the number of whole lines in the file
 */
export async function open(path: string): Promise<JsonlWriter> {
  const handle = await openFile(path, 'w').catch((error: unknown) => {
    throw new FerruleError('output_failed', `${path} cannot be opened for writing: ${reason(error)}`, { where: path, cause: error });
  });
  const regular = (await handle.stat()).isFile();
  return new FileWriter(path, handle, regular);
}

/** The same into a stream, such as standard output, which stays open. `name` is what errors call it. */
export function openStream(stream: Writable, name: string): JsonlWriter {
  const totals: JsonlTotals = { records: 0, bytes: 0 };
  return {
    async write(records) {
      for (const { bytes, lines } of slices(records)) {
        await new Promise<void>((resolve, reject) => {
          stream.write(bytes, (error) => {
            if (!error) return resolve();
            reject(new FerruleError('output_failed', `Writing to ${name} failed: ${reason(error)}`, { where: name, cause: error }));
          });
        });
        totals.records += lines;
        totals.bytes += bytes.length;
      }
    },
    close: async () => ({ ...totals }),
  };
}

class FileWriter implements JsonlWriter {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #regular: boolean;
  /** What stands in the file as whole lines. */
  readonly #whole: JsonlTotals = { records: 0, bytes: 0 };
  #failure: FerruleError | undefined;
  #closed = false;
  /** Writes run one after the other, also when the caller does not wait for the last one. */
  #last: Promise<void> = Promise.resolve();

  constructor(path: string, handle: FileHandle, regular: boolean) {
    this.#path = path;
    this.#handle = handle;
    this.#regular = regular;
  }

  write(records: readonly JsonObject[]): Promise<void> {
    const next = this.#last.then(() => this.#write(records));
    // The failure is remembered and thrown again by whoever comes next; the chain itself must go on.
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #write(records: readonly JsonObject[]): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closed) throw new FerruleError('output_failed', `${this.#path} is closed already`, { where: this.#path });
    for (const { bytes, lines } of slices(records)) {
      let written = 0;
      try {
        while (written < bytes.length) written += (await this.#handle.write(bytes, written)).bytesWritten;
      } catch (error) {
        throw await this.#fail(error, bytes.subarray(0, written));
      }
      this.#whole.records += lines;
      this.#whole.bytes += bytes.length;
    }
  }

  /** Counts the whole lines of a half-failed write and cuts off what comes after them. */
  async #fail(error: unknown, written: Uint8Array): Promise<FerruleError> {
    this.#whole.records += written.reduce((lines, byte) => (byte === NEWLINE ? lines + 1 : lines), 0);
    this.#whole.bytes += written.lastIndexOf(NEWLINE) + 1;
    let cut = '';
    if (this.#regular) {
      await this.#handle.truncate(this.#whole.bytes).catch((failure: unknown) => {
        cut = `; its last line may be cut off, since truncating failed too: ${reason(failure)}`;
      });
    }
    const { records } = this.#whole;
    const held = `it holds ${records} whole ${records === 1 ? 'line' : 'lines'}`;
    this.#failure = new FerruleError('output_failed', `Writing ${this.#path} failed: ${reason(error)}; ${held}${cut}`, {
      where: this.#path,
      cause: error,
    });
    return this.#failure;
  }

  async close(): Promise<JsonlTotals> {
    await this.#last;
    if (!this.#closed) {
      this.#closed = true;
      await this.#handle.close().catch(async (error: unknown) => {
        // Some file systems report a full disk only here.
        this.#failure ??= new FerruleError('output_failed', `Closing ${this.#path} failed: ${reason(error)}`, {
          where: this.#path,
          cause: error,
        });
      });
    }
    if (this.#failure !== undefined) throw this.#failure;
    return { ...this.#whole };
  }
}

const NEWLINE = 0x0a;

function* slices(records: readonly JsonObject[]): Generator<{ bytes: Buffer; lines: number }> {
  for (let start = 0; start < records.length; start += SLICE) {
    const slice = records.slice(start, start + SLICE);
    const text = slice.map((record) => `${stringifyJson(record)}\n`).join('');
    yield { bytes: Buffer.from(text, 'utf8'), lines: slice.length };
  }
}
