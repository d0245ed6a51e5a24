import type { SpecNode } from '../tree.ts';
import type { Rule } from './rule.ts';

/** A } and a # somewhere behind it. */
function mayHave(line: string): boolean {
  const at = line.indexOf('}');
  return at >= 0 && Math.max(line.lastIndexOf(' #'), line.lastIndexOf('\t#')) > at;
}

export const rule: Rule = {
  name: 'comment-after-expression',
  severity: 'warning',
  summary: 'A # right behind an unquoted ${…}.',
  why: 'YAML takes ` #` for the start of a comment: what follows is lost without a sound.',
  bad: 'path: ${parent.id} #1',
  good: "path: '${parent.id} #1'",
  check: ({ source }, report) => {
    // Most files have none, and this is cheaper than a walk.
    if (!source.text.split('\n').some(mayHave)) return;
    const visit = (node: SpecNode, path: (string | number)[]): void => {
      if (node.kind === 'list') for (const [at, item] of node.items.entries()) visit(item, [...path, at]);
      if (node.kind === 'map') for (const { key, value } of node.entries.values()) visit(value, [...path, key]);
      if (node.kind !== 'scalar' || node.style !== 'plain' || !node.text.includes('${')) return;
      const rest = /^[ \t]+#.*/.exec(source.text.slice(node.end, node.end + 200))?.[0].trim();
      if (rest === undefined || (/^#\s/.test(rest) && !rest.includes('${'))) return;
      const comment = rest.length <= 30 ? rest : `${rest.slice(0, 29)}…`;
      report(path, `YAML takes \`${comment}\` for a comment: it is lost.`, {
        hint: 'Quote the value; if a comment is meant, put a space behind #.',
      });
    };
    visit(source.root, []);
  },
};
