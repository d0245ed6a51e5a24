import { FerruleError } from '../core/errors.ts';

/** `Accept: text/csv` as name and value (RFC 9110, 5.1). */
export function headerLine(text: string): [name: string, value: string] {
  const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*)$/.exec(text);
  // The text is not repeated: a header may hold a secret.
  if (match === null) throw new FerruleError('usage', '--header wants "Name: value"');
  return [match[1] ?? '', match[2] ?? ''];
}
