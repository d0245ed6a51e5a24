import { createHash } from 'node:crypto';

/** Repeatable bytes: the same parts give the same ones, on any machine. */
export const digest = (...parts: (string | number)[]): Buffer => createHash('sha256').update(parts.join('\u0000')).digest();

export const hex = (size: number, ...parts: (string | number)[]): string =>
  digest(...parts)
    .toString('hex')
    .slice(0, size);

/** Fast repeatable numbers in [0, 2^32) for record values, one for each index (FNV-1a with a final mix). */
export function scatter(text: string): (index: number) => number {
  let start = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) start = Math.imul(start ^ text.charCodeAt(at), 0x01000193);
  return (index) => {
    let hash = Math.imul(start ^ index, 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) >>> 0;
  };
}
