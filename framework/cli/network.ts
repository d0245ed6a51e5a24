import { readFile } from 'node:fs/promises';
import { FerruleError } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';
import type { NetworkOptions } from '../engine/options.ts';
import type { Arguments } from './arguments.ts';
import { pathOf } from './catalogue.ts';
import type { Io } from './io.ts';

/** --allow-private, --allow-loopback, --proxy, --ca (or FERRULE_CA): the word of whoever runs the command. */
export async function networkOptions(args: Arguments, io: Io): Promise<NetworkOptions> {
  const proxy = args.text('proxy');
  const ca = args.text('ca') ?? (io.env.FERRULE_CA || undefined);
  return {
    // A proxy's address may hold a password.
    ...(proxy !== undefined && { proxy: new Secret(proxy) }),
    ...(ca !== undefined && { ca: await readCa(ca, io) }),
    ...(args.flag('allow-private') && { allowPrivateAddresses: true }),
    ...(args.flag('allow-loopback') && { allowLoopbackAddresses: true }),
  };
}

async function readCa(path: string, io: Io): Promise<string> {
  return await readFile(pathOf(io, path), 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new FerruleError('input_malformed', `The certificate authorities in ${path} cannot be read (${cause.code ?? 'unreadable'})`, {
      where: '--ca',
      next: 'Pass a PEM file.',
      cause,
    });
  });
}
