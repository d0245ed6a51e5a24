import { isMap } from '../merge.ts';
import { inheritedMap, isWhole } from './inherited.ts';
import { layerOf, usersOf, within } from './named-in-request.ts';
import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'window-variable',
  severity: 'error',
  summary: 'A stream without a cursor uses ${window.…}, or one without a window uses its end.',
  why: 'It has no value there: the parameter would never be sent, and the stream be read whole each time without a sound.',
  bad: 'streams: { orders: { get: /orders, query: { since: "${window.start}" } } }',
  good: 'streams: { orders: { get: /orders, query: { since: "${window.start}" }, cursor: { field: updated_at } } }',
  check: (context, report) => {
    const { spec, partial } = context;
    if (partial) return;
    for (const expression of context.mentioning('window')) {
      const layer = layerOf(expression.path);
      const users = layer === undefined ? [] : usersOf(context, layer);
      if (users.length === 0 || users.some((stream) => !isWhole(spec, stream))) continue;
      const cursors = users.map((stream) => inheritedMap(spec, stream, 'cursor')).filter((cursor) => cursor !== undefined);
      const of = layer?.[0] === 'streams' ? `\`${users[0]}\`` : 'None of the streams here';
      for (const member of new Set(expression.mentions.filter(([root]) => root === 'window').map(([, name]) => name ?? ''))) {
        // A part that several streams share may name what some of them lack: there it is absent, and left out.
        const lacksCursor = cursors.length === 0;
        if (!lacksCursor && !(member.startsWith('end') && !cursors.some(({ window }) => isMap(window)))) continue;
        const place = within(expression, 'window', member);
        report(expression.path, `${of} has ${layer?.[0] === 'streams' ? 'no' : 'a'} ${lacksCursor ? '`cursor`' : '`cursor.window`'}.`, {
          ...(place && { within: place }),
          hint: lacksCursor
            ? 'Write `cursor: { field: … }`, or leave the expression out.'
            : 'Write `window: { end: … }` in its cursor: without one a read has no end.',
        });
      }
    }
  },
};
