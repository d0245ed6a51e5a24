/**
 * A process that writes three streams to a destination until it is killed, going on from the state that it finds there:
 * `sink-child MODULE TARGET`. What each commit writes follows from its number alone, so that rows and state can be compared.
 */
import type { Sink, SinkStream, WriteMode } from '../../framework/core/sink.ts';
import type { JsonObject } from '../../framework/core/value.ts';
import { KEYS, keysOf, PARTS, ROWS } from './sink-rows.ts';

const [module = '', target = ''] = process.argv.slice(2);
const { open } = (await import(module)) as { open(target: string): Promise<Sink> };
const sink = await open(target);

const streamOf = (name: string, mode: WriteMode, resumes: boolean): SinkStream => ({
  ...{ name, mode, resumes, primary_key: mode === 'upsert' ? ['id'] : [], columns: { id: 'integer' }, state: {} },
});

const numberIn = async (stream: string, key: string): Promise<number> => Number((await sink.state(stream)).get(key) ?? 0);

/** Now and then a column comes, or a value that its column does not hold. */
function shaped(commit: number, id: number): JsonObject {
  const odd = commit % 9 === 0 ? `text ${commit}` : commit % 5 === 0 ? 0.5 : commit;
  return { id, commit, odd, ...(commit % 7 === 0 && { [`column_${commit}`]: true }) };
}

async function appending(): Promise<never> {
  const log = await sink.open(streamOf('log', 'append', true));
  for (let commit = (await numberIn('log', 'last')) + 1; ; commit++) {
    const records = Array.from({ length: ROWS }, (_, at) => shaped(commit, commit * ROWS + at));
    await log.commit({ records, state: { last: commit } });
  }
}

async function upserting(): Promise<never> {
  const keyed = await sink.open(streamOf('keyed', 'upsert', true));
  for (let commit = (await numberIn('keyed', 'last')) + 1; ; commit++) {
    await keyed.commit({ records: keysOf(commit).map((id) => ({ id: id % KEYS, commit })), state: { last: commit } });
  }
}

async function overwriting(): Promise<never> {
  for (let read = (await numberIn('whole', 'read')) + 1; ; read++) {
    const part = await numberIn('whole', 'part');
    const whole = await sink.open(streamOf('whole', 'overwrite', part > 0));
    for (let next = part + 1; next <= PARTS; next++) {
      const records = Array.from({ length: ROWS }, (_, at) => ({ id: next * ROWS + at, read }));
      await whole.commit({ records, state: { part: next } });
    }
    await whole.finish({ read, part: null });
    await whole.close();
  }
}

process.stdout.write('ready\n');
await Promise.all([appending(), upserting(), overwriting()]);
