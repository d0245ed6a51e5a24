import type { SpecDocument } from '../../core/spec-types.gen.ts';
import { isMap, type Plain } from '../merge.ts';
import { METHODS } from './call-method.ts';
import { inherited, inheritedMap, isWhole, ownPlace } from './inherited.ts';
import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'job-incomplete',
  severity: 'error',
  summary: 'A job without the calls or words that it needs, or beside a request of its own.',
  why: 'Without `create`, `poll`, `status` and `states.done` nobody knows when its result is there; a request beside a job is never sent.',
  bad: 'job: { create: { post: /exports }, poll: { get: /exports/last } }',
  good: 'job: { create: { post: /exports }, poll: { get: /exports/last }, status: state, states: { done: [complete] }, download: { get: /exports/last/file } }',
  check: ({ spec, partial }, report) => {
    if (partial) return;
    for (const name of Object.keys(spec.streams ?? {})) {
      const job = isWhole(spec, name) ? inheritedMap(spec, name, 'job') : undefined;
      if (job === undefined) continue;
      const missing = missingOf(job);
      if (missing.length > 0)
        report(ownPlace(spec, name, ['job']), `The job of \`${name}\` has no \`${missing.join('`, no `')}\`.`, {
          part: 'key',
          hint: HINTS[missing[0] as keyof typeof HINTS],
        });
      const method = requestOf(spec, name);
      if (method !== undefined)
        report(ownPlace(spec, name, [method]), `\`${name}\` has a job and its own \`${method}\`, which is never sent.`, {
          part: 'key',
          hint: 'Move the request into `job.create`, or leave one of them out (`job: null` removes an inherited job).',
        });
    }
  },
};

const HINTS = {
  create: 'Write the call that begins the job: `create: { post: /exports, capture: { id: id } }`.',
  poll: 'Write the call that asks how far it is: `poll: { get: "/exports/${job.id}" }`.',
  status: "Write where the poll's answer says how far the job is: `status: state`.",
  'states.done': 'Write the words of the status that mean that the result is there: `states: { done: [complete] }`.',
};

function missingOf(job: Plain): string[] {
  const done = isMap(job.states) ? job.states.done : undefined;
  return [
    ...['create', 'poll'].filter((key) => !isMap(job[key])),
    ...(typeof job.status === 'string' ? [] : ['status']),
    ...(Array.isArray(done) && done.length > 0 ? [] : ['states.done']),
  ];
}

const requestOf = (spec: SpecDocument, stream: string) => METHODS.find((method) => inherited(spec, stream, method) !== undefined);
