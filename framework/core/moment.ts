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

/**
 * The steps of a key rotation, in their order. Whoever is killed at one of them must have lost nothing, and the next rotation must go on
 * with the same new key:
 *
 * - `rekey_begun`: it holds the store's own lock; `rekey_keys_added`: the new key stands before the old ones
 * - `rekey_before_record`, `rekey_record_sealed`: one record or note is about to be sealed anew, and is
 * - `rekey_check_sealed`: so is the key's check; `rekey_before_drop`: nothing needs an old key; `rekey_keys_dropped`: they are gone
 */
export const REKEY_MOMENTS = [
  'rekey_begun',
  'rekey_keys_added',
  'rekey_before_record',
  'rekey_record_sealed',
  'rekey_check_sealed',
  'rekey_before_drop',
  'rekey_keys_dropped',
] as const;

/**
 * The steps of writing to a folder, in their order. Whoever is killed at one of them must leave a folder that, opened again, holds the
 * records of its state and no others:
 *
 * - `sink_opened`: the state of the new read is flushed, and no file of rows has been touched for it
 * - `sink_rows_written`, `sink_rows_flushed`: rows stand behind the committed ones, or in a file beside them
 * - `sink_state_written`, `sink_state_flushed`: so does the line that says that they count
 * - `sink_before_replace`: a file is about to be renamed over another; `sink_moved_aside`: the former folder has gone out of the way;
 *   `sink_replaced`: the new one is in its place
 */
export const SINK_MOMENTS = [
  'sink_opened',
  'sink_rows_written',
  'sink_rows_flushed',
  'sink_state_written',
  'sink_state_flushed',
  'sink_before_replace',
  'sink_moved_aside',
  'sink_replaced',
] as const;

export type Moment = (typeof MOMENTS)[number] | (typeof REKEY_MOMENTS)[number] | (typeof SINK_MOMENTS)[number];

let listener: ((moment: Moment) => void) | undefined;

/** Says that a moment has come. Nobody listens but a test that kills its own process then. */
export const reached = (moment: Moment): void => listener?.(moment);

export function onMoment(listen: ((moment: Moment) => void) | undefined): void {
  listener = listen;
}
