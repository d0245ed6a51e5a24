import { FerruleError } from '../core/errors.ts';
import type { SpecDocument } from '../core/spec-types.gen.ts';
import type { Connection } from '../engine/connection.ts';
import { readSingerCatalog, readSingerState, singerCatalog } from '../interop/singer-catalog.ts';
import { singerSink } from '../interop/singer-sink.ts';
import type { Arguments } from './arguments.ts';
import { findSpec } from './catalogue.ts';
import type { Run } from './commands.ts';
import { openConfigured, readJsonOption, rewriteConfig, writer } from './configured.ts';
import { errorText } from './error-text.ts';
import { type Io, print } from './io.ts';
import { openConnection } from './open-connection.ts';
import { say } from './say.ts';

export const run: Run = async (args, io) => {
  const [name] = args.positionals;
  const connector = name ?? (io.env.FERRULE_CONNECTOR || undefined);
  if (connector === undefined) throw new FerruleError('usage', 'No connector is named', { next: 'Name it, or set FERRULE_CONNECTOR.' });
  const { spec } = await findSpec(args, io, connector);
  if (!args.flag('credential')) {
    await using connection = await openConfigured(spec, args, io, (config) => rewriteConfig(args, io, config));
    return await tap(connection, spec, args, io);
  }
  if (args.flag('config') || args.flag('sandbox'))
    throw new FerruleError('usage', '--credential takes a stored credential: --config and --sandbox do not go with it');
  await using opened = await openConnection(args, io, { everyCall: false, stored: true });
  return await tap(opened.connection, spec, args, io);
};

async function tap(connection: Connection, spec: SpecDocument, args: Arguments, io: Io): Promise<number> {
  const known = connection.streams();
  if (args.flag('discover')) {
    await print(io.stdout, `${JSON.stringify(singerCatalog(known), undefined, 2)}\n`);
    return 0;
  }
  if (args.flag('catalog') && args.flag('properties'))
    throw new FerruleError('usage', '--properties is the old name of --catalog: pass one of them');
  const catalog = await readJsonOption(args, io, args.flag('properties') ? 'properties' : 'catalog');
  const streams = readSingerCatalog(catalog, known);
  const states = readSingerState(await readJsonOption(args, io, 'state'));
  if (streams.size === 0) await say(io.stderr, `The catalog selects no stream of ${spec.title}.\n`);
  const sink = singerSink({ streams, known, states, write: writer(io), now: () => io.clock.now() });
  const outcomes = await connection.readInto(sink, {
    streams: [...streams.keys()],
    signal: io.signal,
    onEvent: (event) => {
      // The pipeline has ended it, and knows.
      if (event.type !== 'end' || io.signal.aborted) return;
      const { stream, outcome } = event;
      void print(io.stderr, `${stream}: ${outcome.records} records, ${outcome.complete ? 'complete' : 'not complete'}\n`);
      if (outcome.error !== undefined) void say(io.stderr, `${stream}: ${errorText(outcome.error, io)}`);
    },
  });
  await sink.close();
  if (io.signal.aborted) throw io.signal.reason;
  return outcomes.every(({ complete }) => complete) ? 0 : 1;
}
