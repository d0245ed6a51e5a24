import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'field-collision',
  severity: 'error',
  summary: 'One name for two different fields.',
  why: '`fields.x` would mean the one or the other, and stored credentials would hold one value for both.',
  bad: 'fields: { token: { title: Shop token } }\nauth: { key: { type: bearer } }',
  good: 'fields: { shop_token: { title: Shop token } }\nauth: { key: { type: bearer } }',
  check: ({ spec, resolved }, report) => {
    const seen = new Map<string, { method: string; type: string; secret: boolean }>();
    for (const [method, { fields }] of Object.entries(resolved)) {
      for (const { name, of, type, secret } of fields) {
        if (of !== 'method') continue;
        const own = Object.hasOwn(spec.auth[method]?.fields ?? {}, name);
        const path = own ? ['auth', method, 'fields', name] : ['auth', method];
        if (Object.hasOwn(spec.fields ?? {}, name)) {
          const hint = own
            ? 'Give one of them another name.'
            : `The type of \`auth.${method}\` brings it along: give the other another name.`;
          report(own ? path : ['fields', name], `\`${name}\` is a field of the connection and of \`auth.${method}\`.`, {
            part: 'key',
            hint,
          });
          continue;
        }
        const earlier = seen.get(name);
        if (earlier === undefined) seen.set(name, { method, type, secret });
        else if (earlier.type !== type || earlier.secret !== secret) {
          const differs = earlier.type === type ? 'secrecy' : 'type';
          report(path, `\`${name}\` has another ${differs} in \`auth.${earlier.method}\`.`, {
            part: 'key',
            hint: 'Make them equal, or give one another name.',
          });
        }
      }
    }
  },
};
