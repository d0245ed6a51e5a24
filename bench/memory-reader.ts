/**
 * The process whose memory bench/memory.ts and bench/partitions.ts measure: reads one stream into a destination, and prints one line of
 * JSON. `memory-reader OPTIONS`.
 */
import type { SpecDocument } from '../framework/core/spec-types.gen.ts';
import { openSink, type SinkAddress } from '../framework/destinations/index.ts';
import { connectSpec } from '../framework/engine/connect.ts';

export interface ReaderOptions {
  spec: SpecDocument;
  origin: string;
  stream: string;
  into: SinkAddress;
  concurrency?: number;
}

export interface ReaderResult {
  records: number;
  seconds: number;
  commits: number;
  /** The largest resident set: of samples each 250 ms, and as the system has seen it. MiB. */
  sampled: number;
  most: number;
  error?: string;
}

const { spec, origin, stream, into, concurrency = 4 } = JSON.parse(process.argv[2] ?? '') as ReaderOptions;
const MIB = 1024 * 1024;
let sampled = 0;
const sample = (): void => {
  sampled = Math.max(sampled, process.memoryUsage.rss() / MIB);
};
const timer = setInterval(sample, 250);
const began = performance.now();
const connection = await connectSpec(
  spec,
  { fields: {} },
  { sandbox: { addresses: { 'https://api.bench.test': origin } }, rateLimits: false },
);
const sink = await openSink(into);
let commits = 0;
const [outcome] = await connection.readInto(sink, {
  ...{ streams: [stream], concurrency },
  onEvent: ({ type }) => {
    if (type === 'commit') commits += 1;
  },
});
await sink.close();
await connection.close();
clearInterval(timer);
sample();
const result: ReaderResult = {
  ...{ records: outcome?.records ?? 0, seconds: (performance.now() - began) / 1000, commits, sampled },
  most: process.resourceUsage().maxRSS / 1024,
  ...(outcome?.error && { error: `${outcome.error.code}: ${outcome.error.message}` }),
};
console.log(JSON.stringify(result));
