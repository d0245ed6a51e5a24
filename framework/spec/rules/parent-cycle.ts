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
    /** Streams whose parents lead to an end, or into a circle that they are no part of. */
    const ended = new Set<string>();
    for (const name of Object.keys(streams)) {
      const way = new Set([name]);
      let next = parentOf(name);
      for (; next !== undefined && next !== name && !way.has(next) && !told.has(next) && !ended.has(next); next = parentOf(next))
        way.add(next);
      if (next !== name) for (const each of way) ended.add(each);
      else {
        // Once for each circle, at its first stream.
        for (const each of way) told.add(each);
        const own = streams[name]?.parent !== undefined;
        report(['streams', name, own ? 'parent' : 'use'], `The parents go round in a circle: ${[...way, name].join(' → ')}.`, {
          hint: 'One of them must be read without a parent.',
        });
      }
    }
  },
};
