import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { SpecDocument } from '../core/spec-types.gen.ts';
import { freeze, readSpecFile } from './spec-file.ts';

/** Where the build keeps the long form of specs that it validated, by the hash of their text. Not there when run from source. */
const READY = new URL('../specs/', import.meta.url);

export const readyName = (text: Uint8Array): string => `${createHash('sha256').update(text).digest('hex')}.json`;

/**
 * A spec that is ready to run. The text of a bundled connector was parsed and validated when Ferrule was built; as long as
 * not a byte of it has changed, its long form is taken from there and neither parser nor validators are loaded, which is
 * half of the time from import to first request. Any other text is loaded as lint loads it.
 * @throws FerruleError spec_unreadable, or spec_invalid with all its findings
 */
export async function readySpec(path: string): Promise<SpecDocument> {
  const text = await readSpecFile(path);
  const ready = await readFile(new URL(readyName(text), READY), 'utf8').catch(() => undefined);
  if (ready !== undefined) return freeze(JSON.parse(ready) as SpecDocument);
  const { loadSpec } = await import('./load.ts');
  return loadSpec(text, path);
}
