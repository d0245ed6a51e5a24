import { availableParallelism } from 'node:os';
import type { Finding } from '../core/finding.ts';
import type { SpecDocument } from '../core/spec-types.gen.ts';
import { applyIgnores } from './ignore.ts';
import { inThreads } from './lint-threads.ts';
import { type Loaded, loadText, readSpecFile } from './load.ts';
import { makeContext } from './rules/context.ts';
import { RULES } from './rules/index.ts';
import { run } from './rules/rule.ts';
import type { SpecNode, SpecTree } from './tree.ts';
import { validate } from './validate.ts';

export interface LintOptions {
  /** Warnings count as errors. */
  warningsAsErrors?: boolean;
  /** Worker threads. Default: as many as cores for more than 50 files, else none. */
  workers?: number;
}

export interface LintResult {
  findings: Finding[];
  /** How many files were read. */
  files: number;
}

/** From here on threads are worth their start. */
const MANY_FILES = 50;
/** The same file from the sources and from dist/. */
const WORKER = new URL(import.meta.url.endsWith('.ts') ? './lint-worker.ts' : './lint-worker.js', import.meta.url);

/** All findings of one spec, in the order of its text. */
export function lintText(input: string | Uint8Array, file: string, options: LintOptions = {}): Finding[] {
  return finish(lintLoaded(loadText(input, file)), options);
}

/** Lints files. I/O errors throw `spec_unreadable`; everything else is a finding. Findings stand in the order of the files. */
export async function lint(files: readonly string[], options: LintOptions = {}): Promise<LintResult> {
  const workers = options.workers ?? (files.length > MANY_FILES ? availableParallelism() : 0);
  const perFile = workers > 0 ? await inThreads(files, workers, WORKER) : await lintHere(files);
  return { findings: finish(perFile.flat(), options), files: files.length };
}

async function lintHere(files: readonly string[]): Promise<Finding[][]> {
  const results: Finding[][] = [];
  for (const file of files) results.push(lintLoaded(loadText(await readSpecFile(file), file)));
  return results;
}

/** Rules over a loaded spec. With mistakes in it the sound rest is still looked at. */
export function lintLoaded({ source, tree, spec, findings }: Loaded): Finding[] {
  if (source === undefined || tree === undefined) return findings;
  const usable = spec === undefined ? withoutMistakes(tree, findings) : { tree, spec, partial: false };
  if (usable === undefined) return sorted(applyIgnores(tree, findings));
  const context = makeContext(usable.tree, source, usable.spec, usable.partial);
  return sorted(applyIgnores(tree, [...findings, ...RULES.flatMap((rule) => run(rule, context))]));
}

const PRUNABLE = new Set(['unknown-key', 'later-word', 'template-chain', 'bad-value', 'wrong-kind']);

/** The spec without the entries that have findings, if that is a whole spec. */
function withoutMistakes(tree: SpecTree, findings: readonly Finding[]): { tree: SpecTree; spec: SpecDocument; partial: true } | undefined {
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (!errors.every(({ rule, path }) => path.length === 0 || PRUNABLE.has(rule))) return undefined;
  const paths = errors.filter(({ path }) => path.length > 0).map(({ path }) => path.join('\n'));
  const pruned = tree.withRoot(prune(tree.root, [], new Set(paths)));
  return validate(pruned).length === 0 ? { tree: pruned, spec: pruned.value as unknown as SpecDocument, partial: true } : undefined;
}

function prune(node: SpecNode, path: (string | number)[], wrong: ReadonlySet<string>): SpecNode {
  if (node.kind === 'scalar') return node;
  if (node.kind === 'list') return { ...node, items: node.items.map((item, at) => prune(item, [...path, at], wrong)) };
  const entries = [...node.entries].flatMap(([key, entry]): [string, typeof entry][] => {
    const here = [...path, key];
    return wrong.has(here.join('\n')) ? [] : [[key, { ...entry, value: prune(entry.value, here, wrong) }]];
  });
  return { ...node, entries: new Map(entries) };
}

const sorted = (findings: Finding[]): Finding[] => findings.sort((a, b) => a.start.offset - b.start.offset || (a.rule < b.rule ? -1 : 1));

const finish = (findings: Finding[], { warningsAsErrors }: LintOptions): Finding[] =>
  warningsAsErrors === true ? findings.map((finding) => ({ ...finding, severity: 'error' })) : findings;
