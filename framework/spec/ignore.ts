import type { Finding } from '../core/finding.ts';
import { suggest } from '../core/suggest.ts';
import { isRule, RULES } from './rules/index.ts';
import type { SpecNode, SpecTree } from './tree.ts';

interface Ignore {
  rule: string;
  /** The line that it holds for, 1-based. */
  line: number;
  from: number;
  to: number;
  used: boolean;
}

/**
 * `# ferrule-ignore rule-name: reason`, at the end of a line or on a line of its own before it, switches a rule off for
 * that line. One without a reason and one that hides nothing are findings themselves.
 */
export function applyIgnores(tree: SpecTree, findings: readonly Finding[]): Finding[] {
  if (!tree.text.includes('ferrule-ignore')) return [...findings];
  const problems: Finding[] = [];
  const ignores = readIgnores(tree, problems);
  const kept = findings.filter(({ rule, start }) => {
    const ignore = ignores.find((each) => each.rule === rule && each.line === start.line);
    if (ignore !== undefined) ignore.used = true;
    return ignore === undefined;
  });
  for (const { rule, from, to, used } of ignores) {
    if (!used) problems.push(at(tree, 'unused-ignore', `Nothing here breaks \`${rule}\`.`, from, to, 'Leave the comment out.'));
  }
  return [...kept, ...problems];
}

function readIgnores(tree: SpecTree, problems: Finding[]): Ignore[] {
  const ignores: Ignore[] = [];
  const scalars = spans(tree.root);
  for (const match of tree.text.matchAll(/(^|[ \t])#[ \t]*ferrule-ignore\b[ \t]*([^\r\n]*)/gm)) {
    const from = match.index + (match[1] as string).length;
    const to = match.index + match[0].length;
    if (scalars.some(([start, end]) => from >= start && from < end)) continue;
    const parts = /^([a-z0-9-]+)\s*:\s*(\S.*)$/.exec((match[2] as string).trim());
    const rule = parts?.[1] ?? /^[a-z0-9-]*/.exec(match[2] as string)?.[0] ?? '';
    if (parts === null)
      problems.push(at(tree, 'ignore-reason', 'The reason is missing.', from, to, `Write \`# ferrule-ignore ${rule || 'rule'}: reason\`.`));
    else if (!isRule(rule)) {
      const meant = suggest(
        rule,
        RULES.map(({ name }) => name),
      );
      problems.push(
        at(
          tree,
          'ignore-reason',
          `There is no rule \`${rule}\`.`,
          from,
          to,
          meant === undefined ? 'See docs/rules.' : `Did you mean \`${meant}\`?`,
        ),
      );
    }
    if (isRule(rule)) ignores.push({ rule, line: heldLine(tree, from), from, to, used: false });
  }
  return ignores;
}

/** A comment with text before it holds for its own line, one alone for the next line that is neither blank nor a comment. */
function heldLine(tree: SpecTree, from: number): number {
  const start = tree.text.lastIndexOf('\n', from - 1) + 1;
  const line = tree.position(from).line;
  if (tree.text.slice(start, from).trim() !== '') return line;
  const rest = tree.text.slice(from).split('\n').slice(1);
  const next = rest.findIndex((each) => each.trim() !== '' && !each.trim().startsWith('#'));
  return next === -1 ? line : line + next + 1;
}

function spans(node: SpecNode): [number, number][] {
  if (node.kind === 'list') return node.items.flatMap(spans);
  if (node.kind === 'map') return [...node.entries.values()].flatMap(({ value }) => spans(value));
  return node.style === 'plain' ? [] : [[node.start, node.end]];
}

function at(tree: SpecTree, rule: string, message: string, from: number, to: number, hint: string): Finding {
  const severity = rule === 'unused-ignore' ? 'warning' : 'error';
  return { rule, severity, message, file: tree.file, path: [], start: tree.position(from), end: tree.position(to), hint };
}
