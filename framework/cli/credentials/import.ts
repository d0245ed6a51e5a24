import { readFile, stat } from 'node:fs/promises';
import { systemCode } from '../../core/atomic-write.ts';
import { FerruleError, isFerruleError } from '../../core/errors.ts';
import { importCredentials } from '../../credentials/import.ts';
import { MOST_SEALED } from '../../credentials/passphrase-sealed.ts';
import { pathOf } from '../catalogue.ts';
import type { Io } from '../io.ts';
import { readPassphrase } from '../passphrase.ts';
import { say } from '../say.ts';
import { type Action, fileOf, takes } from './action.ts';

/** The credentials of a file that `export` made. */
export const run: Action = async (store, args, io) => {
  takes(1, args);
  const bytes = await read(fileOf(args), io);
  const passphrase = await readPassphrase(args, io, { isNew: false });
  const prefix = args.text('as');
  const options = { replace: args.flag('replace'), clock: io.clock, ...(prefix !== undefined && { prefix }) };
  const { added, replaced } = await importCredentials(store, bytes, passphrase, options);
  for (const [what, names] of [
    ['Imported', added],
    ['Replaced', replaced],
  ] as const) {
    if (names.length > 0) await say(io.stderr, `${what} ${names.map((name) => `"${name}"`).join(', ')}.\n`);
  }
  return 0;
};

async function read(file: string, io: Io): Promise<Buffer> {
  const path = pathOf(io, file);
  try {
    // What is far too large is not even read.
    if ((await stat(path)).size > MOST_SEALED)
      throw new FerruleError('export_unreadable', `${file} is too large to be an export`, { where: file });
    return await readFile(path);
  } catch (error) {
    const code = systemCode(error);
    if (isFerruleError(error) || code === undefined) throw error;
    throw new FerruleError('export_unreadable', `${file} cannot be read (${code})`, { where: file, next: 'Check the path.', cause: error });
  }
}
