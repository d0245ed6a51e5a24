import { FerruleError, isFerruleError } from '../core/errors.ts';
import type { Scope, Vars } from '../core/expression/index.ts';
import { compilePath, readPath, readRequired } from '../core/path.ts';
import { compileCall } from '../core/render.ts';
import type { ResolvedCall, ResolvedJob, ResolvedStream } from '../core/resolved.ts';
import { reveal } from '../core/secret.ts';
import type { Json, Response } from '../core/value.ts';
import type { CallDraft } from '../http/types.ts';
import type { Fetched, StreamEnvironment } from './environment.ts';
import type { PageRequest } from './read-unit.ts';
import { responsePath } from './response-path.ts';
import type { UnitState } from './unit.ts';

type Begun = NonNullable<UnitState['job']>;

/** create → poll → download → clean up, for one unit. What it knows of the job is in the unit's state alone. */
export interface JobDownload {
  create(): Promise<Begun>;
  /** Waits until it is done, and says how its result is asked for; undefined: it has none. @throws FerruleError job_failed, job_timeout */
  result(begun: Begun): Promise<PageRequest | undefined>;
  cleanUp(begun: Begun): Promise<void>;
  /** Whether an error of `result` says that the job will never be done: it failed, was cancelled, or is not there. */
  isGone(error: unknown): boolean;
  /** Whether another job may do better. */
  mayRepeat(error: unknown): boolean;
}

/** Waits grow by half each time, to four times the first. */
const GROWTH = 1.5;
const LONGEST = 4;

export function jobDownload(stream: ResolvedStream, environment: StreamEnvironment, vars: () => Promise<Vars>): JobDownload {
  const job = stream.job as ResolvedJob;
  const { clock, scopes } = environment;
  const withJob = async (captures: Begun['captures']): Promise<Vars> => ({ ...(await vars()), job: captures });
  const send = async (call: ResolvedCall, captures: Begun['captures'], scope: 'stream' | 'job'): Promise<Fetched> => {
    const compiled = compileCall(call, scopes[scope]);
    const draft = async (): Promise<CallDraft> => compiled.render(await withJob(captures));
    return await environment.fetch(await draft(), { ...call, name: `${stream.name} ${call.name ?? ''}`.trim() }, { redraft: draft });
  };
  const taken = async (call: ResolvedCall, answer: Fetched, known: Begun['captures']): Promise<Begun['captures']> => {
    // An answer that nothing is wanted of may be anything.
    if (Object.keys(call.capture).length === 0) return {};
    const reading = { scope: scopes.response, vars: await withJob(known) };
    return capturesOf(call, responseOf(answer), `streams.${stream.name}.job`, reading);
  };
  const status = responsePath(job.status, scopes.response);

  const end = async (call: ResolvedCall | undefined, { captures }: Begun, name: string): Promise<void> => {
    if (call !== undefined) await send({ ...call, name }, captures, 'job');
  };

  return {
    async create() {
      const answer = await send(job.create, {}, 'stream');
      return { captures: await taken(job.create, answer, {}), created: clock.now() };
    },

    async result(begun) {
      const since = clock.now();
      for (let wait = job.poll.every; ; wait = Math.min(wait * GROWTH, job.poll.every * LONGEST)) {
        const answer = await send(job.poll, begun.captures, 'job');
        const word = wordOf(stream, status(responseOf(answer), await withJob(begun.captures)));
        if (job.states.none.includes(word)) return undefined;
        if (job.states.done.includes(word)) return download({ ...begun.captures, ...(await taken(job.poll, answer, begun.captures)) });
        if (!job.states.running.includes(word)) throw failed(stream, word, answer);
        // A restart gives the same job as long again.
        if (clock.now() + wait - since > job.poll.timeout) {
          await end(job.cancel, begun, 'cancel');
          throw timedOut(stream, word);
        }
        await clock.sleep(wait, environment.signal);
      }
    },

    cleanUp: (begun) => end(job.clean_up, begun, 'clean_up'),

    isGone: (error) =>
      isFerruleError(error) &&
      (error.code === 'job_failed' ||
        (error.code === 'job_timeout' && job.cancel !== undefined) ||
        error.status === 404 ||
        error.status === 410),

    mayRepeat: (error) => isFerruleError(error) && error.code === 'job_failed' && error.where === `streams.${stream.name}`,
  };

  function download(captures: Begun['captures']): PageRequest | undefined {
    const call = job.download;
    if (call === undefined) return undefined;
    const compiled = compileCall(call, scopes.job);
    return {
      variables: () => withJob(captures),
      draft: (of) => compiled.render(of),
      fetch: (draft, redraft) =>
        environment.fetch(
          draft,
          { ...call, name: `${stream.name} download` },
          { redraft, elsewhere: /^https?:/i.test(reveal(draft.url)), anyType: true },
        ),
      chain: call.chain.length > 0 ? call.chain : stream.chain,
    };
  }
}

function wordOf(stream: ResolvedStream, value: Json | undefined): string {
  const { status } = stream.job as ResolvedJob;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new FerruleError('path_missing', `${stream.name}: the poll's answer has no status at ${status}`, {
    where: `streams.${stream.name}.job.status`,
  });
}

function responseOf(answer: Fetched): Response {
  const { status, headers, cookies, url } = answer;
  return { status, headers, cookies, url, body: answer.json(), bytes: answer.bytes ?? new Uint8Array() };
}

function capturesOf(
  call: ResolvedCall,
  response: Response,
  where: string,
  { scope, vars }: { scope: Scope; vars: Vars },
): Begun['captures'] {
  const captures: Begun['captures'] = {};
  for (const [name, { path }] of Object.entries(call.capture)) {
    const at = `${where}.${call.name}.capture.${name}`;
    const value = path.includes('${') ? responsePath(path, scope)(response, vars) : readRequired(compilePath(path), response.body, at);
    if (value !== undefined && value !== null) captures[name] = value;
    else if (!path.endsWith('?')) throw new FerruleError('path_missing', `Nothing is at ${path} in the answer`, { where: at });
  }
  return captures;
}

function failed(stream: ResolvedStream, word: string, answer: Fetched): FerruleError {
  const job = stream.job as ResolvedJob;
  const message = job.message === undefined ? undefined : readPath(compilePath(job.message), answer.json());
  const known = job.states.failed.includes(word);
  const said = typeof message === 'string' && message !== '' ? `: ${message.slice(0, 300)}` : '';
  return new FerruleError(
    'job_failed',
    `${stream.name}: ${known ? `the job's status is ${word}` : `the spec does not list the job's status "${word.slice(0, 60)}"`}${said}`,
    {
      where: known ? `streams.${stream.name}` : `streams.${stream.name}.job.states`,
    },
  );
}

const timedOut = (stream: ResolvedStream, word: string): FerruleError =>
  new FerruleError('job_timeout', `${stream.name}: the job is still ${word} after ${(stream.job as ResolvedJob).poll.timeout / 1000} s`, {
    where: `streams.${stream.name}.job.poll.timeout`,
  });
