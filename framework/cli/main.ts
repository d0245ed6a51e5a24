import { type ErrorKind, FerruleError, isFerruleError } from '../core/errors.ts';
import { suggest } from '../core/suggest.ts';
import { parseArguments } from './arguments.ts';
import { COMMANDS } from './commands.ts';
import { errorText } from './error-text.ts';
import { printCommandHelp, printHelp } from './help.ts';
import { type Io, print, Stop } from './io.ts';
import { say } from './say.ts';
import { styleOf } from './style.ts';

export { processIo } from './io.ts';

/**
 * Runs one command line (without `node` and the program's name) and gives the exit code: 0 clean, 1 findings or a
 * failed check or read, 2 usage or I/O, 130 Ctrl-C. Never throws; ends no process.
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const debug = argv.includes('--debug');
  const json = argv.includes('--json');
  try {
    const code = await dispatch(argv, io);
    // A write that failed is told a moment after it was made.
    await new Promise((resolve) => setImmediate(resolve));
    const failure = io.signal.reason instanceof Stop ? io.signal.reason.failure : undefined;
    if (failure !== undefined) throw failure;
    return code;
  } catch (error) {
    const stopped = stop(error, io);
    if (stopped !== undefined && stopped.failure === undefined) {
      if (stopped.exitCode !== 0) await print(io.stderr, `${stopped.message}\n`);
      return stopped.exitCode;
    }
    const plain = json && !argv.includes('request');
    const shown = stopped?.failure ?? error;
    const text = errorText(shown, io, { debug, json: plain });
    await (plain || debug ? print : say)(io.stderr, text);
    return exitCode(shown);
  }
}

async function dispatch(argv: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const topic = name === 'help' ? COMMANDS.find((command) => command.name === rest[0]) : undefined;
    const asked = name !== undefined;
    const output = asked ? io.stdout : io.stderr;
    if (topic !== undefined) await printCommandHelp(topic, output, styleOf(output, io.env));
    else await printHelp(output, styleOf(output, io.env));
    return asked ? 0 : 2;
  }
  const command = COMMANDS.find((known) => known.name === name);
  if (command === undefined) {
    const meant = suggest(name, [...COMMANDS.map((known) => known.name)]);
    const hint = 'Run `ferrule --help` to see the commands.';
    throw new FerruleError('usage', `There is no command "${name}"`, {
      next: meant === undefined ? hint : `Did you mean "${meant}"? ${hint}`,
    });
  }
  const args = parseArguments(command, rest);
  if (args.flag('help')) {
    await printCommandHelp(command, io.stdout, styleOf(io.stdout, io.env));
    return 0;
  }
  const { run } = await command.load();
  return await run(args, io);
}

/** The abort that stands behind an error, when the person or the pipe ended the run. */
function stop(error: unknown, io: Io): Stop | undefined {
  if (error instanceof Stop) return error;
  return io.signal.aborted && io.signal.reason instanceof Stop ? io.signal.reason : undefined;
}

/** Wrong inputs and I/O are the caller's to mend (2); what the provider or the data refuse is the run's result (1). */
const CODES: Readonly<Record<ErrorKind, number>> = {
  input: 2,
  spec: 2,
  internal: 2,
  auth: 1,
  permission: 1,
  rate_limit: 1,
  transient: 1,
  request: 1,
  data: 1,
};

const exitCode = (error: unknown): number => (isFerruleError(error) ? CODES[error.kind] : 2);
