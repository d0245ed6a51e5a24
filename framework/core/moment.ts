/**
 * The moments between a renewal's answer and the first use of what it brought, in their order, each named where it passes.
 * Whoever is killed at one of them must have lost nothing:
 *
 * - `answer_read`: the answer is read and noted, as one step that waits for nothing in between where the store is on this machine
 * - `before_write`: its tokens are found, and about to be written
 * - `written`: the bytes are in a file beside the record; `before_fsync`: … and about to be flushed; `before_rename`: … and flushed
 * - `before_use`: the record is written, and no request has gone with the new token
 */
export const MOMENTS = ['answer_read', 'before_write', 'written', 'before_fsync', 'before_rename', 'before_use'] as const;

export type Moment = (typeof MOMENTS)[number];

let listener: ((moment: Moment) => void) | undefined;

/** Says that a moment has come. Nobody listens but a test that kills its own process then. */
export const reached = (moment: Moment): void => listener?.(moment);

export function onMoment(listen: ((moment: Moment) => void) | undefined): void {
  listener = listen;
}
