import { writeFile } from 'node:fs/promises';
import { FerruleError } from '../core/errors.ts';
import type { SpecDocument } from '../core/spec-types.gen.ts';
import { connectorTypes } from '../docs/types.ts';
import { Catalogue } from '../spec/catalogue.ts';
import { loadAll, pathOf } from './catalogue.ts';
import type { Run } from './commands.ts';
import { print } from './io.ts';

export const run: Run = async (args, io) => {
  const [folder = ''] = args.positionals;
  const specs: SpecDocument[] = await loadAll(new Catalogue([pathOf(io, folder)]));
  if (specs.length === 0) throw new FerruleError('spec_unreadable', `There is no spec in ${folder}`, { where: folder });
  const text = connectorTypes(specs, 'team');
  const out = args.text('out');
  if (out === undefined || out === '-') await print(io.stdout, text);
  else {
    await writeFile(pathOf(io, out), text).catch((error: NodeJS.ErrnoException) => {
      throw new FerruleError('output_failed', `${out} cannot be written (${error.code ?? 'unknown'})`, { where: out, cause: error });
    });
    await print(io.stderr, `Wrote types of ${specs.length} ${specs.length === 1 ? 'connector' : 'connectors'} to ${out}\n`);
  }
  return 0;
};
