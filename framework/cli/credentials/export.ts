import { stat } from 'node:fs/promises';
import { replaceFile, systemCode, unlessMissing, writeNew } from '../../core/atomic-write.ts';
import { FerruleError } from '../../core/errors.ts';
import { exportCredentials } from '../../credentials/export.ts';
import { openCatalogue, pathOf } from '../catalogue.ts';
import { type Io, print } from '../io.ts';
import { readPassphrase } from '../passphrase.ts';
import { say } from '../say.ts';
import { storedCredential } from '../store.ts';
import { styleOf } from '../style.ts';
import { type Action, fileOf } from './action.ts';

/** Credentials into one file that a passphrase seals. */
export const run: Action = async (store, args, io) => {
  const file = fileOf(args);
  const path = pathOf(io, file);
  const force = args.flag('force');
  // Before anything is asked.
  if (!force && (await stat(path).catch(unlessMissing))) throw exists(file);
  const named = args.positionals.slice(2);
  const names = named.length > 0 ? named : (await store.list()).map(({ name }) => name);
  if (names.length === 0) throw new FerruleError('credential_unknown', 'There is no credential to export');
  const tokens = !args.flag('no-tokens');
  let rotating = false;
  for (const name of names) rotating ||= tokens && (await storedCredential(store, name)).captures.refresh_token !== undefined;
  const passphrase = await readPassphrase(args, io, { isNew: true });
  const bytes = await exportCredentials(store, names, passphrase, {
    tokens,
    catalogue: openCatalogue(args, io),
    clock: io.clock,
    random: io.random,
  });
  await write(path, file, bytes, force, io);
  if (rotating) {
    const warning = `${styleOf(io.stderr, io.env).yellow('warning')}: Refresh tokens are in it. Where the provider changes them with each use, they may be used from one place only: the first that uses one ends it for the other. --no-tokens leaves them out.\n`;
    await say(io.stderr, warning);
  }
  await print(io.stderr, `Exported ${names.length} ${names.length === 1 ? 'credential' : 'credentials'} to ${file}.\n`);
  return 0;
};

async function write(path: string, file: string, bytes: Buffer, force: boolean, io: Io): Promise<void> {
  try {
    if (force) await replaceFile(path, bytes, `${path}.${Buffer.from(io.random.bytes(8)).toString('hex')}.new`);
    else await writeNew(path, bytes);
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    if (code === 'EEXIST') throw exists(file);
    throw new FerruleError('output_failed', `${file} cannot be written (${code})`, { where: file, cause: error });
  }
}

const exists = (file: string): FerruleError =>
  new FerruleError('usage', `${file} is there already`, { where: file, next: 'Name another file, or pass --force.' });
