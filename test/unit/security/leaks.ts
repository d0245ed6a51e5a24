/**
 * The names of the secrets that a text holds: as they are, percent-encoded (which leaves the stem of a canary as it is) or anywhere within
 * base64 of either alphabet, at any offset.
 */
export function leaks(text: string, secrets: Readonly<Record<string, string>>): string[] {
  const runs = text.match(/[A-Za-z0-9+/_-]{8,}={0,2}/g) ?? [];
  const decoded = runs.flatMap((run) => [0, 1, 2, 3].map((cut) => Buffer.from(run.slice(cut), 'base64').toString('latin1')));
  const all = [text, ...decoded].join('\n');
  return Object.keys(secrets).filter((name) => all.includes(stemOf(secrets[name] ?? '')));
}

/** See test/canary.ts: what no encoding changes. */
function stemOf(secret: string): string {
  const stem = /CANARY([0-9a-f]{24})/.exec(secret)?.[1];
  if (stem === undefined) throw new Error('no canary');
  return stem;
}
