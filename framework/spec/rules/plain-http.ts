import type { Rule } from './rule.ts';

const LOOPBACK = /^http:\/\/(?:127(?:\.\d+){3}|\[::1\]|localhost)(?:[:/]|$)/i;

export const rule: Rule = {
  name: 'plain-http',
  severity: 'error',
  summary: 'An http:// URL where a credential goes.',
  why: 'Whoever is on the way reads the credential. Legal only for a literal loopback address, with `allow_http: loopback`.',
  bad: 'http: { base_url: http://api.acme.com }',
  good: 'http: { base_url: https://api.acme.com }',
  check: ({ urls, spec }, report) => {
    for (const leaf of urls) {
      const { node } = leaf;
      if (typeof node.value !== 'string' || !/^http:/i.test(node.value)) continue;
      const loopback = LOOPBACK.test(node.value);
      if (loopback && spec.http.allow_http === 'loopback') continue;
      const hint = loopback ? 'Write `allow_http: loopback` under `http`.' : 'Write https://.';
      report(leaf.path, 'Plain http: the credential could be read on the way.', { within: [0, 5], hint });
    }
  },
};
