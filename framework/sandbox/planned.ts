import type { Clock } from '../core/clock.ts';
import type { RateLimit } from '../core/spec-types.gen.ts';
import { type Answer, json } from './answer.ts';
import { errorPage, waitHeaders } from './faults.ts';
import type { Fault } from './types.ts';

/** An answer and how it is delivered. */
export interface Served {
  answer: Answer;
  stream?: string;
  cut?: 'before_head' | 'in_body';
  /** Milliseconds before it is sent. */
  delay?: number;
}

export type Refuse = (status: number, message: string, headers?: Record<string, string>) => Answer;
export type Planned = Omit<Served, 'answer' | 'stream'> & { answer?: Answer };

/** What a fault makes of the answer; without an answer of its own the right one is given. */
export function faulty({ clock }: { clock: Clock }, fault: Fault | undefined, limits: readonly RateLimit[], refuse: Refuse): Planned {
  switch (fault?.kind) {
    case 'rate_limit':
      return { answer: refuse(429, 'Too many requests', waitHeaders(fault, limits, clock)) };
    case 'server_error':
      return { answer: refuse(fault.status ?? 503, 'The service has failed') };
    case 'html':
      return { answer: errorPage(fault.status ?? 200) };
    case 'cut_before_head':
      return { answer: json(200, null), cut: 'before_head' };
    case 'cut_in_body':
      return { cut: 'in_body' };
    case 'slow':
      return { delay: fault.wait ?? 1000 };
    default:
      return {};
  }
}
