import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import type { Finding } from '../core/finding.ts';
import type { SpecDocument } from '../core/spec-types.gen.ts';
import { suggest } from '../core/suggest.ts';
import { applyIgnores } from './ignore.ts';
import { inThreads } from './lint-threads.ts';
import { type Loaded, loadText } from './load.ts';
import { makeContext } from './rules/context.ts';
import { RULES } from './rules/index.ts';
import { run } from './rules/rule.ts';
import { readSpecFile } from './spec-file.ts';
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

/** The others are found when a spec is read. */
const CHECKED = RULES.filter(({ check }) => check !== undefined);

/** From here on threads are worth their start. */
const MANY_FILES = 50;
/** From the sources, and from dist/spec or dist/lib, where it is one file: a thread starts sooner with few. */
const WORKER = new URL(import.meta.url.endsWith('.ts') ? './lint-worker.ts' : '../lib/lint-worker.js', import.meta.url);

/** All findings of one spec, in the order of its text. */
export function lintText(input: string | Uint8Array, file: string, options: LintOptions = {}): Finding[] {
  return finish(lintLoaded(loadText(input, file)), options);
}

/** Lints files. I/O errors throw `spec_unreadable`; everything else is a finding. Findings stand in the order of the files. */
export async function lint(files: readonly string[], options: LintOptions = {}): Promise<LintResult> {
  const workers = options.workers ?? (files.length > MANY_FILES ? availableParallelism() : 0);
  const perFile = workers > 0 ? await lintInThreads(files, workers) : await lintHere(files);
  return { findings: finish(perFile.flat(), options), files: files.length };
}

/**
 * Each thread compiles all its hot code anew, on the cores that the other threads need: inlining costs more there than a
 * thousand files pay back (bench/lint.ts: 7 % of the time). The switch is the process's own, so it is put back.
 */
async function lintInThreads(files: readonly string[], workers: number): Promise<Finding[][]> {
  setFlagsFromString('--no-turbo-inlining');
  try {
    return await inThreads(files, workers, WORKER);
  } finally {
    setFlagsFromString('--turbo-inlining');
  }
}

async function lintHere(files: readonly string[]): Promise<Finding[][]> {
  const results: Finding[][] = [];
  for (const file of files) results.push(lintLoaded(loadText(await readSpecFile(file), file)));
  return results;
}

/** Rules over a loaded spec. With mistakes in it the sound rest is still looked at. */
export function lintLoaded({ source, tree, spec, findings }: Loaded): Finding[] {
  if (source === undefined || tree === undefined) return findings;
  const usable = spec === undefined ? withoutMistakes(tree, findings) : { tree, spec, partial: false, namesLost: false };
  if (usable === undefined) return sorted(applyIgnores(tree, findings));
  const context = makeContext({ ...usable, source });
  return sorted(applyIgnores(tree, [...findings, ...run(CHECKED, context)]));
}

interface Usable {
  tree: SpecTree;
  spec: SpecDocument;
  /** Parts were left out. */
  partial: boolean;
  /** Among them are names that expressions may use. */
  namesLost: boolean;
}

/** A container without a required key goes too, then perhaps what holds it; deeper than this no spec is. */
const ROUNDS = 6;

const PARTS = ['auth', 'choices', 'defaults', 'fields', 'http', 'streams', 'templates'];

/** The spec without the entries that have findings, if that is a whole spec. */
function withoutMistakes(tree: SpecTree, findings: readonly Finding[]): Usable | undefined {
  let wrong = findings.filter(({ severity, path }) => severity === 'error' && path.length > 0);
  if (
    wrong.length <
    findings.filter(({ severity, rule }) => severity === 'error' && rule !== 'duplicate-key' && rule !== 'yaml-feature').length
  )
    return undefined;
  // A whole part under a misspelt name: all that needs it would be found missing, which says the same again.
  if (findings.some(({ rule, path }) => rule === 'unknown-key' && path.length === 1 && suggest(String(path[0]), PARTS) !== undefined))
    return undefined;
  let pruned = tree;
  let namesLost = false;
  for (let round = 0; round < ROUNDS; round++) {
    const paths = wrong.map(({ path }) => entryOf(path));
    namesLost ||= paths.some(([part, , ...rest]) => ['auth', 'fields', 'choices'].includes(String(part)) && rest.length === 0);
    if (paths.some((path) => path.length === 0)) return undefined;
    pruned = pruned.withRoot(prune(pruned.root, [], new Set(paths.map((path) => path.join('\n')))));
    wrong = validate(pruned);
    if (wrong.length === 0) return { tree: pruned, spec: pruned.value as unknown as SpecDocument, partial: true, namesLost };
  }
  return undefined;
}

/** The nearest entry of a map: items of lists keep their places. */
function entryOf(path: readonly (string | number)[]): (string | number)[] {
  const entry = [...path];
  while (typeof entry.at(-1) === 'number') entry.pop();
  return entry;
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
