import { FerruleError, isFerruleError } from '../core/errors.ts';
import type { SpecDocument } from '../core/spec-types.gen.ts';
import { environmentInputs } from '../credentials/environment.ts';
import { missingFields } from '../credentials/inputs.ts';
import type { CheckedState, CredentialStore } from '../credentials/types.ts';
import { useNow } from '../credentials/use.ts';
import type { CheckReport } from '../engine/check.ts';
import { connectSpec, connectStored } from '../engine/connect.ts';
import type { Connection } from '../engine/connection.ts';
import type { ConnectionOptions } from '../engine/options.ts';
import type { Arguments } from './arguments.ts';
import { type BehaviourOptions, behaviourOptions } from './behaviour.ts';
import { type FoundSpec, findSpec, pathOf } from './catalogue.ts';
import { gatherInputs, givesInputs, shapeOf } from './inputs.ts';
import type { Io } from './io.ts';
import { openStore, storedCredential } from './store.ts';

export interface Opened extends AsyncDisposable {
  spec: SpecDocument;
  connection: Connection;
  /** The stored credential's name; undefined for inputs that are stored nowhere. */
  credential: string | undefined;
  /** Notes in the stored credential how a check ended. */
  remember(report: CheckReport): Promise<void>;
}

export interface OpenOptions extends BehaviourOptions {
  /** The option that names the auth method. Default: method. */
  methodOption?: string;
  /** The command has --credential and no options for inputs. */
  stored?: boolean;
}

/**
 * The connection that check, request and read work on: inputs of the command line, else the stored credential, else
 * inputs of the environment.
 */
export async function openConnection(args: Arguments, io: Io, options: OpenOptions = {}): Promise<Opened> {
  const [connector] = args.positionals;
  const { spec } = await (connector === undefined ? specOfCredential(args, io) : findSpec(args, io, connector));
  const methodOption = options.methodOption ?? 'method';
  const shared: ConnectionOptions = {
    ...(await behaviourOptions(args, io, options)),
    environment: io.env,
    clock: io.clock,
    random: io.random,
    signal: io.signal,
  };
  const named = args.text('credential');
  const given = options.stored !== true && givesInputs(args, methodOption);
  if (named !== undefined && given) {
    throw new FerruleError('usage', '--credential takes a stored credential: inputs do not go with it', {
      next: `Leave the inputs out, or store them with \`ferrule connect ${spec.name} --name ${named}\`.`,
    });
  }
  if (given) return opened({ spec, credential: undefined, ...(await fromInputs(spec, args, io, shared, methodOption)) }, undefined, io);
  const store = openStore(args, io);
  try {
    const name = named ?? (await onlyCredential(store, spec.name));
    if (name !== undefined) {
      return opened({ spec, connection: await connectStored(spec, name, { ...shared, store }), credential: name }, store, io);
    }
    if (!inEnvironment(spec, io)) {
      throw new FerruleError('credential_unknown', `No credential for ${spec.name} is stored`, {
        where: spec.name,
        next: `Run \`ferrule connect ${spec.name}\`, or pass inputs: --field, --inputs or --connection-string.`,
      });
    }
    return opened({ spec, credential: undefined, ...(await fromInputs(spec, args, io, shared, methodOption)) }, store, io);
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** A credential knows its connector by name; where a team's file lies it does not know. */
async function specOfCredential(args: Arguments, io: Io): Promise<FoundSpec> {
  const connector = await connectorOf(args, io);
  return findSpec(args, io, connector).catch((error: unknown) => {
    if (!isFerruleError(error) || error.code !== 'connector_unknown') throw error;
    const next = `Name the spec's path as well, or its folder with --catalogue (or in FERRULE_CONNECTORS).`;
    throw new FerruleError('connector_unknown', `the credential is for "${connector}", which is in no folder of connectors`, {
      where: connector,
      next,
    });
  });
}

/** Without a connector's name the stored credential says which it is for. */
async function connectorOf(args: Arguments, io: Io): Promise<string> {
  const name = args.text('credential');
  if (name === undefined)
    throw new FerruleError('usage', 'Neither a connector nor a credential is named', { next: 'Pass a connector, or --credential NAME.' });
  const store = openStore(args, io);
  try {
    return (await storedCredential(store, name)).connector;
  } finally {
    await store.close();
  }
}

async function fromInputs(
  spec: SpecDocument,
  args: Arguments,
  io: Io,
  shared: ConnectionOptions,
  methodOption: string,
): Promise<{ connection: Connection }> {
  const { string, ...inputs } = await gatherInputs(spec, args, io, { prompt: false, method: args.text(methodOption) });
  if (string === undefined) return { connection: await connectSpec(spec, inputs, shared) };
  const { connectParsed } = await import('../engine/connection-string.ts');
  return { connection: await connectParsed(spec, inputs, string, shared, (path) => pathOf(io, path)) };
}

function opened(parts: Omit<Opened, typeof Symbol.asyncDispose | 'remember'>, store: CredentialStore | undefined, io: Io): Opened {
  return {
    ...parts,
    async remember(report) {
      const { credential, spec } = parts;
      if (credential === undefined || store === undefined) return;
      await store.update(credential, async (current) => ({ ...current, checked: checkedState(report, io) }));
      const outcome = report.ok ? 'ok' : (report.code ?? 'internal');
      await store.logUse(useNow({ action: 'checked', credential, connector: spec.name, outcome }, io.clock));
    },
    async [Symbol.asyncDispose]() {
      await parts.connection.close();
      await store?.close();
    },
  };
}

/** What is kept of a check. */
export const checkedState = ({ ok, code }: CheckReport, io: Io): CheckedState => ({
  at: new Date(io.clock.now()).toISOString(),
  ok,
  ...(code !== undefined && { code }),
});

/** The one credential of that connector; several need a word, since a wrong guess reads the wrong account. */
async function onlyCredential(store: CredentialStore, connector: string): Promise<string | undefined> {
  const names = (await store.list()).filter((one) => one.connector === connector).map(({ name }) => name);
  if (names.length < 2) return names[0];
  throw new FerruleError('usage', `There are ${names.length} credentials for ${connector}: ${names.join(', ')}`, {
    next: 'Pass --credential NAME.',
  });
}

/** Whether the environment has all that the first method needs. */
function inEnvironment(spec: SpecDocument, io: Io): boolean {
  const { fields } = shapeOf(spec, Object.keys(spec.auth)[0] ?? '');
  const { values } = environmentInputs(
    spec.name,
    fields.map(({ name }) => name),
    io.env,
  );
  return missingFields(fields, values as Record<string, string>).length === 0;
}
