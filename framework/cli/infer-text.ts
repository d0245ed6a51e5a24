import type { Finding } from '../core/finding.ts';
import type { InferredColumn } from '../engine/infer-columns.ts';
import { errorText } from './error-text.ts';
import type { InferredStream } from './infer.ts';
import type { Io } from './io.ts';
import { hanging } from './say.ts';
import { styleOf, visible } from './style.ts';
import { widthOf } from './table.ts';

interface About {
  io: Io;
  replace: boolean;
  /** The file that was written; undefined: none. */
  file: string | undefined;
}

/** What a sample said of each stream, and what was done with it. */
export function inferredText(inferred: readonly InferredStream[], findings: readonly Finding[], { io, replace, file }: About): string {
  const style = styleOf(io.stderr, io.env);
  const lines = inferred.flatMap(({ stream, records, columns, error }) => {
    const heading = `${style.bold(stream)}: ${summary(records, columns)}`;
    if (error !== undefined)
      return [
        `${heading}; nothing is written`,
        ...errorText(error, io)
          .trimEnd()
          .split('\n')
          .map((line) => `  ${line}`),
      ];
    return [heading, ...columns.flatMap((column) => columnLines(column, replace)).map((line) => `  ${line}`)];
  });
  const found = findings.map(({ rule, message, start }) => `${style.yellow(rule)} (line ${start.line}): ${visible(message)}`);
  const end = file === undefined ? 'Nothing was written.' : `Written: ${file}`;
  return hanging(`${[...lines, ...found, end].join('\n')}\n`, widthOf(io.stderr));
}

function summary(records: number, columns: readonly InferredColumn[]): string {
  if (records === 0) return 'no records, so that nothing is known';
  const added = columns.filter(({ state }) => state === 'new').length;
  const kept = columns.filter(({ state }) => state === 'declared').length;
  return `${records} records, ${added} new columns${kept === 0 ? '' : `, ${kept} as declared`}`;
}

function columnLines({ name, state, type, declared, mixed }: InferredColumn, replace: boolean): string[] {
  const column = visible(name);
  if (state === 'unseen') return [`${column}: only null came; not written`];
  const said = mixed === undefined ? [] : [`${column}: ${mixed.join(' and ')} came, so that it is text; \`types\` can make it so`];
  if (state !== 'contradicted') return said;
  const done = replace ? `was ${declared}, is ${type}` : `${declared} is declared, ${type} came; --replace changes it`;
  return [`${column}: ${done}`, ...said];
}
