import type { Leaf } from './context.ts';
import type { Rule } from './rule.ts';

/** Forms that vendors publish, and what stands behind `Bearer` or `Basic`. */
const FORMS: readonly RegExp[] = [
  /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}/, // a JSON Web Token (RFC 7519)
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/, // RFC 7468
  /\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}/,
  /\bgh[pousr]_[A-Za-z0-9]{30,}/,
  /\bxox[abprs]-[A-Za-z0-9-]{20,}/,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/,
  /\b(?:Bearer|Basic|Token)\s+[A-Za-z0-9+/=_.-]{16,}/,
];
/** What each of them holds: one look, since hardly any text has it. */
const FORM = /eyJ|-----BEGIN|k_(?:live|test)_|gh[pousr]_|xox|AKIA|ASIA|Bearer|Basic|Token/;
/** No form is shorter. Characters. */
const SHORTEST = 16;
const SECRET_KEY =
  /^(?:authorization|proxy-authorization|x-api-key|api[_-]?key|access[_-]?token|client[_-]?secret|password|secret|token)$/i;

export const rule: Rule = {
  name: 'secret-literal',
  severity: 'error',
  summary: 'A secret written into the spec.',
  why: 'Specs are shared and committed; a secret belongs into a credential. One that was committed must be revoked.',
  bad: 'http: { headers: { Authorization: Bearer abcdef0123456789abcdef } }',
  good: 'auth: { key: { type: bearer } }',
  check: ({ leaves, spec }, report) => {
    for (const leaf of leaves) {
      const { value } = leaf.node;
      if (typeof value !== 'string' || (value.length < SHORTEST && leaf.key !== 'default' && leaf.key !== 'value')) continue;
      const found =
        (FORM.test(value) && FORMS.some((each) => each.test(value))) || isSecretFieldText(leaf, spec.fields) || looksRandom(leaf);
      if (found && !value.includes('${') && !isProse(leaf)) {
        report(leaf.path, 'This looks like a secret.', {
          hint: 'Make it a secret field and write ${fields.…}; revoke it if it was ever real.',
        });
      }
    }
  },
};

/** Titles, helps, names of types and sources are read by people. */
function isProse({ path, key, shape }: Leaf): boolean {
  if (shape.kind === 'word' || path.includes('source') || path.includes('columns')) return true;
  return ['title', 'help', 'summary', 'hint', 'otherwise', 'note', 'reason', 'pattern'].includes(String(key));
}

/** A default, example or fixed value of a field that says it is secret. */
function isSecretFieldText(leaf: Leaf, fields: Record<string, { secret?: boolean }> | undefined): boolean {
  const { node, key } = leaf;
  if (key !== 'default' && key !== 'value') return false;
  const { path } = leaf;
  if (path[0] !== 'fields' || path.length !== 3) return false;
  return fields?.[String(path[1])]?.secret === true && node.text !== '';
}

/** Long, without spaces, letters and digits mixed, under a key that is made for secrets. */
function looksRandom({ key, node, shape }: Leaf): boolean {
  if ((shape.kind !== 'text' && shape.kind !== 'value') || !SECRET_KEY.test(String(key))) return false;
  return node.text.length >= SHORTEST && !/\s/.test(node.text) && /\d/.test(node.text) && /[A-Za-z]/.test(node.text);
}
