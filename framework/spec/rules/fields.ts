import type { Field, SpecDocument } from '../../core/spec-types.gen.ts';

type Written = { path: string[]; name: string; field: Field; method?: string };

/** Several rules ask for them. */
const CACHE = new WeakMap<SpecDocument, Written[]>();

/** All fields that the spec writes down, of the connection and of its methods, with their paths. */
export function fieldsOf(spec: SpecDocument): readonly Written[] {
  const known = CACHE.get(spec);
  if (known !== undefined) return known;
  const connection = Object.entries(spec.fields ?? {}).map(([name, field]) => ({ path: ['fields', name], name, field }));
  const methods = Object.entries(spec.auth).flatMap(([method, { fields }]) =>
    Object.entries(fields ?? {}).flatMap(([name, field]) =>
      field === null ? [] : { path: ['auth', method, 'fields', name], name, field, method },
    ),
  );
  const made = [...connection, ...methods];
  CACHE.set(spec, made);
  return made;
}
