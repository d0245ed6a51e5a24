import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'template-parameter',
  severity: 'error',
  summary: 'A template wants a parameter that a stream does not give, or a stream gives one that the template does not use.',
  why: 'A missing parameter leaves a hole in the request; one too many is usually misspelt.',
  bad: 'templates: { entity: { get: "/${with.path}" } }\nstreams: { orders: { use: entity, with: { pth: orders } } }',
  good: 'templates: { entity: { get: "/${with.path}" } }\nstreams: { orders: { use: entity, with: { path: orders } } }',
  check: (context, report) => {
    const { spec, partial } = context;
    if (partial) return;
    const wanted = new Map<string, Set<string>>();
    for (const { path, mentions } of context.mentioning('with')) {
      if (path[0] !== 'templates') continue;
      const names = wanted.get(String(path[1])) ?? new Set();
      for (const [root, name] of mentions) if (root === 'with' && name !== undefined) names.add(name);
      wanted.set(String(path[1]), names);
    }
    for (const [stream, { use, with: given = {} }] of Object.entries(spec.streams ?? {})) {
      if (use === undefined || !Object.hasOwn(spec.templates ?? {}, use)) continue;
      const names = wanted.get(use) ?? new Set<string>();
      for (const name of Object.keys(given)) {
        if (names.has(name)) continue;
        const hint = names.size > 0 ? `It uses: ${[...names].join(', ')}.` : 'It uses none.';
        report(['streams', stream, 'with', name], `The template \`${use}\` does not use \`with.${name}\`.`, { part: 'key', hint });
      }
      for (const name of names) {
        if (Object.hasOwn(given, name)) continue;
        report(['streams', stream, 'use'], `The template \`${use}\` wants \`with.${name}\`.`, { hint: `Write \`with: { ${name}: … }\`.` });
      }
    }
  },
};
