import type { Resolved, ResolvedField, ResolvedMethod } from '../core/resolved.ts';
import { certificateOf } from './certificate.ts';
import { fitting } from './fitting.ts';
import { algorithmFor, isCertificate, privateKeyFor } from './keys.ts';
import { digest, hex } from './seeded.ts';

/**
 * A value for each field that a right credential needs: the caller's own, else one of the field's shape. Optional
 * fields stay empty unless the caller gives them or a host needs them (`inHosts`); what is asked for after auth comes
 * from the data (see view.ts).
 */
export function generateFields(
  { fields, method }: Resolved,
  inHosts: ReadonlySet<string>,
  seed: string,
  given: Record<string, string>,
): Record<string, string> {
  const values: Record<string, string> = {};
  for (const field of fields) {
    const own = given[field.name];
    if (field.value !== undefined) continue;
    if (own !== undefined) values[field.name] = field.type === 'url' ? own.replace(/\/+$/, '') : own;
    else if (field.after === undefined && (field.required || inHosts.has(field.name)) && field.default === undefined) {
      values[field.name] = key(field, method) ?? generate(field, seed);
    }
  }
  return values;
}

/** A key must be a real one, of the kind that its algorithm signs with; a certificate that key's. */
function key({ name, type }: ResolvedField, method: ResolvedMethod): string | undefined {
  if (type !== 'pem') return undefined;
  return isCertificate(name, method) ? certificateOf(privateKeyFor(''), 'Sandbox') : privateKeyFor(algorithmFor(name, method) ?? '');
}

function generate(field: ResolvedField, seed: string): string {
  const { name, example, options } = field;
  const listed = options?.list?.[0];
  if (listed !== undefined) return listed.value;
  // A host or a date is no secret, and the example in the spec is known to be legal.
  const shaped = field.secret && example !== undefined ? alike(example, seed, name) : (example ?? byType(field, seed));
  if (field.pattern === undefined || new RegExp(field.pattern, 'u').test(shaped)) return shaped;
  return example ?? fitting(field.pattern, seed, name) ?? shaped;
}

function byType({ name, type, hosts, secret }: ResolvedField, seed: string): string {
  const host = hosts?.[0]?.replace(/^\*\./, `${label(name)}.`) ?? `${label(name)}.example.com`;
  const types: Partial<Record<ResolvedField['type'], string>> = {
    url: `https://${host}`,
    host,
    subdomain: label(name),
    email: `${label(name)}@example.com`,
    integer: '42',
    number: '4.2',
    boolean: 'true',
    date: /end|until|(^|_)to(_|$)/.test(name) ? '2026-01-08' : '2026-01-01',
    datetime: /end|until|(^|_)to(_|$)/.test(name) ? '2026-01-08T00:00:00Z' : '2026-01-01T00:00:00Z',
  };
  return types[type] ?? (secret ? hex(40, seed, name) : `${name.replaceAll('_', '-')}-${hex(8, seed, name)}`);
}

const label = (name: string): string => name.replaceAll('_', '-').slice(0, 40);

/** Another text of the same shape: digits stay digits, letters letters, and punctuation stays. */
function alike(example: string, seed: string, name: string): string {
  const bytes = digest(seed, name, example);
  const onlyHex = /^[0-9a-f]+$/.test(example);
  return [...example]
    .map((char, index) => {
      const random = bytes[index % bytes.length]! ^ ((index / bytes.length) | 0);
      if (/[0-9]/.test(char)) return String(random % 10);
      if (/[a-z]/.test(char)) return String.fromCharCode(97 + (random % (onlyHex ? 6 : 26)));
      if (/[A-Z]/.test(char)) return String.fromCharCode(65 + (random % 26));
      return char;
    })
    .join('');
}
