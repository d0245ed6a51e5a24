import { FerruleError } from '../core/errors.ts';
import { suggest } from '../core/suggest.ts';
import { describe, type StreamDescription } from '../docs/describe.ts';
import { findSpec } from './catalogue.ts';
import type { Run } from './commands.ts';
import { type Io, print } from './io.ts';
import { printJson } from './json-output.ts';
import { styleOf } from './style.ts';
import { paragraph, table, widthOf } from './table.ts';

export const run: Run = async (args, io) => {
  if (args.flag('infer')) return await (await import('./infer.ts')).inferColumns(args, io);
  const alone = SAMPLING.find((option) => args.flag(option));
  if (alone !== undefined) throw new FerruleError('usage', `--${alone} goes with --infer`);
  const [name = '', wanted, more] = args.positionals;
  if (more !== undefined) throw new FerruleError('usage', 'One stream is shown in full, or all are listed', { next: 'Name one, or none.' });
  const { spec } = await findSpec(args, io, name);
  const method = args.text('method');
  const { streams } = describe(spec, { ...(method !== undefined && { method }), choices: args.pairs('choice') });
  const shown = wanted === undefined ? streams : [pick(streams, wanted, spec.name)];
  if (args.flag('json')) await printJson(io, { connector: spec.name, streams: shown });
  else if (wanted === undefined) await print(io.stdout, list(shown, io));
  else await print(io.stdout, full(shown[0] as StreamDescription, io));
  return 0;
};

const SAMPLING = ['records', 'replace', 'dry-run', 'credential'] as const;

function pick(streams: readonly StreamDescription[], wanted: string, connector: string): StreamDescription {
  const found = streams.find(({ name }) => name === wanted);
  if (found !== undefined) return found;
  const names = streams.map(({ name }) => name);
  const meant = suggest(wanted, names);
  throw new FerruleError('stream_unknown', `${connector} has no stream "${wanted}"`, {
    where: wanted,
    next: meant === undefined ? `It has: ${names.join(', ')}.` : `Did you mean "${meant}"?`,
  });
}

function list(streams: readonly StreamDescription[], io: Io): string {
  const style = styleOf(io.stdout, io.env);
  const width = widthOf(io.stdout);
  const rows = streams.map(({ name, title, parent, primary_key, columns, when }) => [
    style.bold(name),
    parent ?? '',
    primary_key.join(', '),
    String(columns.length),
    when === undefined ? title : `${title} (when ${when})`,
  ]);
  return table(['Stream', 'Parent', 'Primary key', 'Columns', 'Title'], rows, {
    right: [3],
    heading: style.dim,
    ...(width !== undefined && { width }),
  });
}

function full(stream: StreamDescription, io: Io): string {
  const style = styleOf(io.stdout, io.env);
  const width = widthOf(io.stdout);
  const parts = [`${style.bold(stream.title)}  ${style.dim(stream.name)}\n`];
  if (stream.help !== undefined) parts.push(paragraph(stream.help.trim(), io.stdout));
  parts.push(`Request: ${stream.request}\n`);
  if (stream.parent !== undefined) parts.push(`Read once per record of: ${stream.parent}\n`);
  if (stream.when !== undefined) parts.push(`Offered when: ${stream.when}\n`);
  parts.push(`Primary key: ${stream.primary_key.join(', ')}\n`, `Pages: ${stream.paginate}\n`);
  for (const { url, trust = 'vendor' } of stream.source) parts.push(`Source: ${url} (${trust.replace('_', ' ')})\n`);
  const rows = stream.columns.map(({ name, type, help, example }) => [
    style.cyan(name),
    type,
    [help ?? '', example === undefined ? '' : `Example: ${example}`].filter((part) => part !== '').join('. '),
  ]);
  parts.push('\n', table(['Column', 'Type', 'About'], rows, { heading: style.dim, ...(width !== undefined && { width }) }));
  return parts.join('');
}
