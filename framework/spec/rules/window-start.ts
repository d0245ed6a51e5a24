import { isMap } from '../merge.ts';
import { inheritedMap, isWhole, ownPlace } from './inherited.ts';
import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'window-start',
  severity: 'warning',
  summary: 'A window with `max`, and neither `start` nor `oldest`.',
  why: 'The first read has no beginning from which it could be cut: it asks for everything at once, more than `max` allows.',
  bad: 'cursor: { field: day, format: date, window: { max: 31d, end: inclusive } }',
  good: 'cursor: { field: day, format: date, window: { max: 31d, end: inclusive }, start: 730d }',
  check: ({ spec, partial }, report) => {
    if (partial) return;
    for (const name of Object.keys(spec.streams ?? {})) {
      const cursor = isWhole(spec, name) ? inheritedMap(spec, name, 'cursor') : undefined;
      if (cursor === undefined || cursor.filter === 'client' || !isMap(cursor.window) || cursor.window.max === undefined) continue;
      // Integers have no end that is known before a read, and are never cut.
      if (cursor.format === 'integer' || cursor.start !== undefined || cursor.oldest !== undefined) continue;
      report(ownPlace(spec, name, ['cursor', 'window', 'max']), `The first read of \`${name}\` has no beginning, so it cannot be cut.`, {
        part: 'key',
        hint: 'Write `start` (`90d`, a date, or a field), or `oldest`: how far back the provider keeps data.',
      });
    }
  },
};
