import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'expression-in-literal',
  severity: 'warning',
  summary: 'A ${…} in a literal.',
  why: 'Literals are taken as they are: the person would read the braces.',
  bad: 'title: Orders of ${fields.shop}',
  good: 'title: Orders of the shop',
  check: ({ marked }, report) => {
    for (const { path, node, shape } of marked) {
      const literal = shape.kind === 'literal' || (path[0] === 'choices' && shape.kind === undefined);
      if (!literal || typeof node.value !== 'string') continue;
      const at = node.value.replaceAll('$${', '   ').indexOf('${');
      if (at === -1) continue;
      const end = node.value.indexOf('}', at);
      report(path, `\`${String(path.at(-1))}\` is a literal: \${…} stays as it is written.`, {
        within: [at, end === -1 ? node.value.length : end + 1],
        hint: 'Write the text out; $${ stands for a literal ${.',
      });
    }
  },
};
