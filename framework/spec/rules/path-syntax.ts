import { isPathProblem, parsePath } from '../../core/path.ts';
import { parseTarget } from '../../core/target.ts';
import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'path-syntax',
  severity: 'error',
  summary: 'A path or target that cannot be read.',
  why: 'A path says where to read (`data.items`), a target where to write (`query.page`). Nothing is found or sent under a broken one.',
  bad: 'paginate: { type: page, page: page }',
  good: 'paginate: { type: page, page: query.page }',
  check: ({ leaves }, report) => {
    for (const leaf of leaves) {
      const { node, shape } = leaf;
      if ((shape.kind !== 'path' && shape.kind !== 'target') || typeof node.value !== 'string') continue;
      const { path } = leaf;
      if (node.value.includes('${')) {
        if (shape.kind === 'path' && shape.computed === true) continue;
        const what = shape.kind === 'path' ? 'path' : 'target';
        report(path, `\`${String(path.at(-1))}\` is a ${what}: no \${…} here.`, {
          hint: what === 'path' ? `Write ${bare(node.value) ?? 'it like `data.items`'}.` : 'Write it like `query.page`.',
        });
        continue;
      }
      const parsed = shape.kind === 'path' ? parsePath(node.value) : parseTarget(node.value);
      if (shape.kind === 'path' ? isPathProblem(parsed as never) : 'problem' in parsed) {
        const { problem, offset } = parsed as { problem: string; offset: number };
        const hint =
          shape.kind === 'path'
            ? (ours(node.value, path.at(-1)) ?? 'Write it like `data.items`, `$.*.order` or `a["@odata.next"]`.')
            : `${/^\w+$/.test(node.value) ? `Did you mean \`query.${node.value}\`? ` : ''}Targets: query.x, headers.X, cookies.x, body.a.b, url.`;
        report(path, `${problem.charAt(0).toUpperCase()}${problem.slice(1).replace(/\.$/, '')}.`, {
          within: [offset, node.value.length],
          hint,
        });
      }
    }
  },
};

/** The path inside a `${…}` that is nothing but one. */
function bare(value: string): string | undefined {
  const [, path] = /^\$\{\s*(?:response\.body\.)?([A-Za-z_][\w.]*)\s*\}$/.exec(value) ?? [];
  return path === undefined ? undefined : `\`${path}\``;
}

/** JSONPath, which other products take, in our words. */
function ours(value: string, key: unknown): string | undefined {
  if (!value.includes('[')) return undefined;
  const plain = value
    .replace(/\[\*\]/g, '.*')
    .replace(/\[(\d+)\]/g, '.$1')
    .replace(/\['([\w-]+)'\]/g, '.$1')
    .replace(/^\$\.(?!\*)/, '');
  const path = key === 'records' ? plain.replace(/\.\*$/, '') : plain;
  if (path === value || isPathProblem(parsePath(path) as never)) return undefined;
  return `Write \`${path}\`${path === plain ? '' : ': a list gives its items'}.`;
}
