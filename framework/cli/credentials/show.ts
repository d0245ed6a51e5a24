import { FerruleError } from '../../core/errors.ts';
import { connectionOf, toConnectionString } from '../../credentials/connection-write.ts';
import { maskCredential } from '../../credentials/mask.ts';
import { connectorShape } from '../../credentials/shape.ts';
import type { Credential, CredentialStore } from '../../credentials/types.ts';
import { logged } from '../../credentials/use.ts';
import type { Arguments } from '../arguments.ts';
import { findSpec } from '../catalogue.ts';
import { type Io, print } from '../io.ts';
import { printJson } from '../json-output.ts';
import { say } from '../say.ts';
import { storedCredential } from '../store.ts';
import { styleOf } from '../style.ts';
import { table, widthOf } from '../table.ts';
import { type Action, named, takes } from './action.ts';

export const run: Action = async (store, args, io) => {
  takes(1, args);
  const credential = await storedCredential(store, named(args));
  const reveal = args.flag('reveal');
  if (args.flag('connection-string')) return showString(store, credential, reveal, args, io);
  if (reveal) throw new FerruleError('usage', '--reveal goes with --connection-string');
  if (args.flag('json')) {
    await printJson(io, maskCredential(credential));
    return 0;
  }
  const { sandbox, ...masked } = maskCredential(credential);
  const style = styleOf(io.stdout, io.env);
  const width = widthOf(io.stdout);
  const rows = Object.entries(masked).flatMap(([key, value]): string[][] => {
    if (typeof value !== 'object' || value === null) return [[style.dim(key), String(value)]];
    const inner = Object.entries(value).map(([name, item]) => [name, isTime(key, name) ? new Date(item as number).toISOString() : item]);
    return inner.map(([name, item]) => [style.dim(`${key}.${name}`), typeof item === 'string' ? item : JSON.stringify(item)]);
  });
  if (sandbox !== undefined) rows.push([style.dim('sandbox'), [...new Set(Object.values(credential.sandbox?.addresses ?? {}))].join(' ')]);
  await print(io.stdout, table(['', ''], rows, { ...(width !== undefined && { width }) }));
  return 0;
};

async function showString(store: CredentialStore, credential: Credential, reveal: boolean, args: Arguments, io: Io): Promise<number> {
  const { name, connector, sandbox } = credential;
  const { spec } = await findSpec(args, io, connector);
  const shape = connectorShape(spec);
  const text = async () => toConnectionString(connectionOf(credential, shape), shape, { reveal });
  const shown = await (reveal ? logged(store, { action: 'revealed', credential: name, connector }, io, text) : text());
  await print(io.stdout, `${shown}\n`);
  if (!reveal) await say(io.stderr, 'Secrets are masked. --reveal writes them, so that the string can be read back.\n');
  if (sandbox !== undefined) await say(io.stderr, 'It was made for a sandbox: the provider itself does not accept it.\n');
  return 0;
}

/** Kept in milliseconds since the epoch. */
const isTime = (key: string, name: string): boolean =>
  key === 'expires' || key === 'obtained' || (key === 'failing' && (name === 'at' || name === 'until'));
