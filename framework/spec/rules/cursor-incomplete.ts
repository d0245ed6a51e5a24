import { isMap } from '../merge.ts';
import { inheritedMap, isWhole, ownPlace } from './inherited.ts';
import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'cursor-incomplete',
  severity: 'error',
  summary: 'A cursor without its column, or a window that does not say whether its end belongs to it.',
  why: 'Without the column nobody can tell what is new. A wrong end loses a day or reads one twice, so there is no default.',
  bad: 'cursor: { field: day, format: date, window: { max: 31d } }',
  good: 'cursor: { field: day, format: date, window: { max: 31d, end: inclusive } }',
  check: ({ spec, partial }, report) => {
    if (partial) return;
    for (const name of Object.keys(spec.streams ?? {})) {
      const cursor = isWhole(spec, name) ? inheritedMap(spec, name, 'cursor') : undefined;
      if (cursor === undefined) continue;
      if (typeof cursor.field !== 'string')
        report(ownPlace(spec, name, ['cursor']), `The cursor of \`${name}\` has no \`field\`.`, {
          part: 'key',
          hint: 'Write `field`: where in each record its time or number is; or `cursor: null` where nothing is read by it.',
        });
      if (isMap(cursor.window) && cursor.window.end === undefined)
        report(ownPlace(spec, name, ['cursor', 'window']), `The window of \`${name}\` has no \`end\`.`, {
          part: 'key',
          hint: 'Write `end: inclusive` where a record exactly at window.end comes with it, else `end: exclusive`. The documentation, or one request, tells.',
        });
    }
  },
};
