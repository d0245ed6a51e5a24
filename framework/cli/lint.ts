import { readFileSync, watch } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { FerruleError } from '../core/errors.ts';
import type { Finding } from '../core/finding.ts';
import { lint, lintText } from '../spec/lint.ts';
import { report } from '../spec/report/index.ts';
import type { Arguments } from './arguments.ts';
import { catalogueFolders, pathOf } from './catalogue.ts';
import type { Run } from './commands.ts';
import { type Io, print } from './io.ts';
import { readAll } from './standard-input.ts';
import { styleOf } from './style.ts';

type Format = Parameters<typeof report>[0];

export const run: Run = async (args, io) => {
  if (args.flag('watch')) return await watchAndLint(args, io);
  return await lintOnce(args, io);
};

async function lintOnce(args: Arguments, io: Io): Promise<number> {
  const warningsAsErrors = args.flag('warnings-as-errors');
  const names = args.positionals;
  const format = (args.text('format') ?? 'text') as Format;
  if (names.includes('-')) {
    if (names.length > 1) throw new FerruleError('usage', 'Standard input (-) is linted alone');
    const text = await readAll(io);
    return await printFindings(lintText(text, '-', { warningsAsErrors }), 1, format, io, () => text.toString('utf8'));
  }
  const files = await specFiles(names.length > 0 ? names : catalogueFolders(args, io), io);
  const { findings, files: count } = await lint(files, { warningsAsErrors });
  const named = findings.map((finding) => ({ ...finding, file: shorten(finding.file, io) }));
  return await printFindings(named, count, format, io, (file) => readFileSync(pathOf(io, file), 'utf8'));
}

async function printFindings(
  findings: readonly Finding[],
  files: number,
  format: Format,
  io: Io,
  source: (file: string) => string,
): Promise<number> {
  const sources = new Map<string, string | undefined>();
  const text = report(format, findings, {
    color: styleOf(io.stdout, io.env).color,
    cwd: io.cwd,
    source: (file) => {
      if (!sources.has(file)) sources.set(file, readOrNothing(file, source));
      return sources.get(file);
    },
  });
  if (text !== '') await print(io.stdout, text.endsWith('\n') ? text : `${text}\n`);
  if (format === 'text' && findings.length === 0) await print(io.stderr, `${files} ${files === 1 ? 'file' : 'files'}, nothing to mend\n`);
  return findings.some(({ severity }) => severity === 'error') ? 1 : 0;
}

/** The file may have gone since it was linted: the finding is then printed without a code frame. */
function readOrNothing(file: string, source: (file: string) => string): string | undefined {
  try {
    return source(file);
  } catch {
    return undefined;
  }
}

/** Folders give the specs in them, not in folders below: a catalogue is flat. */
async function specFiles(names: readonly string[], io: Io): Promise<string[]> {
  const files: string[] = [];
  for (const name of names) {
    const path = pathOf(io, name);
    const info = await stat(path).catch((error: NodeJS.ErrnoException) => {
      throw new FerruleError('spec_unreadable', `${name} cannot be read (${error.code ?? 'unreadable'})`, {
        where: name,
        next: 'Check the path.',
        cause: error,
      });
    });
    if (!info.isDirectory()) files.push(path);
    else for (const entry of (await readdir(path)).sort()) if (/\.ya?ml$/i.test(entry)) files.push(join(path, entry));
  }
  return files;
}

/** Findings name files as a person in this folder would. */
function shorten(path: string, io: Io): string {
  const short = relative(io.cwd, path);
  return short.startsWith('..') || short === '' ? path : short;
}

const SETTLE = 100;

async function watchAndLint(args: Arguments, io: Io): Promise<number> {
  if (args.positionals.includes('-')) throw new FerruleError('usage', 'Standard input (-) cannot be watched');
  const names = args.positionals.length > 0 ? args.positionals : catalogueFolders(args, io);
  const folders = new Set<string>();
  for (const name of names) {
    const path = pathOf(io, name);
    folders.add((await stat(path)).isDirectory() ? path : dirname(path));
  }
  let changed = (): void => undefined;
  const watchers = [...folders].map((folder) => watch(folder, (_event, file) => /\.ya?ml$/i.test(file ?? '') && changed()));
  try {
    while (!io.signal.aborted) {
      const change = new Promise<void>((resolve) => {
        changed = resolve;
        io.signal.addEventListener('abort', () => resolve(), { once: true });
      });
      await lintOnce(args, io);
      await print(io.stderr, 'Waiting for changes; Ctrl-C ends.\n');
      await change;
      // Editors write a file in several steps.
      if (!io.signal.aborted) await io.clock.sleep(SETTLE, io.signal);
    }
  } finally {
    for (const watcher of watchers) watcher.close();
  }
  throw io.signal.reason;
}
