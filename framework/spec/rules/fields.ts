import type { Field, SpecDocument } from '../../core/spec-types.gen.ts';

/** All fields that the spec writes down, of the connection and of its methods, with their paths. */
export function fieldsOf(spec: SpecDocument): { path: string[]; name: string; field: Field; method?: string }[] {
  const connection = Object.entries(spec.fields ?? {}).map(([name, field]) => ({ path: ['fields', name], name, field }));
  const methods = Object.entries(spec.auth).flatMap(([method, { fields }]) =>
    Object.entries(fields ?? {}).flatMap(([name, field]) =>
      field === null ? [] : { path: ['auth', method, 'fields', name], name, field, method },
    ),
  );
  return [...connection, ...methods];
}
