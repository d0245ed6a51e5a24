import { type Answer, json, Refused } from './answer.ts';
import type { Data } from './data.ts';
import type { Dataset } from './dataset.ts';
import { fitting } from './fitting.ts';
import { captureRole, inPoll, ownAddress, resultOrigin } from './job-routes.ts';
import { type Job, type Jobs, ownerOf } from './jobs.ts';
import { type Parts, placeCapture } from './planting.ts';
import { type Asking, collection, finished, respond } from './respond.ts';
import { resultAddress } from './result-address.ts';
import { hex } from './seeded.ts';
import type { Fault } from './types.ts';
import { rangeSaid } from './window.ts';

/** What a call of a job is answered with. */
export interface JobAsking {
  asking: Asking;
  dataset: Dataset;
  jobs: Jobs;
  seed: string;
  fault: Fault | undefined;
}

export function answerJob(asked: JobAsking): Answer {
  const { asking, jobs } = asked;
  const { view, stream, part } = asking.route;
  if (part === 'create') return create(asked);
  const job = jobs.find(stream!.name, ownerOf(view), asking.filled);
  if (job === undefined) throw new Refused(404, 'There is no such job');
  if (part === 'poll') return poll(asked, job);
  if (part === 'download') return download(asked, job);
  // One call may be both: what is asked of a job that still runs is its end.
  if (job.state === 'running') job.state = 'cancelled';
  else job.cleanedUp = true;
  return json(200, finished(asking.route, {}));
}

function create({ asking, dataset, jobs, seed, fault }: JobAsking): Answer {
  const { route, request, filled } = asking;
  const stream = route.stream!;
  const { view } = route;
  const place = dataset.part(stream.name, filled);
  if (typeof place === 'string') throw new Refused(404, place);
  const running = jobs.running(stream.name, ownerOf(view));
  // Of another parent it is another job, also where only a header says which.
  const said = [place, request.method, request.path, request.search, request.body].join('\n');
  const same = running.find(({ asked }) => asked === said);
  if (same !== undefined && refusesTwins(asking)) {
    throw new Refused(425, `The request is a duplicate of: ${Object.values(same.captured)[0] ?? same.key}`);
  }
  const most = stream.job!.at_once;
  if (running.length >= most) throw new Refused(429, `No more than ${most} jobs may run at a time`, { 'retry-after': '5' });
  const job = jobs.begin(view, stream, filled, said);
  const empty = dataset.list(stream.name, place, rangeSaid(filled, stream.cursor)).count === 0;
  if (empty && stream.job!.states.none.length > 0) job.ending = 'none';
  meet(job, fault);
  const parts: Parts = { body: {}, headers: {}, cookies: [] };
  capture(parts, asking, job, 'create', { jobs, seed });
  return json(route.encode === 'graphql' ? 200 : 202, finished(route, parts.body ?? {}), parts.headers);
}

/** Some providers know a request that they are still at (425, as Amazon Ads has it): the spec then has a rule for it. */
function refusesTwins({ route }: Asking): boolean {
  const rules = [route.call.errors, route.view.resolved.http.errors].flatMap((errors) => errors?.rules ?? []);
  return rules.some(({ status }) => status?.includes(425));
}

function meet(job: Job, fault: Fault | undefined): void {
  if (fault?.kind === 'job_failed') job.ending = 'failed';
  if (fault?.kind === 'job_none') job.ending = 'none';
}

function poll({ asking, dataset, jobs, seed, fault }: JobAsking, job: Job): Answer {
  const { route } = asking;
  const { status, message } = job.stream.job!;
  meet(job, fault);
  const word = jobs.poll(job);
  const parts: Parts = { body: {}, headers: {}, cookies: [] };
  if (job.state === 'done' && inPoll(job.stream)) {
    job.downloads++;
    parts.body = collection({ ...asking, filled: [...job.filled, ...asking.filled] }, dataset, parts.headers).body;
  }
  placeCapture(parts, status, word, route.view.lookup);
  if (job.state === 'done') capture(parts, asking, job, 'poll', { jobs, seed });
  const failed = job.state === 'failed' ? 'The report could not be made' : job.state === 'cancelled' ? 'The job was cancelled' : undefined;
  if (failed !== undefined && message !== undefined) placeCapture(parts, message, failed, route.view.lookup);
  return json(200, finished(route, parts.body ?? {}), parts.headers);
}

/** A result that needs the credential, or lies at an address that the spec says itself. */
function download({ asking, dataset }: JobAsking, job: Job): Answer {
  if (job.state !== 'done') throw new Refused(404, 'There is no result');
  job.downloads++;
  return respond({ ...asking, filled: [...job.filled, ...asking.filled] }, dataset);
}

/** Puts into the answer what one of the job's calls captures from it. */
function capture(parts: Parts, { route }: Asking, job: Job, from: 'create' | 'poll', { jobs, seed }: { jobs: Jobs; seed: string }): void {
  const { view } = route;
  for (const [name, one] of Object.entries(job.stream.job![from].capture)) {
    if (one === null) continue;
    const role = captureRole(job.stream, name, one);
    const made = (): Data => {
      if (role === 'result') return resultAddress(resultOrigin(view, one), job.key, jobs.urlEnds, seed);
      if (role === 'address') return ownAddress(view, job.stream, name, job.key);
      if (role === 'number') return 70_000 + jobs.all.indexOf(job);
      return (one.pattern && fitting(one.pattern, name, job.key)) || hex(24, seed, job.key, name);
    };
    // An id stays; an address of a result is signed anew each time.
    const value = role === 'result' ? made() : (job.captured[name] ?? made());
    job.captured[name] = String(value);
    placeCapture(parts, one.path, role === 'number' ? Number(value) : value, view.lookup);
  }
}
