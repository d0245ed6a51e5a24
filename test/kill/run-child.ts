/**
 * A process that reads all streams of run-spec.ts into a destination, until it is at the end or killed: `run-child OPTIONS`. It says
 * `begun` when the destination is open, and `complete` or what failed.
 */
import type { SpecDocument } from '../../framework/core/spec-types.gen.ts';
import { openSink, type SinkAddress } from '../../framework/destinations/index.ts';
import { connectSpec } from '../../framework/engine/connect.ts';
import { KEYED, NEW, ONCE } from './run-table.ts';

export interface RunChildOptions {
  spec: SpecDocument;
  /** The provider's. */
  origin: string;
  into: SinkAddress;
}

const { spec, origin, into } = JSON.parse(process.argv[2] ?? '') as RunChildOptions;
const sandbox = { addresses: { 'https://api.acme.test': origin } };
const connection = await connectSpec(spec, { fields: {} }, { sandbox, rateLimits: false });
const sink = await openSink(into);

/** Such a state has no read under way, and one has been. */
const isRead = async (stream: string): Promise<boolean> => {
  const head = (await sink.state(stream)).get('stream') as { run?: unknown } | undefined;
  return head !== undefined && head.run === undefined;
};
const once: string[] = [];
for (const stream of ONCE) if (!(await isRead(stream))) once.push(stream);

process.stdout.write('begun\n');
const how = { concurrency: 3, commitEvery: 300 };
const outcomes = await Promise.all([
  connection.readInto(sink, { ...how, streams: [...once, ...NEW], mode: 'append' }),
  connection.readInto(sink, { ...how, streams: [...KEYED], mode: 'upsert' }),
  connection.readInto(sink, { ...how, streams: ['whole'], mode: 'overwrite' }),
]);
const failed = outcomes.flat().filter(({ complete }) => !complete);
await sink.close();
await connection.close();
process.stdout.write(
  failed.length === 0 ? 'complete\n' : failed.map(({ stream, error }) => `failed ${stream}: ${error?.message}\n`).join(''),
);
