import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'parent-cycle',
  severity: 'error',
  summary: 'A stream that is its own ancestor.',
  why: 'Reading it would never begin.',
  bad: 'streams: { a: { parent: b }, b: { parent: a } }',
  good: 'streams: { a: { get: /a }, b: { parent: a } }',
  check: ({ spec }, report) => {
    const streams = spec.streams ?? {};
    const parentOf = (name: string): string | undefined => {
      const stream = streams[name];
      return stream?.parent ?? (stream?.use === undefined ? undefined : spec.templates?.[stream.use]?.parent);
    };
    const told = new Set<string>();
    for (const name of Object.keys(streams)) {
      const way = [name];
      for (let next = parentOf(name); next !== undefined && !told.has(next); next = parentOf(next)) {
        way.push(next);
        if (next !== name && way.indexOf(next) !== way.length - 1) break;
        if (next !== name) continue;
        // Once for each circle, at its first stream.
        for (const each of way) told.add(each);
        const own = streams[name]?.parent !== undefined;
        report(['streams', name, own ? 'parent' : 'use'], `The parents go round in a circle: ${way.join(' → ')}.`, {
          hint: 'One of them must be read without a parent.',
        });
        break;
      }
    }
  },
};
