import { chmod, readFile, realpath, rename, stat, unlink } from 'node:fs/promises';
import { relative } from 'node:path';
import { unlessMissing, writeNew } from '../core/atomic-write.ts';
import { FerruleError, isFerruleError } from '../core/errors.ts';
import type { Finding } from '../core/finding.ts';
import type { ColumnType } from '../core/resolved.ts';
import type { Connection, StreamInfo } from '../engine/connection.ts';
import { columnSample, type InferredColumn } from '../engine/infer-columns.ts';
import { BUNDLED_FOLDER } from '../spec/catalogue.ts';
import { lintText } from '../spec/lint.ts';
import { applyEdits, type TextEdit, unifiedDiff } from '../spec/text-edit.ts';
import type { SpecTree } from '../spec/tree.ts';
import { columnEdits, type WantedColumns } from '../spec/write-columns.ts';
import type { Arguments } from './arguments.ts';
import { type FoundSpec, findSpec, isPath } from './catalogue.ts';
import { inferredText } from './infer-text.ts';
import { type Io, print } from './io.ts';
import { printJson } from './json-output.ts';
import { openConnection } from './open-connection.ts';
import { pickStreams } from './pick-streams.ts';
import { Progress } from './progress.ts';

const RECORDS = 500;

/** What a sample says of one stream. */
export interface InferredStream {
  stream: string;
  /** In the sample. */
  records: number;
  columns: InferredColumn[];
  error?: FerruleError;
}

/** `ferrule streams --infer`: a sample of each stream, and what it says of the columns written into the spec. */
export async function inferColumns(args: Arguments, io: Io): Promise<number> {
  const [name = '', ...wanted] = args.positionals;
  const found = await findSpec(args, io, name);
  if (!args.flag('dry-run')) refuseUnnamed(name, found);
  const most = args.count('records', 1) ?? RECORDS;
  await using opened = await openConnection(args, io);
  const inferred: InferredStream[] = [];
  const line = new Progress(io);
  for (const stream of pickStreams(opened.connection, wanted)) {
    if (!args.flag('json')) line.update(() => `${stream}: up to ${most} records`);
    inferred.push(await sampled(opened.connection, stream, most, io));
    if (io.signal.aborted) throw io.signal.reason;
  }
  line.clear();
  const { source } = found.loaded;
  const edits = columnEdits(source as SpecTree, wantedColumns(inferred, args.flag('replace')));
  await told({ found, inferred, edits }, args, io);
  return inferred.some(({ error }) => error !== undefined) ? 1 : 0;
}

interface Outcome {
  found: FoundSpec;
  inferred: readonly InferredStream[];
  edits: readonly TextEdit[];
}

async function told({ found, inferred, edits }: Outcome, args: Arguments, io: Io): Promise<void> {
  const { path, loaded } = found;
  const before = (loaded.source as SpecTree).text;
  const after = applyEdits(before, edits);
  const [dry, replace] = [args.flag('dry-run'), args.flag('replace')];
  const findings = edits.length === 0 ? [] : newFindings(before, after, path);
  if (!dry && edits.length > 0) await written(path, before, after);
  const short = relative(io.cwd, path);
  const diff = dry ? unifiedDiff(before, edits, short.startsWith('..') ? path : short) : undefined;
  if (args.flag('json')) {
    const streams = inferred.map(({ error, ...one }) => ({ ...one, ...(error && { error: error.toJSON() }) }));
    const about = { connector: found.spec.name, path, written: !dry && edits.length > 0, streams, findings };
    return await printJson(io, { ...about, ...(diff !== undefined && { diff }) });
  }
  if (diff !== undefined) await print(io.stdout, diff);
  await print(io.stderr, inferredText(inferred, findings, { io, replace, file: dry || edits.length === 0 ? undefined : path }));
}

/** A bundled spec belongs to the installation; one that was found by its name may be another than was meant. */
function refuseUnnamed(name: string, { path, spec }: FoundSpec): void {
  const bundled = !relative(BUNDLED_FOLDER, path).startsWith('..');
  if (!bundled && isPath(name)) return;
  const copy = `Copy it with \`ferrule show ${spec.name} --source > ${spec.name}.yaml\`, and name that file`;
  throw new FerruleError(
    'usage',
    bundled ? `${spec.name} comes with Ferrule and is not changed` : 'Columns are written into a file that is named',
    {
      where: path,
      next: bundled ? `${copy}; or pass --dry-run.` : `Name ${path}, or pass --dry-run.`,
    },
  );
}

async function sampled(connection: Connection, stream: string, most: number, io: Io): Promise<InferredStream> {
  const { columns } = connection.streams().find((one) => one.name === stream) as StreamInfo;
  const sample = columnSample(stream);
  let records = 0;
  try {
    for await (const page of connection.read(stream, { limit: most, signal: io.signal }).pages()) {
      records += page.length;
      for (const record of page) sample.see(record);
    }
    return { stream, records, columns: records === 0 ? [] : sample.columns(columns) };
  } catch (error) {
    if (!isFerruleError(error)) throw error;
    return { stream, records, columns: [], error };
  }
}

/** New columns, and with --replace those whose values are not as they are declared. */
function wantedColumns(inferred: readonly InferredStream[], replace: boolean): WantedColumns {
  return Object.fromEntries(
    inferred.map(({ stream, columns }) => [
      stream,
      Object.fromEntries(
        columns
          .filter(({ state, name }) => name !== '__proto__' && (state === 'new' || (replace && state === 'contradicted')))
          .map(({ name, type }) => [name, type as ColumnType]),
      ),
    ]),
  );
}

/** What lint finds now and did not before: a column that others name and that only null was seen of. */
function newFindings(before: string, after: string, path: string): Finding[] {
  const key = ({ rule, message }: Finding): string => `${rule} ${message}`;
  const known = new Set(lintText(before, path).map(key));
  return lintText(after, path).filter((finding) => !known.has(key(finding)));
}

/** Whole or not at all, with the rights it had. @throws FerruleError output_failed */
async function written(path: string, before: string, after: string): Promise<void> {
  const file = await realpath(path);
  const temporary = `${file}.ferrule-new`;
  const now = await readFile(file, 'utf8');
  const mark = now.startsWith('\ufeff') ? '\ufeff' : '';
  if (now !== mark + before) {
    throw new FerruleError('output_failed', `${path} was changed while its streams were read`, { where: path, next: 'Run it again.' });
  }
  try {
    const { mode } = await stat(file);
    await unlink(temporary).catch(unlessMissing);
    await writeNew(temporary, mark + after);
    await chmod(temporary, mode);
    await rename(temporary, file);
  } catch (cause) {
    await unlink(temporary).catch(() => {}); // it may not be there; what failed before says more
    throw new FerruleError('output_failed', `${path} cannot be written (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`, {
      where: path,
      next: 'Check its rights and the free space; it is as it was.',
      cause,
    });
  }
}
