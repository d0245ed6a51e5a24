import { FerruleError } from '../core/errors.ts';
import type { SpecDocument } from '../core/spec-types.gen.ts';
import { suggest } from '../core/suggest.ts';
import { catalogMessage, readAirbyteState, readConfiguredCatalog } from '../interop/airbyte-catalog.ts';
import { configMessage, errorMessage, failedStatus, line, messageOf, statusOf } from '../interop/airbyte-messages.ts';
import { airbyteRead } from '../interop/airbyte-read.ts';
import { airbyteSpec } from '../interop/airbyte-spec.ts';
import type { Arguments } from './arguments.ts';
import { findSpec } from './catalogue.ts';
import type { Run } from './commands.ts';
import { openConfigured, readJsonOption, writer } from './configured.ts';
import { errorText } from './error-text.ts';
import type { Io } from './io.ts';
import { say } from './say.ts';

const ACTIONS = { spec: specify, check, discover, read } as const;
type Action = keyof typeof ACTIONS;
type Act = (spec: SpecDocument, args: Arguments, io: Io) => Promise<number>;

export const run: Run = async (args, io) => {
  const [action = '', named] = args.positionals;
  try {
    const act: Act = ACTIONS[actionOf(action)];
    return await act((await findSpec(args, io, connectorOf(named, io))).spec, args, io);
  } catch (error) {
    // The platform or the pipe has ended it: nobody is to be told.
    if (io.signal.aborted) throw error;
    await tell(io, action === 'check' ? failedStatus(messageOf(error)) : errorMessage(error, io.clock.now()));
    await say(io.stderr, errorText(error, io, { debug: args.flag('debug') }));
    return action === 'check' ? 0 : 1;
  }
};

function actionOf(text: string): Action {
  if (Object.hasOwn(ACTIONS, text)) return text as Action;
  const names = Object.keys(ACTIONS);
  const meant = suggest(text, names);
  throw new FerruleError('usage', `airbyte has no action "${text}"`, {
    next: `${meant === undefined ? '' : `Did you mean "${meant}"? `}There are ${names.join(', ')}.`,
  });
}

/** A platform runs an image with the action and its options alone: the connector is then named in the image's environment. */
function connectorOf(named: string | undefined, { env }: Io): string {
  const name = named ?? (env.FERRULE_CONNECTOR || undefined);
  if (name !== undefined) return name;
  throw new FerruleError('usage', 'No connector is named', { next: 'Name it behind the action, or in FERRULE_CONNECTOR.' });
}

const tell = (io: Io, message: object): Promise<void> => writer(io)(line(message));

/** Tokens that a provider has rotated reach the platform as a CONTROL message: it keeps the configuration. */
const open = (spec: SpecDocument, args: Arguments, io: Io) =>
  openConfigured(spec, args, io, (config) => tell(io, configMessage(config, io.clock.now())));

async function specify(spec: SpecDocument, _args: Arguments, io: Io): Promise<number> {
  await tell(io, { type: 'SPEC', spec: airbyteSpec(spec) });
  return 0;
}

async function check(spec: SpecDocument, args: Arguments, io: Io): Promise<number> {
  await using connection = await open(spec, args, io);
  await tell(io, statusOf(await connection.check({ signal: io.signal })));
  return 0;
}

async function discover(spec: SpecDocument, args: Arguments, io: Io): Promise<number> {
  await using connection = await open(spec, args, io);
  await tell(io, catalogMessage(connection.streams()));
  return 0;
}

async function read(spec: SpecDocument, args: Arguments, io: Io): Promise<number> {
  await using connection = await open(spec, args, io);
  const streams = readConfiguredCatalog(await readJsonOption(args, io, 'catalog'), connection.streams());
  const states = readAirbyteState(await readJsonOption(args, io, 'state'), streams);
  const complete = await airbyteRead(connection, { streams, states, write: writer(io), now: () => io.clock.now(), signal: io.signal });
  if (io.signal.aborted) throw io.signal.reason;
  return complete ? 0 : 1;
}
