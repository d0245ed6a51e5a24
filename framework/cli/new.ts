import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FerruleError } from '../core/errors.ts';
import { pathOf } from './catalogue.ts';
import type { Run } from './commands.ts';
import { print } from './io.ts';
import { starter } from './starter.ts';

export const run: Run = async (args, io) => {
  const [name = ''] = args.positionals;
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) || name.length > 64) {
    const plain = name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 64);
    throw new FerruleError('usage', `"${name}" is no name for a connector: lower case letters, digits and single - between them`, {
      next: plain === '' ? 'Write, for example, acme-crm.' : `Write ${plain}.`,
    });
  }
  const out = args.text('out') ?? '.';
  const text = starter(name, args.text('auth') ?? 'bearer', schemaFrom(out === '-' ? io.cwd : pathOf(io, out)));
  if (out === '-') {
    await print(io.stdout, text);
    return 0;
  }
  const file = join(pathOf(io, out), `${name}.yaml`);
  const shown = relative(io.cwd, file);
  try {
    await mkdir(pathOf(io, out), { recursive: true });
    await writeFile(file, text, { flag: 'wx' });
  } catch (error) {
    const taken = (error as NodeJS.ErrnoException).code === 'EEXIST';
    throw new FerruleError(
      'output_failed',
      taken ? `${shown} exists already` : `${shown} cannot be written (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`,
      {
        where: shown,
        next: taken ? 'Take another name, or remove the file.' : 'Check the folder and its rights.',
        cause: error,
      },
    );
  }
  await print(io.stdout, `${shown}\n`);
  await print(
    io.stderr,
    `Next: edit it, then \`ferrule lint ${shown}\` and \`ferrule sandbox ${shown.includes('/') ? shown : `./${shown}`}\`.\n`,
  );
  return 0;
};

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/\\]$/, '');

/** The editor schema, seen from a folder of the same project; elsewhere (a global installation) where a project has it. */
function schemaFrom(folder: string): string {
  const inside = dirname(PACKAGE).endsWith(`${sep}node_modules`);
  const root = inside ? dirname(dirname(PACKAGE)) : PACKAGE;
  if (folder !== root && !folder.startsWith(root + sep)) return './node_modules/ferrule/schemas/connector.gen.schema.json';
  const path = relative(folder, join(PACKAGE, 'schemas', 'connector.gen.schema.json'))
    .split(sep)
    .join('/');
  return path.startsWith('.') ? path : `./${path}`;
}
