import type { Clock } from '../core/clock.ts';
import { FerruleError } from '../core/errors.ts';
import type { RateLimit } from '../core/spec-types.gen.ts';
import { type Answer, html } from './answer.ts';
import { httpDate, resetHeader } from './limits.ts';
import type { Fault, FaultKind } from './types.ts';

/** What a job comes to, not what an answer does. */
export const JOB_FAULTS: readonly FaultKind[] = ['job_failed', 'job_none'];
const KINDS: readonly FaultKind[] = [
  'rate_limit',
  'server_error',
  'expire_tokens',
  'cut_before_head',
  'cut_in_body',
  'html',
  'slow',
  'repeat_page',
  ...JOB_FAULTS,
];

export interface Subject {
  where: 'api' | 'token';
  path: string;
  stream: string | undefined;
  /** A call that begins a job, or asks how far it is. */
  job?: boolean;
}

/** What goes wrong, and when. */
export class Faults {
  #list: { fault: Fault; left: number; after: number }[] = [];

  add(...faults: Fault[]): void {
    for (const fault of faults) {
      if (!KINDS.includes(fault.kind)) {
        throw new FerruleError('usage', `There is no fault "${String(fault.kind)}"`, { next: `There are: ${KINDS.join(', ')}.` });
      }
      this.#list.push({ fault, left: fault.times ?? 1, after: fault.after ?? 0 });
    }
  }

  clear(): void {
    this.#list = [];
  }

  list(): Fault[] {
    return this.#list.map(({ fault, left, after }) => ({ ...fault, times: left, after }));
  }

  /** The fault for this request, counted as used. */
  take({ where, path, stream, job = false }: Subject): Fault | undefined {
    for (const entry of this.#list) {
      const { fault } = entry;
      if ((fault.where ?? 'api') !== where || entry.left <= 0) continue;
      if (JOB_FAULTS.includes(fault.kind) && !job) continue;
      if (fault.path !== undefined && !path.includes(fault.path)) continue;
      if (fault.stream !== undefined && fault.stream !== stream) continue;
      if (entry.after > 0) {
        entry.after--;
        continue;
      }
      entry.left--;
      this.#list = this.#list.filter(({ left }) => left > 0);
      return fault;
    }
    return undefined;
  }
}

/** Headers of a 429, in the form that the fault asks for. */
export function waitHeaders(fault: Fault, limits: readonly RateLimit[], clock: Clock): Record<string, string> {
  const wait = (fault.wait ?? 1) * 1000;
  const now = clock.now();
  switch (fault.header ?? 'seconds') {
    case 'http_date':
      return { 'retry-after': httpDate(now + wait) };
    case 'reset': {
      const limit = limits.find(({ reset }) => reset !== undefined);
      return resetHeader(limit, now, wait);
    }
    case 'none':
      return {};
    default:
      return { 'retry-after': String(Math.ceil(wait / 1000)) };
  }
}

export const errorPage = (status: number): Answer =>
  html(status, '<title>Just a moment</title>\n<body><h1>Just a moment</h1>\n<p>The service is being checked.</p></body>');
