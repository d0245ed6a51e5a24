import { isMap } from '../merge.ts';
import { inheritedMap, isWhole, ownPlace } from './inherited.ts';
import { namedInRequest, WHOLE } from './named-in-request.ts';
import type { Rule } from './rule.ts';

const STARTS = ['start', 'start_time', WHOLE];
const ENDS = ['end', 'end_time', WHOLE];

export const rule: Rule = {
  name: 'cursor-unused',
  severity: 'error',
  summary: 'A cursor whose request does not ask by it, or a window whose end is not sent.',
  why: 'Each read would ask for everything again; without the end each window would bring all that comes after it, too.',
  bad: 'streams: { orders: { get: /orders, cursor: { field: updated_at } } }',
  good: 'streams: { orders: { get: /orders, query: { since: "${window.start}" }, cursor: { field: updated_at } } }',
  check: (context, report) => {
    const { spec, partial } = context;
    if (partial) return;
    for (const name of Object.keys(spec.streams ?? {})) {
      const cursor = isWhole(spec, name) ? inheritedMap(spec, name, 'cursor') : undefined;
      if (cursor === undefined || cursor.filter === 'client') continue;
      const named = namedInRequest(context, name, 'window');
      if (![...STARTS, ...ENDS].some(named))
        report(ownPlace(spec, name, ['cursor']), `The request of \`${name}\` does not say what is new: it names nothing of \`window\`.`, {
          part: 'key',
          hint: 'Write `${window.start}` where the provider takes the time, or `filter: client` where it takes none.',
        });
      else if (isMap(cursor.window) && !ENDS.some(named))
        report(ownPlace(spec, name, ['cursor', 'window']), `The request of \`${name}\` does not name \`window.end\`.`, {
          part: 'key',
          hint: 'Write `${window.end}` where the provider takes it, or leave `window` out.',
        });
    }
  },
};
