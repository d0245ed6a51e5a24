import { loadFile } from '../spec/load.ts';
import { openCatalogue } from './catalogue.ts';
import type { Run } from './commands.ts';
import { print } from './io.ts';
import { printJson } from './json-output.ts';
import { styleOf } from './style.ts';
import { table, widthOf } from './table.ts';

interface Listed {
  name: string;
  title: string;
  version: string;
  categories: string[];
  methods: string[];
  streams: number;
  path: string;
}

export const run: Run = async (args, io) => {
  const { entries, findings } = await openCatalogue(args, io).list();
  const category = args.text('category');
  const rows: Listed[] = [];
  const broken: string[] = [];
  for (const { path } of entries) {
    const { spec, findings: own } = await loadFile(path);
    if (spec === undefined) {
      const errors = own.filter(({ severity }) => severity === 'error').length;
      broken.push(`${path} has ${errors} ${errors === 1 ? 'error' : 'errors'} and is left out: run \`ferrule lint ${path}\`.`);
      continue;
    }
    const { name, title, version, categories = [] } = spec;
    if (category !== undefined && !categories.includes(category)) continue;
    rows.push({
      name,
      title,
      version,
      categories: [...categories],
      methods: Object.keys(spec.auth),
      streams: Object.keys(spec.streams ?? {}).length,
      path,
    });
  }
  if (args.flag('json')) await printJson(io, { connectors: rows });
  else if (rows.length > 0) await print(io.stdout, text(rows, io));
  for (const { file, message } of findings) broken.push(`${file}: ${message}`);
  for (const line of broken) await print(io.stderr, `warning: ${line}\n`);
  if (rows.length === 0)
    await print(io.stderr, category === undefined ? 'There is no connector.\n' : `There is no connector of category "${category}".\n`);
  return 0;
};

function text(rows: readonly Listed[], io: Parameters<Run>[1]): string {
  const style = styleOf(io.stdout, io.env);
  const width = widthOf(io.stdout);
  return table(
    ['Name', 'Title', 'Version', 'Streams', 'Methods', 'Categories'],
    rows.map((row) => [
      style.bold(row.name),
      row.title,
      row.version,
      String(row.streams),
      row.methods.join(', '),
      row.categories.join(', '),
    ]),
    { right: [3], heading: style.dim, ...(width !== undefined && { width }) },
  );
}
