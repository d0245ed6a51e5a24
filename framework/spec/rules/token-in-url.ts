import { AUTH_TYPES } from '../auth-types.ts';
import type { SpecPath, SpecTree } from '../tree.ts';
import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'token-in-url',
  severity: 'warning',
  summary: 'An access token or a client secret in the query.',
  why: 'URLs are written to logs of servers and proxies; OAuth forbids both (RFC 9700, 4.3.2; RFC 6749, 2.3.1). Where the provider reads nothing else, say so in a `# ferrule-ignore`.',
  bad: 'send: { headers: { Authorization: null }, query: { access_token: "${token.access_token}" } }',
  good: 'send: { headers: { Authorization: "Bearer ${token.access_token}" } }',
  check: (context, report) => {
    const { spec, tree } = context;
    for (const { path, template } of context.mentioning('token')) {
      const [root, method, part, place] = path;
      const type = spec.auth[String(method)]?.type ?? '';
      if (root !== 'auth' || part !== 'send' || place !== 'query' || template?.secret !== true) continue;
      // What a token signs is not the token.
      if (AUTH_TYPES[type]?.token === undefined || !/\$\{\s*token\.\w+\s*\}/.test(textAt(tree, path))) continue;
      report(path, 'The access token would stand in the URL.', { hint: 'Send it in a header, which is what this type does by itself.' });
    }
    for (const [method, own] of Object.entries(spec.auth)) {
      if (!('client_auth' in own) || own.client_auth !== 'query') continue;
      report(['auth', method, 'client_auth'], 'The client secret would stand in the URL.', { hint: 'Write `post` or `basic`.' });
    }
  },
};

function textAt(tree: SpecTree, path: SpecPath): string {
  const node = tree.node(path);
  return node?.kind === 'scalar' ? String(node.value) : '';
}
