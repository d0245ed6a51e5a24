import { isMap } from '../merge.ts';
import type { SpecPath } from '../tree.ts';
import type { RuleContext } from './context.ts';
import { inheritedMap } from './inherited.ts';
import { layerOf, usersOf, WHOLE, within } from './named-in-request.ts';
import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'window-variable',
  severity: 'error',
  summary: 'A stream without a cursor uses ${window.…}, or one without a window uses its end.',
  why: 'It has no value there: the parameter would never be sent, and the stream be read whole each time without a sound.',
  bad: 'streams: { orders: { get: /orders, query: { since: "${window.start}" } } }',
  good: 'streams: { orders: { get: /orders, query: { since: "${window.start}" }, cursor: { field: updated_at } } }',
  check: (context, report) => {
    if (context.partial) return;
    /** What streams have that share a part of the spec, by that part. */
    const known = new Map<string, Had>();
    for (const expression of context.mentioning('window')) {
      const layer = layerOf(expression.path);
      if (layer === undefined) continue;
      const key = layer.join('\n');
      const had = known.get(key) ?? hadBy(context, layer);
      known.set(key, had);
      if (had.users === 0) continue;
      for (const member of new Set(expression.mentions.filter(([root]) => root === 'window').map(([, name]) => name ?? WHOLE))) {
        // A part that several streams share may name what some of them lack: there it is absent, and left out.
        if (had.cursor && (had.window || !member.startsWith('end'))) continue;
        const word = had.cursor ? '`cursor.window`' : '`cursor`';
        const place = within(expression, 'window', member);
        report(
          expression.path,
          layer[0] === 'streams' ? `\`${layer[1]}\` has no ${word}.` : `No stream that takes this part has a ${word}.`,
          {
            ...(place && { within: place }),
            hint: had.cursor
              ? 'Write `window: { end: … }` in its cursor: without one a read has no end.'
              : 'Write `cursor: { field: … }`, or leave the expression out.',
          },
        );
      }
    }
  },
};

interface Had {
  users: number;
  /** Of at least one. */
  cursor: boolean;
  window: boolean;
}

function hadBy(context: RuleContext, layer: SpecPath): Had {
  const users = usersOf(context, layer);
  const cursors = users.map((stream) => inheritedMap(context.spec, stream, 'cursor'));
  return {
    users: users.length,
    cursor: cursors.some((cursor) => cursor !== undefined),
    window: cursors.some((cursor) => isMap(cursor?.window)),
  };
}
