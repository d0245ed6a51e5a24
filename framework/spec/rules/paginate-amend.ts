import type { Paginate, SpecDocument } from '../../core/spec-types.gen.ts';
import { ROOT, type Shape, shape } from '../shape.ts';
import type { SpecPath, SpecTree } from '../tree.ts';
import { isWhole } from './inherited.ts';
import type { Report, Rule } from './rule.ts';

export const rule: Rule = {
  name: 'paginate-amend',
  severity: 'error',
  summary: 'A `paginate` without a type that changes nothing: no paginator is inherited, or not one with that key.',
  why: 'Without a type it amends the inherited paginator; a key that this one does not have would be ignored.',
  bad: 'defaults: { paginate: { type: page, page: query.page } }\nstreams: { items: { paginate: { total: count } } }',
  good: 'defaults: { paginate: { type: page, page: query.page } }\nstreams: { items: { paginate: { page_size: 50 } } }',
  check: ({ spec, tree, holders, partial }, report) => {
    if (partial || !holders.some(({ key, node }) => key === 'paginate' && node.kind === 'map' && !node.entries.has('type'))) return;
    const shared = typesOf([spec.defaults, ...overlays(spec)]);
    const amend = (path: SpecPath, types: ReadonlySet<string>): void => look(tree, report, path, types);
    for (const [name, { use }] of Object.entries(spec.streams ?? {})) {
      if (!isWhole(spec, name)) continue;
      const own = use === undefined ? new Set<string>() : typesOf([spec.templates?.[use]]);
      amend(['streams', name, 'paginate'], own.size > 0 ? own : shared);
    }
    for (const name of Object.keys(spec.templates ?? {})) amend(['templates', name, 'paginate'], shared);
    for (const name of Object.keys(spec.auth)) amend(['auth', name, 'defaults', 'paginate'], shared);
    for (const [choice, { options }] of Object.entries(spec.choices ?? {}))
      for (const id of Object.keys(options)) amend(['choices', choice, 'options', id, 'defaults', 'paginate'], shared);
    amend(['defaults', 'paginate'], shared);
  },
};

const overlays = ({ auth, choices = {} }: SpecDocument) => [
  ...Object.values(auth).map(({ defaults }) => defaults),
  ...Object.values(choices).flatMap(({ options }) => Object.values(options).map(({ defaults }) => defaults)),
];

const typesOf = (parts: readonly ({ paginate?: Partial<Paginate> | null } | undefined)[]): Set<string> =>
  new Set(parts.map((part) => part?.paginate?.type).filter((type) => type !== undefined));

/** What the schema says of `paginate` in a stream: its branches are the paginators. */
function branches(): Readonly<Record<string, number>> {
  const below = (of: Shape, key: string): Shape => shape(of.properties?.[key] ?? 0);
  return below(below(ROOT, 'defaults'), 'paginate').tag?.branches ?? {};
}

function look(tree: SpecTree, report: Report, path: SpecPath, types: ReadonlySet<string>): void {
  const node = tree.node(path);
  if (node?.kind !== 'map' || node.entries.has('type')) return;
  if (types.size === 0) {
    report(path, 'No paginator is inherited here.', { part: 'key', hint: `Add a \`type\`: ${Object.keys(branches()).join(', ')}.` });
    return;
  }
  const known = new Set([...types].flatMap((type) => Object.keys(shape(branches()[type] ?? 0).properties ?? {})));
  for (const key of node.entries.keys()) {
    if (known.has(key)) continue;
    const inherited = [...types].map((type) => `\`${type}\``).join(' or ');
    const keys = [...known].filter((each) => each !== 'type').join(', ');
    report([...path, key], `The inherited paginator ${inherited} has no \`${key}\`.`, {
      part: 'key',
      hint: `It has: ${keys || 'no keys'}. Or say another \`type\`.`,
    });
  }
}
