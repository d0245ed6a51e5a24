import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { replaceFile, systemCode } from '../core/atomic-write.ts';
import { FerruleError } from '../core/errors.ts';
import type { SpecDocument } from '../core/spec-types.gen.ts';
import type { JsonObject } from '../core/value.ts';
import { memoryStore } from '../credentials/memory.ts';
import { connectSpec } from '../engine/connect.ts';
import type { Connection } from '../engine/connection.ts';
import { readConfig, rotatedConfig } from '../interop/config.ts';
import { tellingStore } from '../interop/rotation.ts';
import type { Arguments } from './arguments.ts';
import { behaviourOptions } from './behaviour.ts';
import { pathOf } from './catalogue.ts';
import type { Io } from './io.ts';
import { runningSandbox } from './sandbox-address.ts';

/**
 * The JSON file that an option names; undefined where the option is not given.
 * @throws FerruleError input_malformed, without a word of what is in it
 */
export async function readJsonOption(args: Arguments, io: Io, option: string): Promise<unknown> {
  const path = args.text(option);
  if (path === undefined) return undefined;
  const text = await readFile(pathOf(io, path), 'utf8').catch((cause: unknown) => {
    throw new FerruleError('input_malformed', `--${option}: ${path} cannot be read (${systemCode(cause) ?? 'unreadable'})`, {
      where: option,
      cause,
    });
  });
  try {
    // Some platforms write an empty file where there is none yet.
    return text.trim() === '' ? undefined : (JSON.parse(text) as unknown);
  } catch {
    throw new FerruleError('input_malformed', `--${option}: ${path} is not JSON`, {
      where: option,
      next: 'Pass a file with one JSON value.',
    });
  }
}

/**
 * A connection with a platform's configuration. `onRotated` gets the configuration with the new tokens when a provider has given some, before anything is sent with
 * them.
 */
export async function openConfigured(
  spec: SpecDocument,
  args: Arguments,
  io: Io,
  onRotated: (config: JsonObject) => Promise<void>,
): Promise<Connection> {
  let config = await readJsonOption(args, io, 'config');
  if (config === undefined) throw new FerruleError('usage', 'There is no configuration', { next: 'Pass --config FILE.' });
  const inputs = readConfig(spec, config);
  const address = args.text('sandbox');
  const wanted = { connector: spec.name, method: inputs.method, choices: inputs.choices ?? {} };
  const sandbox = address === undefined ? undefined : await runningSandbox(address, wanted, io.signal);
  const store = tellingStore(memoryStore({ clock: io.clock }), async (credential) => {
    const rotated = rotatedConfig(config as JsonObject, credential);
    if (rotated === undefined) return;
    config = rotated;
    await onRotated(rotated);
  });
  return await connectSpec(spec, inputs, {
    ...(await behaviourOptions(args, io, { everyCall: false })),
    environment: io.env,
    clock: io.clock,
    random: io.random,
    signal: io.signal,
    ...(sandbox !== undefined && { sandbox: { addresses: sandbox.addresses } }),
    store,
    name: spec.name,
  });
}

/** Puts a configuration in place of the one that was read, whole or not at all. */
export async function rewriteConfig(args: Arguments, io: Io, config: JsonObject): Promise<void> {
  const path = pathOf(io, args.text('config') ?? '');
  try {
    await replaceFile(path, Buffer.from(`${JSON.stringify(config, undefined, 2)}\n`), `${path}.${randomBytes(6).toString('hex')}`);
  } catch (cause) {
    throw new FerruleError('output_failed', `The new tokens cannot be written to ${path} (${systemCode(cause) ?? 'unwritable'})`, {
      where: 'config',
      next: 'Make the file writable, or pass --credential with a stored credential.',
      cause,
    });
  }
}

/** Writes to standard output and waits until the stream takes more. */
export const writer =
  ({ stdout }: Io) =>
  (lines: string | Uint8Array): Promise<void> =>
    new Promise((resolve) => {
      stdout.write(lines, () => resolve());
    });
