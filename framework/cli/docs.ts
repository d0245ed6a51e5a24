import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FerruleError } from '../core/errors.ts';
import { connectorPage } from '../docs/connector-page.ts';
import { indexPage } from '../docs/index-page.ts';
import { findSpec, loadAll, openCatalogue, pathOf } from './catalogue.ts';
import type { Run } from './commands.ts';
import { print } from './io.ts';

export const run: Run = async (args, io) => {
  const [name] = args.positionals;
  const out = args.text('out');
  const specs = name === undefined ? await loadAll(openCatalogue(args, io)) : [(await findSpec(args, io, name)).spec];
  const pages = specs.map((spec) => ({ file: `${spec.name}.md`, text: connectorPage(spec) }));
  if (out === undefined) {
    if (name === undefined) throw new FerruleError('usage', 'Pages for the whole catalogue need a folder: --out FOLDER');
    await print(io.stdout, pages[0]?.text ?? '');
    return 0;
  }
  if (name === undefined) pages.push({ file: 'index.md', text: indexPage(specs) });
  const folder = pathOf(io, out);
  try {
    await mkdir(folder, { recursive: true });
    for (const { file, text } of pages) await writeFile(join(folder, file), text);
  } catch (error) {
    throw new FerruleError('output_failed', `Pages cannot be written to ${out} (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`, {
      where: out,
      cause: error,
    });
  }
  await print(io.stderr, `Wrote ${pages.length} ${pages.length === 1 ? 'page' : 'pages'} to ${out}\n`);
  return 0;
};
