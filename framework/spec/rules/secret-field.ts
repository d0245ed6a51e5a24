import type { Field } from '../../core/spec-types.gen.ts';
import { AUTH_TYPES } from '../auth-types.ts';
import type { Rule } from './rule.ts';

/** `key` alone names too much (a primary key, a keyword): only with another word that makes it a credential. */
const SECRET_NAME =
  /(^|_)(secret|password|passwd|pwd|passphrase|token|api_?key|access_?key|private_?key|secret_?key|signing_?key|credential)(_|$)/;

export const rule: Rule = {
  name: 'secret-field',
  severity: 'warning',
  summary: 'A field whose name says that it is secret, but which is not.',
  why: 'What is not secret is shown in forms, logs and error messages.',
  bad: 'fields: { access_token: { title: Token } }',
  good: 'fields: { access_token: { title: Token, secret: true } }',
  check: ({ spec }, report) => {
    const look = (path: string[], name: string, field: Field | null, implied: Field | undefined): void => {
      if (field === null || field.secret !== undefined || implied?.secret === true || field.type === 'pem') return;
      const typed = field.type !== undefined && field.type !== 'text';
      if (
        typed ||
        field.options !== undefined ||
        field.value !== undefined ||
        !SECRET_NAME.test(name) ||
        /(^|_)(id|name|url|type)$/.test(name)
      )
        return;
      report(path, `\`${name}\` sounds secret but is not.`, {
        part: 'key',
        hint: 'Write `secret: true`, or `secret: false` if it may be seen.',
      });
    };
    for (const [name, field] of Object.entries(spec.fields ?? {})) look(['fields', name], name, field, undefined);
    for (const [method, { type, fields }] of Object.entries(spec.auth)) {
      for (const [name, field] of Object.entries(fields ?? {}))
        look(['auth', method, 'fields', name], name, field, AUTH_TYPES[type]?.fields[name]);
    }
  },
};
