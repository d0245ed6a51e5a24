/** A place in a text: 1-based line and column, 0-based offset. */
export interface Position {
  line: number;
  column: number;
  offset: number;
}

export type Severity = 'error' | 'warning';

/**
 * Something wrong in a spec or in inputs: returned, never thrown. All findings of a text are reported at once.
 * `rule` is a stable name with a page in the docs; `hint` says what to write instead.
 */
export interface Finding {
  rule: string;
  severity: Severity;
  message: string;
  /** As the caller named it; `-` for standard input. */
  file: string;
  /** Keys from the root, as in `['streams', 'orders', 'get']`. */
  path: (string | number)[];
  start: Position;
  end: Position;
  hint?: string;
}
