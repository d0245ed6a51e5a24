import type { SpecDocument } from '../framework/core/spec-types.gen.ts';
import { loadText } from '../framework/spec/load.ts';

/** Loads a spec that a test wrote; a finding of severity error fails the test with its text. */
export function specOf(text: string): SpecDocument {
  const { spec, findings } = loadText(text, 'acme.yaml');
  if (spec === undefined)
    throw new Error(findings.map(({ rule, message, start }) => `${start.line}:${start.column} ${rule} ${message}`).join('\n'));
  return spec;
}

/** A provider of two hosts; `auth` and what follows is the test's. */
export const acme = (rest: string): SpecDocument =>
  specOf(`spec: 1
name: acme
title: Acme
version: 1.0.0
http: { base_url: 'https://api.acme.test/v1' }
check: { get: /me }
${rest}`);

/** Both hosts lead to one local server. */
export const addresses = (origin: string): { sandbox: { addresses: Record<string, string> } } => ({
  sandbox: { addresses: { 'https://api.acme.test': origin, 'https://auth.acme.test': origin } },
});
