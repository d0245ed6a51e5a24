import type { Problem } from '../../core/expression/index.ts';
import { LATER_VARIABLES } from '../later.ts';
import type { SpecNode } from '../tree.ts';
import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'expression-name',
  severity: 'error',
  summary: 'A name in ${…} that does not exist in this place.',
  why: 'Every expression is checked against the variables of its place when the spec is loaded, so that no request fails for a typo.',
  bad: 'base_url: https://${regoin.api}',
  good: 'base_url: https://${region.api}',
  check: ({ expressions, source, tree }, report) => {
    for (const { path, problems } of expressions) {
      for (const problem of problems) {
        if (problem.rule !== 'expression_name') continue;
        const later = laterKey(tree.node(path), problem);
        // The key itself is a finding: its variables would say the same again.
        if (later !== undefined && new RegExp(`(^|[\\s{,])${later}\\s*:`, 'm').test(source.text)) continue;
        const { start, end, hint } = problem;
        const message =
          later === undefined
            ? problem.message
            : `This variable comes with \`${later}\`, a later word of the language, not run by this version.`;
        report(path, message, { within: [start, end], ...(hint !== undefined && { hint }) });
      }
    }
  },
};

const laterKey = (node: SpecNode | undefined, { start, end }: Problem): string | undefined => {
  const text = node?.kind === 'scalar' ? String(node.value) : '';
  const name = text.slice(start, end);
  return Object.hasOwn(LATER_VARIABLES, name) && !/[\w.]/.test(text[start - 1] ?? '') ? LATER_VARIABLES[name] : undefined;
};
