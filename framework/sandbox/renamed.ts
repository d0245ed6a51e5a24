import type { ResolvedStream } from '../core/resolved.ts';

/** The name under which the provider sends what the spec's `rename` gives another one. */
export function rawPath({ rename }: Pick<ResolvedStream, 'rename'>, path: string): string {
  return Object.keys(rename).find((raw) => rename[raw] === path) ?? path;
}
