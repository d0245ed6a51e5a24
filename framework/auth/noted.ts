import { createHash } from 'node:crypto';
import { reached } from '../core/moment.ts';
import { reveal, Secret, type Text } from '../core/secret.ts';
import type { Response } from '../core/value.ts';
import type { CaptureValue, Held, NotedAnswer } from '../credentials/types.ts';
import type { Exchange } from './token-request.ts';

/** An answer, and when it came. Milliseconds since the epoch. */
export interface Received {
  response: Response;
  at: number;
}

/** One renewal whose answer must survive this process: its step, and the refresh token that it spends. */
export interface Renewal {
  held: Held;
  step: string;
  spent: CaptureValue | undefined;
}

/**
 * Sends a renewal, and notes the answer in the store before anybody looks at it: a provider that rotates has forgotten the old token by
 * now. An answer that cannot be noted is still an answer; if the disk is full, writing what it brought says so.
 */
export function noting(send: Exchange, { held, step, spent }: Renewal, now: () => number): Exchange {
  return async (request, options) => {
    const response = await send(request, options);
    const note = { step, spent: hashOf(spent), at: now(), answer: new Secret(packed(response)) };
    try {
      const noted = held.note(note);
      // Without an await where none is needed: nothing else runs between the answer's last byte and the note.
      if (noted !== undefined) await noted;
    } catch {
      return response;
    }
    reached('answer_read');
    return response;
  };
}

/** The answer to this very renewal that a process before had noted and did not live to store; undefined: there is none. */
export async function answerNoted({ held, step, spent }: Renewal): Promise<Received | undefined> {
  const note: NotedAnswer | undefined = await held.noted();
  if (note === undefined || note.step !== step || note.spent !== hashOf(spent)) return undefined;
  const { bytes, ...response } = JSON.parse(note.answer.reveal()) as Omit<Response, 'bytes'> & { bytes: string };
  return { response: { ...response, bytes: Buffer.from(bytes, 'base64') }, at: note.at };
}

const hashOf = (token: CaptureValue | undefined): string =>
  createHash('sha256')
    .update(typeof token === 'string' || token instanceof Secret ? reveal(token as Text) : JSON.stringify(token ?? null))
    .digest('base64url');

const packed = ({ status, headers, cookies, body, bytes, url }: Response): string =>
  JSON.stringify({ status, headers, cookies, body, bytes: Buffer.from(bytes).toString('base64'), url });
