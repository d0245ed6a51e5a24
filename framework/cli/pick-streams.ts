import { FerruleError } from '../core/errors.ts';
import { suggest } from '../core/suggest.ts';
import type { Connection } from '../engine/connection.ts';

/** Streams by name, or all that are offered under the credential's choices. @throws FerruleError stream_unknown */
export function pickStreams(connection: Connection, wanted: readonly string[]): string[] {
  const known = connection.streams();
  for (const name of wanted) {
    const stream = known.find((one) => one.name === name);
    if (stream?.available === true) continue;
    const names = known.filter(({ available }) => available).map((one) => one.name);
    const meant = suggest(name, names);
    const problem = stream === undefined ? `has no stream "${name}"` : `does not offer "${name}" under these choices`;
    throw new FerruleError('stream_unknown', `${connection.connector} ${problem}`, {
      where: name,
      next: `${meant === undefined || meant === name ? '' : `Did you mean "${meant}"? `}There are: ${names.join(', ')}.`,
    });
  }
  return wanted.length > 0 ? [...new Set(wanted)] : known.filter(({ available }) => available).map(({ name }) => name);
}
