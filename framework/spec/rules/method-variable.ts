import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'method-variable',
  severity: 'error',
  summary: 'A field or token of one auth method, used where every method must have it.',
  why: 'Under another method the value does not exist, and the request cannot be made.',
  bad: 'auth:\n  key: { type: api_key, … }\n  basic: { type: basic }\nhttp: { headers: { X-Key: "${fields.api_key}" } }',
  good: 'auth:\n  key: { type: api_key, http: { headers: { X-Key: "${fields.api_key}" } }, … }\n  basic: { type: basic }',
  check: ({ expressions, resolved }, report) => {
    const methods = Object.entries(resolved).map(([method, each]) => ({ method, names: namesOf(each) }));
    for (const { path, mentions } of expressions) {
      if (path[0] === 'auth') continue;
      for (const [root, name] of mentions) {
        if ((root !== 'fields' && root !== 'token') || name === undefined) continue;
        const key = `${root}.${name}`;
        const without = methods.filter(({ names }) => !names.has(key)).map(({ method }) => method);
        if (without.length === 0 || without.length === methods.length) continue;
        const having = methods.filter(({ names }) => names.has(key)).map(({ method }) => `auth.${method}.http`);
        report(path, `\`${key}\` does not exist under the method ${without.map((each) => `\`${each}\``).join(', ')}.`, {
          hint: `Say it in \`${having.join('` or `')}\` instead.`,
        });
      }
    }
  },
};

function namesOf({ fields, method }: Parameters<NonNullable<Rule['check']>>[0]['resolved'][string]): Set<string> {
  const calls = [...method.steps.flatMap((step) => (step.type === 'token' ? (method.token ?? []) : step)), ...(method.refresh ?? [])];
  return new Set([
    ...fields.map(({ name }) => `fields.${name}`),
    ...calls.flatMap(({ capture }) => Object.keys(capture).map((name) => `token.${name}`)),
  ]);
}
