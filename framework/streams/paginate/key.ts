import { FerruleError } from '../../core/errors.ts';
import type { Scope } from '../../core/expression/index.ts';
import { compilePath, readRequired } from '../../core/path.ts';
import type { Json } from '../../core/value.ts';
import { pageReader } from './reader.ts';
import type { PageSeen } from './types.ts';

/**
 * Reads the last record's key, by a path from that record or one ${…}. Without it nothing can be asked for that comes after, so that
 * nothing there, null and "" are errors too.
 */
export function keyReader(from: string, scope: Scope): (page: PageSeen) => string | number {
  const read = from.includes('${') ? pageReader(from, scope) : inRecord(from);
  return (seen) => {
    const key = read(seen);
    if ((typeof key === 'string' && key !== '') || typeof key === 'number') return key;
    throw new FerruleError('path_missing', `The key at ${from} of ${placeOf(seen)} is ${what(key)}, not a text or number`, { where: from });
  };
}

function inRecord(from: string): (page: PageSeen) => Json | undefined {
  const path = compilePath(from);
  return (seen) => {
    try {
      return readRequired(path, seen.last, from);
    } catch (error) {
      if (error instanceof FerruleError && error.code === 'path_missing')
        throw new FerruleError('path_missing', `The key of ${placeOf(seen)} is missing. ${error.message}`, { where: from });
      throw error;
    }
  };
}

const placeOf = ({ size, index }: PageSeen): string => `record ${size} of page ${index + 1}`;

/** Its kind, never its value. */
function what(key: Json | undefined): string {
  if (key === undefined) return 'missing';
  if (key === null) return 'null';
  if (key === '') return 'empty';
  return Array.isArray(key) ? 'a list' : typeof key === 'object' ? 'a map' : `a ${typeof key}`;
}
