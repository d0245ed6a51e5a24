import type { SpecDocument } from '../../core/spec-types.gen.ts';
import { suggest } from '../../core/suggest.ts';
import { isMap } from '../merge.ts';
import { inheritedMap, isWhole } from './inherited.ts';
import { layerOf, usersOf, within } from './named-in-request.ts';
import type { Rule } from './rule.ts';

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
    for (const expression of context.mentioning('job')) {
      const layer = layerOf(expression.path);
      if (layer === undefined) continue;
      const call = String(expression.path[layer.length + 1]);
      for (const [root, member] of expression.mentions) {
        if (root !== 'job' || member === undefined) continue;
        const lacking = usersOf(context, layer).find((stream) => {
          // A job without the call that would capture it has a finding of its own.
          const begins = isWhole(spec, stream) && isMap(inheritedMap(spec, stream, 'job')?.create);
          return begins && !capturedBefore(spec, stream, call).includes(member);
        });
        if (lacking === undefined) continue;
        const known = capturedBefore(spec, lacking, call);
        const meant = suggest(member, known);
        const place = within(expression, 'job', member);
        const late = call !== 'download' && capturesOf(spec, lacking, 'poll').includes(member);
        report(expression.path, `No call before \`${call}\` captures \`job.${member}\` in \`${lacking}\`.`, {
          ...(place && { within: place }),
          hint: late
            ? 'What `poll` captures is taken when the job is done, for `download` only.'
            : meant === undefined
              ? `Write \`capture: { ${member}: … }\` in \`job.create\`${call === 'download' ? ' or `job.poll`' : ''}.`
              : `Did you mean \`job.${meant}\`?`,
        });
      }
    }
  },
};

const capturedBefore = (spec: SpecDocument, stream: string, call: string): string[] => [
  ...capturesOf(spec, stream, 'create'),
  ...(call === 'download' ? capturesOf(spec, stream, 'poll') : []),
];

function capturesOf(spec: SpecDocument, stream: string, call: 'create' | 'poll'): string[] {
  const part = inheritedMap(spec, stream, 'job')?.[call];
  return isMap(part) && isMap(part.capture) ? Object.keys(part.capture) : [];
}
