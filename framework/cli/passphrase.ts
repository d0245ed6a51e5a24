import { readFile } from 'node:fs/promises';
import { systemCode } from '../core/atomic-write.ts';
import { FerruleError } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';
import type { Arguments } from './arguments.ts';
import { pathOf } from './catalogue.ts';
import { type Io, print } from './io.ts';
import { askSecret, canAsk } from './prompt.ts';
import { readAll } from './standard-input.ts';

/** --passphrase @FILE or -, FERRULE_PASSPHRASE, or the person at the terminal, asked twice for one that is new. */
export async function readPassphrase(args: Arguments, io: Io, { isNew }: { isNew: boolean }): Promise<Secret> {
  const given = args.text('passphrase');
  if (given === '-') return withoutLastBreak((await readAll(io)).toString('utf8'));
  if (given?.startsWith('@')) return fromFile(given.slice(1), io);
  if (given !== undefined) {
    // Not repeated: it may be the passphrase.
    throw new FerruleError('usage', 'A passphrase does not stand in the command line, where other programs see it', {
      next: 'Pass --passphrase @FILE, --passphrase - or FERRULE_PASSPHRASE, or type it when asked.',
    });
  }
  if (io.env.FERRULE_PASSPHRASE) return new Secret(io.env.FERRULE_PASSPHRASE);
  if (!canAsk(io)) {
    throw new FerruleError('usage', 'There is no passphrase, and nobody to ask for it', {
      next: 'Pass --passphrase @FILE, --passphrase - or FERRULE_PASSPHRASE.',
    });
  }
  for (;;) {
    const passphrase = await askSecret(io, 'Passphrase: ');
    if (!isNew || (await askSecret(io, 'Once more: ')).reveal() === passphrase.reveal()) return passphrase;
    await print(io.stderr, 'They differ.\n');
  }
}

const withoutLastBreak = (text: string): Secret => new Secret(text.replace(/\r?\n$/, ''));

async function fromFile(path: string, io: Io): Promise<Secret> {
  try {
    return withoutLastBreak(await readFile(pathOf(io, path), 'utf8'));
  } catch (error) {
    throw new FerruleError('input_malformed', `The file of the passphrase cannot be read (${systemCode(error) ?? 'unreadable'})`, {
      where: 'passphrase',
      next: 'Check the path.',
    });
  }
}
