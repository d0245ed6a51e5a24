/** What a commit of the streams in sink-child.ts holds. */

/** Of a commit. */
export const ROWS = 20;
/** Commits of one overwrite. */
export const PARTS = 4;
/** How many there are in the upsert. */
export const KEYS = 50;

/** Those that a commit writes. */
export const keysOf = (commit: number): number[] => Array.from({ length: ROWS }, (_, at) => (commit * 7 + at) % KEYS);
