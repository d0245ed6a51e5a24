import type { SpecDocument } from '../../core/spec-types.gen.ts';
import { suggest } from '../../core/suggest.ts';
import { isMap, type Plain } from '../merge.ts';
import type { Expression } from './context.ts';
import { inheritedMap } from './inherited.ts';
import { layerOf, usersOf, within } from './named-in-request.ts';
import type { Report, Rule } from './rule.ts';

export const rule: Rule = {
  name: 'job-variable',
  severity: 'error',
  summary: 'A `${job.…}` that no call before it captures.',
  why: 'The job would be created, and its result never fetched. What `poll` captures is known to `download` only.',
  bad: 'create: { post: /exports }\npoll: { get: "/exports/${job.id}" }',
  good: 'create: { post: /exports, capture: { id: id } }\npoll: { get: "/exports/${job.id}" }',
  check: (context, report) => {
    const { spec, partial } = context;
    if (partial) return;
    /** The first stream without it, by part, call and name: a template may name the same a thousand times. */
    const lacking = new Map<string, string | undefined>();
    for (const expression of context.mentioning('job')) {
      const layer = layerOf(expression.path);
      if (layer === undefined) continue;
      const call = String(expression.path[layer.length + 1]);
      for (const [root, member] of expression.mentions) {
        if (root !== 'job' || member === undefined) continue;
        const key = [...layer, call, member].join('\n');
        if (!lacking.has(key))
          lacking.set(
            key,
            usersOf(context, layer).find((stream) => lacks(spec, stream, call, member)),
          );
        const stream = lacking.get(key);
        if (stream !== undefined) tell(spec, stream, expression, call, member, report);
      }
    }
  },
};

function tell(spec: SpecDocument, stream: string, expression: Expression, call: string, member: string, report: Report): void {
  const place = within(expression, 'job', member);
  const isLate = call !== 'download' && Object.hasOwn(capturesOf(spec, stream, 'poll'), member);
  const captured = { ...capturesOf(spec, stream, 'create'), ...(call === 'download' && capturesOf(spec, stream, 'poll')) };
  const meant = suggest(member, Object.keys(captured));
  report(expression.path, `No call before \`${call}\` captures \`job.${member}\` in \`${stream}\`.`, {
    ...(place && { within: place }),
    hint: isLate
      ? 'What `poll` captures is taken when the job is done, for `download` only.'
      : meant === undefined
        ? `Write \`capture: { ${member}: … }\` in \`job.create\`${call === 'download' ? ' or `job.poll`' : ''}.`
        : `Did you mean \`job.${meant}\`?`,
  });
}

function lacks(spec: SpecDocument, stream: string, call: string, member: string): boolean {
  // A job without the call that would capture it has a finding of its own.
  if (!isMap(inheritedMap(spec, stream, 'job')?.create)) return false;
  return (
    !Object.hasOwn(capturesOf(spec, stream, 'create'), member) &&
    !(call === 'download' && Object.hasOwn(capturesOf(spec, stream, 'poll'), member))
  );
}

function capturesOf(spec: SpecDocument, stream: string, call: 'create' | 'poll'): Plain {
  const part = inheritedMap(spec, stream, 'job')?.[call];
  return isMap(part) && isMap(part.capture) ? part.capture : {};
}
