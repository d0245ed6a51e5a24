import { type FerruleError, isFerruleError } from '../framework/core/errors.ts';

/** What a function throws; anything but an error of ours fails the test. */
export function failureOf(run: () => unknown): FerruleError {
  try {
    run();
  } catch (error) {
    if (isFerruleError(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** The same of something that takes its time. */
export async function failureIn(run: () => Promise<unknown>): Promise<FerruleError> {
  try {
    await run();
  } catch (error) {
    if (isFerruleError(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
