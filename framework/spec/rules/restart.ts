import type { SpecMap, SpecNode } from '../tree.ts';
import type { Holder } from './context.ts';
import type { Report, Rule } from './rule.ts';

export const rule: Rule = {
  name: 'restart',
  severity: 'error',
  summary: 'A `restart` that writes where the paginator does, or whose rows cannot be counted by `page_size`.',
  why: 'The key would overwrite the page number, or the provider be asked for rows that it refuses.',
  bad: 'paginate: { type: page, page: query.page, restart: { at: 10000, from: id, into: query.page } }',
  good: 'paginate: { type: page, page: query.page, page_size: 100, restart: { at: 10000, from: id, into: query.since_id } }',
  check: ({ holders }, report) => {
    const restarts = holders.filter(({ shape, node }) => shape.title === 'PaginateRestart' && node.kind === 'map');
    if (restarts.length === 0) return;
    const sized = holders.some(
      ({ key, node, shape }) => key === 'paginate' && shape.kind !== 'value' && valueAt(node, 'page_size') !== undefined,
    );
    for (const restart of restarts) look(restart, sized, report);
  },
};

function look(restart: Holder, sized: boolean, report: Report): void {
  const paginate = restart.up?.node as SpecMap;
  const into = valueAt(restart.node, 'into');
  const same = ['page', 'offset', 'size'].find((key) => into !== undefined && valueAt(paginate, key) === into);
  if (same !== undefined)
    report([...restart.path, 'into'], `\`${String(into)}\` is where the paginator's \`${same}\` goes.`, {
      hint: "Write the parameter with which the provider leaves out what comes before the last record's key.",
    });
  const [size, at] = [valueAt(paginate, 'page_size'), valueAt(restart.node, 'at')];
  if (valueAt(paginate, 'type') === 'page' && !sized)
    report(restart.path, 'Numbered pages are counted in rows by `page_size`, and there is none.', {
      part: 'key',
      hint: 'Write `page_size`: the records that the provider gives in one page.',
    });
  if (typeof size === 'number' && typeof at === 'number' && size > at)
    report([...restart.path, 'at'], `One page of ${size} has more rows than the provider gives.`, { hint: 'Write a smaller `page_size`.' });
}

function valueAt(node: SpecNode, key: string): unknown {
  const value = node.kind === 'map' ? node.entries.get(key)?.value : undefined;
  return value?.kind === 'scalar' ? value.value : undefined;
}
