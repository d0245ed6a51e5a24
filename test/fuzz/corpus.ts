import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Texts of all specs under a folder, always in the same order. */
function specsUnder(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => readFileSync(join(ROOT, folder, name), 'utf8'));
}

/** Ten to sixty lines each: what most cases are made from, since a case of them takes a millisecond. */
export const SMALL: readonly string[] = [...specsUnder('test/auth/tricky'), ...specsUnder('test/lint')];
/** The five connectors, of hundreds of lines. */
export const LARGE: readonly string[] = specsUnder('connectors');

/** Every word that stands as a key, and every scalar, in any of them. */
export const WORDS: readonly string[] = words(/^[ -]*([\w-]+):/gm);
export const SCALARS: readonly string[] = words(/^[ -]*[\w-]+: +([^{[|>\n#]+?) *$/gm);

function words(pattern: RegExp): string[] {
  return [...new Set([...SMALL, ...LARGE].flatMap((text) => [...text.matchAll(pattern)].map((found) => found[1]!)))].sort();
}
