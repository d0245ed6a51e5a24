import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { isFerruleError } from '../../framework/core/errors.ts';
import type { Finding } from '../../framework/core/finding.ts';
import type { SpecDocument } from '../../framework/core/spec-types.gen.ts';
import { connectorShape } from '../../framework/credentials/shape.ts';
import { connectorPage } from '../../framework/docs/connector-page.ts';
import { describe } from '../../framework/docs/describe.ts';
import { connectorTypes } from '../../framework/docs/types.ts';
import { lintLoaded } from '../../framework/spec/lint.ts';
import { loadText } from '../../framework/spec/load.ts';
import { resolve } from '../../framework/spec/resolve.ts';
import { isRule } from '../../framework/spec/rules/index.ts';
import { LARGE, SCALARS, SMALL, WORDS } from './corpus.ts';
import { edit, edited, HOSTILE, hostile } from './hostile.ts';
import { must, type Property, thrownBy } from './target.ts';

// ── trees ────────────────────────────────────────────────────────────────────────────────────────────────────────

type Tree = null | boolean | number | string | Tree[] | { [key: string]: Tree };

/** `like`: what stands under the same key elsewhere; `graft`: an entry from elsewhere. Both often leave the spec sound. */
const KINDS = ['like', 'graft', 'drop', 'set', 'rename', 'add', 'copy', 'swap', 'wrap', 'unwrap', 'retype', 'shuffle'] as const;

/** A change at one node, chosen by a number among all nodes, so that it means something in any tree. */
interface Change {
  kind: (typeof KINDS)[number];
  at: number;
  to: number;
  key: string;
  scalar: Tree;
}

const key = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...WORDS) }, { weight: 1, arbitrary: hostile });
const scalar: fc.Arbitrary<Tree> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...SCALARS) },
  { weight: 3, arbitrary: hostile },
  { weight: 2, arbitrary: fc.constantFrom(...HOSTILE.filter((text) => text.startsWith('${'))) },
  { weight: 1, arbitrary: fc.constantFrom(null, true, false, 0, -1, 1e21, 200, 3.5) },
  { weight: 1, arbitrary: fc.constantFrom<Tree>([], {}, ['a'], [null], { type: 'none' }, { '': {} }, [[[]]], { get: '/a', records: 'b' }) },
);
const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom(...KINDS, 'like', 'like', 'like', 'graft', 'set', 'set', 'rename', 'add'),
  ...{ at: fc.nat(), to: fc.nat(), key, scalar },
});

/** Where a node hangs. */
interface Hook {
  holder: { [key: string]: Tree } | Tree[];
  key: string;
}

function hooks(tree: Tree, found: Hook[] = []): Hook[] {
  if (typeof tree !== 'object' || tree === null) return found;
  for (const [name, value] of Object.entries(tree)) {
    found.push({ holder: tree as Hook['holder'], key: name });
    hooks(value, found);
  }
  return found;
}

const valueAt = ({ holder, key: name }: Hook): Tree => (holder as { [key: string]: Tree })[name] as Tree;

function put({ holder, key: name }: Hook, value: Tree): void {
  if (Array.isArray(holder)) holder[Number(name)] = value;
  else Object.defineProperty(holder, name, { value, enumerable: true, configurable: true, writable: true });
}

function remove({ holder, key: name }: Hook): void {
  if (Array.isArray(holder)) holder.splice(Number(name), 1);
  else delete holder[name];
}

/** Text where a map was, a list where a text was, and so on. */
function retyped(value: Tree, to: number): Tree {
  const others: Tree[] = [JSON.stringify(value), [value], { a: value }, to, null, true];
  return others[to % others.length]!;
}

function changed(tree: Tree, { kind, at, to, key: name, scalar: content }: Change): void {
  const all = hooks(tree);
  if (all.length === 0 || all.length > 5000) return;
  const here = all[at % all.length]!;
  const there = all[to % all.length]!;
  const value = valueAt(here);
  const copy = () => structuredClone(valueAt(there));
  const known = kind === 'like' ? (valuesByKey.get(here.key) ?? []) : [];
  if (known.length > 0) put(here, structuredClone(known[to % known.length]!));
  else if (kind === 'graft' && !Array.isArray(here.holder)) put({ ...there, holder: here.holder }, copy());
  else if (kind === 'drop') remove(here);
  else if (kind === 'set') put(here, structuredClone(content));
  else if (kind === 'rename') {
    remove(here);
    put({ ...here, key: Array.isArray(here.holder) ? '0' : name }, value);
  } else if (kind === 'add')
    put({ holder: here.holder, key: Array.isArray(here.holder) ? String(here.holder.length) : name }, structuredClone(content));
  else if (kind === 'copy') put(here, copy());
  else if (kind === 'swap') {
    const other = copy();
    put(there, structuredClone(value));
    put(here, other);
  } else if (kind === 'wrap') put(here, to % 2 === 0 ? [value] : { [name]: value });
  else if (kind === 'unwrap' && typeof value === 'object' && value !== null) put(here, Object.values(value)[0] ?? null);
  else if (kind === 'retype') put(here, retyped(value, to));
  else if (kind === 'shuffle' && !Array.isArray(here.holder)) {
    remove(here);
    put(here, value);
  }
}

const trees = new Map<string, Tree>();

/** Fixtures that are no YAML have no tree. */
function treeOf(text: string): Tree {
  let tree = trees.get(text);
  if (tree === undefined) {
    thrownBy(() => {
      tree = parse(text, { schema: 'core', uniqueKeys: false, logLevel: 'silent' }) as Tree;
    });
    trees.set(text, tree ?? null);
  }
  return structuredClone(tree ?? null);
}

