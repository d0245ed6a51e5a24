/**
 * What an optional field without a value, or `given(false, x)`, gives. Absent is not null: a map entry that is absent
 * is left out, a null is sent.
 */
export const ABSENT: unique symbol = Symbol('absent');
export type Absent = typeof ABSENT;

export const isAbsent = (value: unknown): value is Absent => value === ABSENT;
