import { isMap } from '../merge.ts';
import { METHODS } from './call-method.ts';
import { inheritedMap, isWhole, ownPlace } from './inherited.ts';
import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'job-download',
  severity: 'warning',
  summary: 'A job without a download, or one whose download names nothing of the job.',
  why: 'Records come from the download alone; one that names nothing of its job fetches what another job may have left there.',
  bad: 'job: { create: { post: /exports, capture: { id: id } }, download: { get: /exports/latest } }',
  good: 'job: { create: { post: /exports, capture: { id: id } }, download: { get: "/exports/${job.id}/file" } }',
  check: ({ spec, partial }, report) => {
    if (partial) return;
    for (const name of Object.keys(spec.streams ?? {})) {
      const job = isWhole(spec, name) ? inheritedMap(spec, name, 'job') : undefined;
      if (job === undefined) continue;
      const { download } = job;
      if (!isMap(download)) {
        report(ownPlace(spec, name, ['job']), `The job of \`${name}\` has no \`download\`: it gives no records.`, {
          part: 'key',
          hint: 'Write the call that fetches the result: `download: { get: "${job.url}" }`.',
        });
        continue;
      }
      const method = METHODS.find((word) => typeof download[word] === 'string');
      // A job's id may as well go into the query or the body.
      if (
        method === undefined ||
        /\$\{[^}]*\bjob\b/.test(JSON.stringify([download[method], download.query, download.body, download.headers]))
      )
        continue;
      report(ownPlace(spec, name, ['job', 'download', method]), `The download of \`${name}\` names nothing of its job.`, {
        ...(spec.streams?.[name]?.job?.download?.[method] === undefined && { part: 'key' as const }),
        hint: 'Capture its id or address in `create` or `poll`, and write `${job.…}` here.',
      });
    }
  },
};
