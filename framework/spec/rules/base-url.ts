import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'base-url',
  severity: 'error',
  summary: 'A base, token or authorize URL that is no whole URL.',
  why: 'Its origin is where the credential goes: it must be said, or come from a field of type url.',
  bad: 'http: { base_url: api.acme.com }',
  good: 'http: { base_url: https://api.acme.com }',
  check: ({ leaves }, report) => {
    for (const { path, node, shape } of leaves) {
      const key = String(path.at(-1));
      if (shape.place !== 'url' || typeof node.value !== 'string' || !['base_url', 'token_url', 'authorize_url'].includes(key)) continue;
      if (/^https?:/i.test(node.value) || node.value.startsWith('${')) continue;
      const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(node.value);
      const hint = `Write \`${key}: https://${scheme === null ? node.value.replace(/^\/+/, '') : node.value.slice(scheme[0].length)}\`.`;
      report(path, `\`${key}\` is no https URL.`, { hint });
    }
  },
};
