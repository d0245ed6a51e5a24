import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { PRIMITIVES } from '../../../framework/docs/auth-primitives.ts';
import { authReachPage } from '../../../framework/docs/auth-reach.ts';
import { pages } from '../../../framework/docs/pages.ts';
import { lintText } from '../../../framework/spec/lint.ts';
import { readSchemas } from '../../../scripts/generate/schemas.ts';

/** A whole spec out of what the page shows; what the snippet does not say is filled in. */
function whole(snippet: string): string {
  const own = parse(snippet) as Record<string, unknown>;
  const filled: Record<string, string> = {
    auth: "auth: { key: { type: api_key, send: { headers: { X-Key: '${fields.api_key}' } } } }",
    http: 'http: { base_url: https://api.acme.com }',
  };
  // A snippet that adds headers to http says nothing of the base URL.
  const text = snippet.replace('http: { headers', 'http: { base_url: https://api.acme.com, headers');
  const missing = Object.entries(filled).flatMap(([key, line]) => (key in own ? [] : [line]));
  return ['spec: 1', 'name: acme', 'title: Acme', 'version: 1.0.0', 'check: { get: /me }', ...missing, text].join('\n');
}

describe('the reach of authentication', () => {
  it.each(PRIMITIVES.flatMap(({ name, yaml }) => (yaml === undefined ? [] : [[name, yaml]])))(
    '%s: what is shown lints clean',
    (_, yaml) => {
      const unused = ['unused-field'];
      const found = lintText(whole(yaml), 'acme.yaml').filter(({ rule }) => !unused.includes(rule));
      expect(found.map(({ rule, message, start }) => `${start.line}:${start.column} ${rule} ${message}`)).toEqual([]);
    },
  );

  it('has 24 primitives, each shown by specs that are there', () => {
    expect(PRIMITIVES.length).toBe(24);
    const lacking = PRIMITIVES.flatMap(({ shown }) => shown).filter((spec) => !existsSync(`test/auth/tricky/${spec}.yaml`));
    expect(lacking).toEqual([]);
    expect(PRIMITIVES.filter(({ shown }) => shown.length === 0).map(({ yaml }) => yaml)).toEqual([undefined]);
  });

  it('is a page of its own', () => {
    expect(pages({ specs: [], schemas: readSchemas(), rules: [] }).get('auth-reach.md')).toBe(authReachPage());
    expect(readFileSync('docs/auth-reach.md', 'utf8')).toBe(authReachPage());
  });
});
