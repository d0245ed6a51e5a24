import { inspect } from 'node:util';

/**
 * A value that must not be seen. It prints as `[secret]` however it is shown (string, JSON, inspect with hidden
 * fields); only `reveal()` gives the text, and only code that sends or seals bytes may call it.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** Wraps a text once; a Secret stays what it is. */
  static of(value: string | Secret): Secret {
    return value instanceof Secret ? value : new Secret(value);
  }

  /** The text itself. Call it where bytes leave for a host that may have it, or where they are sealed, and nowhere else. */
  reveal(): string {
    return this.#text;
  }

  get length(): number {
    return this.#text.length;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}

/** Plain or secret text: what a header, a query parameter or a body leaf may hold. */
export type Text = string | Secret;

/** The text behind either form. The same caution as `Secret.reveal` applies. */
export const reveal = (text: Text): string => (text instanceof Secret ? text.reveal() : text);

/** Every Secret in plain data, at any depth. */
export function secretsIn(value: unknown): Secret[] {
  if (value instanceof Secret) return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(secretsIn) : [];
}
