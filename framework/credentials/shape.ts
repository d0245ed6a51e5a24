import type { ResolvedField } from '../core/resolved.ts';
import type { SpecDocument } from '../core/spec-types.gen.ts';
import { resolveFields } from '../spec/resolve.ts';
import type { ConnectorShape, InputField } from './types.ts';

/** A resolved field as inputs want it. Options that are loaded from the API are none here: the provider has the last word on them. */
export function inputField(field: ResolvedField): InputField {
  const { name, title, help, example, type, required, secret, value, default: preset, pattern, hosts, aliases, after, options } = field;
  const list = options?.list?.map((option) => ({ value: option.value, label: option.label ?? option.value }));
  return {
    name,
    title,
    type,
    required,
    secret,
    aliases,
    ...(help !== undefined && { help }),
    ...(example !== undefined && { example }),
    ...(value !== undefined && { value }),
    ...(preset !== undefined && { default: preset }),
    ...(pattern !== undefined && { pattern }),
    ...(hosts !== undefined && { hosts }),
    ...(after !== undefined && { after }),
    ...(list !== undefined && { options: list }),
  };
}

/** What a connection string for this connector can name: all its methods, fields and choices. */
export function connectorShape(spec: SpecDocument): ConnectorShape {
  const [first] = Object.keys(spec.auth);
  return {
    name: spec.name,
    fields: resolveFields(spec, first!)
      .filter(({ of }) => of === 'connection')
      .map(inputField),
    methods: Object.entries(spec.auth).map(([name, { type }]) => ({
      name,
      type,
      fields: resolveFields(spec, name)
        .filter(({ of }) => of === 'method')
        .map(inputField),
    })),
    choices: Object.entries(spec.choices ?? {}).map(([name, { options }]) => ({
      name,
      options: Object.entries(options).map(([id, option]) => ({
        id,
        attributes: Object.fromEntries(Object.entries(option).filter((entry): entry is [string, string] => typeof entry[1] === 'string')),
      })),
    })),
  };
}
