import type { Captures } from '../../core/resolved.ts';
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
    const methods = Object.entries(resolved).map(([method, each]) => ({ method, names: namesOf(each) }));
    // With one method there is no other that could lack a name.
    if (methods.length < 2) return;
    for (const { path, mentions } of new Set([...context.mentioning('fields'), ...context.mentioning('token')])) {
      if (path[0] === 'auth') continue;
      for (const [root, name] of mentions) {
        if ((root !== 'fields' && root !== 'token') || name === undefined) continue;
        const key = `${root}.${name}`;
        if (methods.every(({ names }) => names.has(key))) continue;
        const without = methods.filter(({ names }) => !names.has(key)).map(({ method }) => method);
        if (without.length === methods.length) continue;
        const having = methods.filter(({ names }) => names.has(key)).map(({ method }) => `auth.${method}.http`);
        report(path, `\`${key}\` does not exist under the method ${without.map((each) => `\`${each}\``).join(', ')}.`, {
          hint: `Say it in \`${having.join('` or `')}\` instead.`,
        });
      }
    }
  },
};

function namesOf({ fields, method }: Parameters<NonNullable<Rule['check']>>[0]['resolved'][string]): Set<string> {
  const names = new Set<string>();
  const add = ({ capture }: Captures): void => {
    for (const name of Object.keys(capture)) names.add(`token.${name}`);
  };
  for (const { name } of fields) names.add(`fields.${name}`);
  for (const step of method.steps) {
    if (step.type !== 'token') add(step);
    else if (method.token !== undefined) add(method.token);
  }
  method.refresh?.forEach(add);
  return names;
}
