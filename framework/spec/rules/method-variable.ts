import type { Login } from '../../core/resolved.ts';
import { capturing } from '../../core/scope.ts';
import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'method-variable',
  severity: 'error',
  summary: 'A field or token of one auth method, used where every method must have it.',
  why: 'Under another method the value does not exist, and the request cannot be made.',
  bad: 'auth:\n  key: { type: api_key, … }\n  basic: { type: basic }\nhttp: { headers: { X-Key: "${fields.api_key}" } }',
  good: 'auth:\n  key: { type: api_key, http: { headers: { X-Key: "${fields.api_key}" } }, … }\n  basic: { type: basic }',
  check: (context, report) => {
    const { resolved } = context;
    const methods = Object.keys(resolved);
    // With one method there is no other that could lack a name.
    if (methods.length < 2) return;
    const shared = new Set<string>();
    for (const { path, mentions } of new Set([...context.mentioning('fields'), ...context.mentioning('token')])) {
      if (path[0] === 'auth') continue;
      for (const [root, name] of mentions) {
        if ((root !== 'fields' && root !== 'token') || name === undefined) continue;
        const key = `${root}.${name}`;
        if (shared.has(key)) continue;
        const having = methods.filter((method) => hasVariable(resolved[method] as Login, root, name));
        if (having.length === methods.length) shared.add(key);
        if (having.length === 0 || having.length === methods.length) continue;
        const without = methods.filter((method) => !having.includes(method));
        report(path, `\`${key}\` does not exist under the method ${without.map((each) => `\`${each}\``).join(', ')}.`, {
          hint: `Say it in ${having.map((method) => `\`auth.${method}.http\``).join(' or ')} instead.`,
        });
      }
    }
  },
};

function hasVariable({ fields, method }: Login, root: 'fields' | 'token', name: string): boolean {
  if (root === 'fields') return fields.some((field) => field.name === name);
  return capturing(method).some(({ capture }) => Object.hasOwn(capture, name));
}
