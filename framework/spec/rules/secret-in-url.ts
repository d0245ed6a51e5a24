import type { SpecPath } from '../tree.ts';
import { encodeOf, isSecret } from './context.ts';
import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'secret-in-url',
  severity: 'warning',
  summary: 'A secret in a path or query.',
  why: 'URLs are written to logs of servers and proxies. A header is not. Where the provider takes nothing else, `send.query` of the auth method says so on purpose.',
  bad: 'http: { query: { key: "${fields.api_key}" } }',
  good: 'auth: { key: { type: api_key, send: { headers: { X-Key: "${fields.api_key}" } } } }',
  check: ({ expressions, spec }, report) => {
    const inQuery = (path: SpecPath): boolean => path.includes('body') && encodeOf(path.slice(0, path.indexOf('body')), spec) === 'query';

    for (const { path, place, template, scope, mentions } of expressions) {
      if (template?.secret !== true) continue;
      const asked = path[0] === 'auth' && path.includes('send');
      if (asked || (place !== 'url' && place !== 'query' && !(place === 'body' && inQuery(path)))) continue;
      const secret = mentions.find((mention) => isSecret(scope, mention));
      report(path, `\`${secret?.join('.') ?? 'A secret'}\` would stand in the URL.`, {
        hint: 'Send it in a header: `auth.<method>.send.headers`.',
      });
    }
  },
};