/** All values that stand under a key in any small spec. */
const valuesByKey = new Map<string, Tree[]>();
for (const hook of SMALL.flatMap((text) => hooks(treeOf(text)))) {
  const known = valuesByKey.get(hook.key) ?? [];
  known.push(valueAt(hook));
  valuesByKey.set(hook.key, known);
}

// ── texts ────────────────────────────────────────────────────────────────────────────────────────────────────────

const seedText = fc.oneof({ weight: 150, arbitrary: fc.constantFrom(...SMALL) }, { weight: 1, arbitrary: fc.constantFrom(...LARGE) });
const TOKEN = /[ \t]*\r?\n[ \t]*|[ \t]+|\$\{|[\w.-]+|[\s\S]/g;
/** Mostly one: what is nearly sound gets furthest. */
const changes = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(change) },
  { weight: 1, arbitrary: fc.array(change, { minLength: 2, maxLength: 6 }) },
);
const byTree = fc.record({ text: seedText, changes, flow: fc.boolean() }).map(({ text, changes: all, flow }) => {
  const tree = treeOf(text);
  for (const one of all) changed(tree, one);
  return flow ? JSON.stringify(tree) : stringify(tree, { lineWidth: 0, aliasDuplicateObjects: false });
});
const byToken = fc
  .record({ text: seedText, edits: fc.array(edit(fc.oneof(hostile, key)), { minLength: 1, maxLength: 3 }) })
  .map(({ text, edits }) => edited(text.match(TOKEN) ?? [], edits).join(''));
const byLine = fc
  .record({ text: seedText, other: seedText, edits: fc.array(edit(), { minLength: 1, maxLength: 4 }) })
  .map(({ text, other, edits }) =>
    edited(
      text.split('\n'),
      edits.map((one) => ({ ...one, text: other.split('\n')[one.to % 12] ?? one.text })),
    ).join('\n'),
  );
const noise = fc.oneof(
  fc.array(fc.oneof(hostile, key, fc.constantFrom('\n', '\n  ', ': ', '- ', ' ')), { maxLength: 30 }).map((texts) => texts.join('')),
  fc.uint8Array({ maxLength: 80 }),
);

type Input = string | Uint8Array;

/** At any byte, too: half a character is no UTF-8. */
const bytes = fc.record({ text: byToken, at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) }).map(({ text, at, byte }) => {
  const result = new TextEncoder().encode(text);
  if (result.length > 0) result[at % result.length] = byte;
  return result;
});

const input: fc.Arbitrary<Input> = fc.oneof(
  { weight: 10, arbitrary: byTree },
  { weight: 6, arbitrary: byToken },
  { weight: 2, arbitrary: byLine },
  { weight: 1, arbitrary: bytes },
  { weight: 1, arbitrary: noise },
);

// ── properties ───────────────────────────────────────────────────────────────────────────────────────────────────

/** The same cases of a seed are looked at more closely, whatever else changes. */
const sampled = (text: Input, one: number): boolean => createHash('md5').update(text).digest()[0]! % one === 0;

function checkPlaces(findings: readonly Finding[], content: string): void {
  const lines = content.split('\n');
  for (const { rule, severity, message, start, end } of findings) {
    const said = () =>
      `${rule} at ${start.line}:${start.column} (${start.offset}) to ${end.line}:${end.column} (${end.offset}): ${message}`;
    must(isRule(rule), () => `no rule of that name: ${said()}`);
    must(severity === 'error' || severity === 'warning', () => `severity ${severity}: ${said()}`);
    must(start.offset <= end.offset, () => `it ends before it begins: ${said()}`);
    for (const { line, column, offset } of [start, end]) {
      must(offset >= 0 && offset <= content.length, () => `outside of the text: ${said()}`);
      must(
        line >= 1 && line <= lines.length && column >= 1 && column <= lines[line - 1]!.length + 1,
        () => `no such line and column: ${said()}`,
      );
    }
  }
}

function checkSound(spec: SpecDocument, clean: boolean, closely: boolean): void {
  const choices = Object.fromEntries(Object.entries(spec.choices ?? {}).map(([name, { options }]) => [name, Object.keys(options)[0]!]));
  for (const method of Object.keys(spec.auth)) {
    const thrown = thrownBy(() => resolve(spec, { method, choices }));
    if (thrown === undefined) continue;
    must(
      !clean && isFerruleError(thrown.error),
      () => `${clean ? 'it lints clean' : 'it loads'}, and resolve(${method}) throws ${inspect(thrown.error)}`,
    );
  }
  if (!clean || !closely) return;
  must(connectorPage(spec, '../language.md') !== '', () => 'the page is empty');
  describe(spec);
  connectorTypes([spec], 'team');
  connectorShape(spec);
}

export const specs: Property<Input> = {
  name: 'specs',
  input,
  check(text) {
    const loaded = loadText(text, 'acme.yaml');
    const { spec } = loaded;
    const findings = lintLoaded(loaded);
    const content = (typeof text === 'string' ? text : new TextDecoder().decode(text)).replace(/^\uFEFF/, '');
    checkPlaces(findings, content);
    const closely = sampled(text, 8);
    if (closely) {
      const again = lintLoaded(loadText(text, 'acme.yaml'));
      must(JSON.stringify(again) === JSON.stringify(findings), () => 'the second lint finds something else');
    }
    if (spec === undefined)
      must(
        findings.some(({ severity }) => severity === 'error'),
        () => 'it does not load, and nothing says why',
      );
    else checkSound(spec, !findings.some(({ severity }) => severity === 'error'), closely);
  },
};
