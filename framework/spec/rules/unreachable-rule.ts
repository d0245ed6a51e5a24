import type { ErrorRule } from '../../core/spec-types.gen.ts';
import type { SpecPath, SpecTree } from '../tree.ts';
import type { Report, Rule } from './rule.ts';

export const rule: Rule = {
  name: 'unreachable-rule',
  severity: 'error',
  summary: 'A rule of errors.rules that is never reached.',
  why: 'The first rule that fits wins: one with the same status and no condition above it takes all.',
  bad: 'rules: [{ status: [401], kind: auth }, { status: [401], when: "${…}", kind: rate_limit }]',
  good: 'rules: [{ status: [401], when: "${…}", kind: rate_limit }, { status: [401], kind: auth }]',
  check: ({ holders, tree }, report) => {
    for (const holder of holders) if (holder.key === 'rules' && holder.up?.key === 'errors') reachable(tree, holder.path, report);
  },
};

function reachable(tree: SpecTree, path: SpecPath, report: Report): void {
  const taken = new Set<number>();
  let all = false;
  const rules = valueAt(tree, path);
  for (const [at, { status, when }] of rules.entries()) {
    if (all || status?.every((code) => taken.has(code)) === true) {
      report([...path, at], 'This rule is never reached: one above it takes every such answer.', { hint: 'Put the narrower rule first.' });
    }
    if (when !== undefined) continue;
    if (status === undefined) all = true;
    else for (const code of status) taken.add(code);
  }
}

function valueAt(tree: SpecTree, path: SpecPath): ErrorRule[] {
  let value: unknown = tree.value;
  for (const step of path) value = (value as Record<string, unknown> | undefined)?.[step];
  return Array.isArray(value) ? (value as ErrorRule[]) : [];
}
