import type { Clock } from '../core/clock.ts';
import type { ResolvedJob, ResolvedStream } from '../core/resolved.ts';
import type { Filled } from './pattern.ts';
import { hex } from './seeded.ts';
import type { JobOptions, SandboxJob } from './types.ts';
import type { View } from './view.ts';

/** A job that a create call began. */
export interface Job {
  /** Names it within the sandbox. */
  key: string;
  stream: ResolvedStream;
  /** Under which it was begun. */
  view: View;
  /** Whose it is: the auth method, of which the sandbox has one credential. */
  owner: string;
  /** What the create call said: window, parent, items. */
  filled: Filled[];
  /** The create call, letter by letter, and whose partition it is about. */
  asked: string;
  began: number;
  /** What was captured, by name. */
  captured: Record<string, string>;
  /** How it will end. */
  ending: 'done' | 'failed' | 'none';
  state: SandboxJob['state'];
  polls: number;
  downloads: number;
  cleanedUp: boolean;
}

/** All jobs of a provider. */
export class Jobs {
  readonly #clock: Clock;
  readonly #seed: string;
  readonly #options: Required<JobOptions>;
  readonly all: Job[] = [];

  constructor(clock: Clock, seed: string, { polls = 2, takes = 0, urlLifetime = 600 }: JobOptions = {}) {
    this.#clock = clock;
    this.#seed = seed;
    this.#options = { polls, takes, urlLifetime };
  }

  /** Milliseconds since the epoch at which an address of a result that is given now is no longer good. */
  get urlEnds(): number {
    return this.#clock.now() + this.#options.urlLifetime * 1000;
  }

  begin(view: View, stream: ResolvedStream, filled: Filled[], asked: string): Job {
    const key = hex(12, this.#seed, 'job', this.all.length);
    const counts = { polls: 0, downloads: 0, cleanedUp: false };
    const job: Job = {
      ...{ key, view, stream, owner: ownerOf(view), filled, asked, began: this.#clock.now(), captured: {} },
      ...{ ending: 'done', state: 'running', ...counts },
    };
    this.all.push(job);
    return job;
  }

  /** Those of a stream and owner that are not over: nobody who has stopped asking keeps a place for ever. */
  running(stream: string, owner: string): Job[] {
    return this.all.filter(
      (job) =>
        job.stream.name === stream &&
        job.owner === owner &&
        job.state === 'running' &&
        this.#clock.now() < job.began + Math.max(this.#options.takes, job.stream.job!.poll.timeout),
    );
  }

  /** The one that a request's `job.…` holes name; without such a hole the last one. */
  find(stream: string, owner: string, filled: readonly Filled[]): Job | undefined {
    const named = filled.filter(({ hole }) => hole.startsWith('job.'));
    return this.all.findLast(
      (job) =>
        job.stream.name === stream &&
        job.owner === owner &&
        !job.cleanedUp &&
        named.every(({ hole, value }) => (hole === KEY_HOLE ? job.key : job.captured[hole.slice('job.'.length)]) === value),
    );
  }

  /** One more poll. Gives the word of its status. */
  poll(job: Job): string {
    job.polls++;
    const { states } = job.stream.job as ResolvedJob;
    const asksEnough = job.polls > this.#options.polls && this.#clock.now() >= job.began + this.#options.takes;
    if (job.state === 'running' && (asksEnough || states.running.length === 0)) job.state = job.ending;
    if (job.state === 'running') return states.running[Math.min(job.polls, states.running.length) - 1]!;
    const words = states[job.state === 'cancelled' ? 'failed' : job.state];
    return words[0] ?? job.state;
  }

  /** What a caller sees of them. */
  get shown(): SandboxJob[] {
    return this.all.map(({ stream, captured, state, polls, downloads, cleanedUp }) => ({
      ...{ stream: stream.name, captured, state, polls, downloads, cleanedUp },
    }));
  }
}

/** Who has a credential of this view. */
export const ownerOf = (view: View): string => view.resolved.method.name;

/** Stands in an address of the sandbox's own making. */
export const KEY_HOLE = 'job.key';
