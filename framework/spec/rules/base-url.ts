import type { SpecDocument } from '../../core/spec-types.gen.ts';
import type { Rule } from './rule.ts';

const KEYS = ['base_url', 'token_url', 'authorize_url'];

export const rule: Rule = {
  name: 'base-url',
  severity: 'error',
  summary: 'A base, token or authorize URL that is no whole URL, or no base URL at all.',
  why: 'Its origin is where the credential goes: it must be said, or come from a field of type url.',
  bad: 'http: { base_url: api.acme.com }',
  good: 'http: { base_url: https://api.acme.com }',
  check: ({ urls, expressions, spec, partial }, report) => {
    if (!partial && !hasBaseUrl(spec))
      report(['http'], '`http` lacks `base_url`.', {
        part: 'key',
        hint: 'Write `base_url: https://api.acme.com` in `http`, or in each option or method.',
      });
    for (const leaf of urls) {
      const { node } = leaf;
      const key = String(leaf.key);
      if (typeof node.value !== 'string' || !KEYS.includes(key)) continue;
      if (/^https?:/i.test(node.value) || node.value.startsWith('${')) continue;
      const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(node.value);
      const hint = `Write \`${key}: https://${scheme === null ? node.value.replace(/^\/+/, '') : node.value.slice(scheme[0].length)}\`.`;
      report(leaf.path, `\`${key}\` is no https URL.`, { hint });
    }
    for (const { path, place, template } of expressions) {
      if (place !== 'url' || !KEYS.includes(String(path.at(-1)))) continue;
      const first = template?.parts[0];
      if (first === undefined || 'text' in first || first.stands === 'url') continue;
      report(path, `\`\${${first.source}}\` does not begin with https://.`, {
        within: [first.start, first.end],
        hint: 'Write `https://` before a host. Whole URLs are fields and captures of type url, and attributes that begin with https:// in every option.',
      });
    }
  },
};

/** Whether there is one under each method, and under each option of some choice. */
function hasBaseUrl({ http, auth, choices = {} }: SpecDocument): boolean {
  const has = (part: { http?: SpecDocument['http'] }): boolean => typeof part.http?.base_url === 'string';
  if (has({ http })) return true;
  return Object.values(auth).every(has) || Object.values(choices).some(({ options }) => Object.values(options).every(has));
}
