import { FerruleError } from '../core/errors.ts';
import type { Resolved } from '../core/resolved.ts';
import { suggest } from '../core/suggest.ts';
import { appVariable } from '../credentials/environment.ts';
import { inputError, readInputs } from '../credentials/inputs.ts';
import { inputField } from '../credentials/shape.ts';
import type { FieldValue } from '../credentials/types.ts';
import type { ConnectionOptions } from './options.ts';

/**
 * Values of the fields that whoever runs the product sets once (`owner: app`: an OAuth client, an app's key), checked. They are used
 * beside a person's credential and never stored in it. @throws FerruleError input_unknown, input_malformed
 */
export function appFields(
  resolved: Resolved,
  { app: given = {}, environment = {} }: Pick<ConnectionOptions, 'app' | 'environment'>,
): Record<string, FieldValue> {
  const fields = resolved.fields.filter(({ owner, value }) => owner === 'app' && value === undefined);
  const names = fields.map(({ name }) => name);
  for (const name of Object.keys(given)) {
    if (names.includes(name)) continue;
    const meant = suggest(name, names);
    const known = names.length === 0 ? `${resolved.title} has none under this method.` : `They are: ${names.join(', ')}.`;
    throw new FerruleError('input_unknown', `The app has no field "${name}"`, {
      where: `app.${name}`,
      next: meant === undefined ? known : `Did you mean "${meant}"? ${known}`,
    });
  }
  const shape = { connector: resolved.name, fields: fields.map((field) => ({ ...inputField(field), required: false })) };
  const set = fields.map(({ name }) => [name, environment[appVariable(resolved.name, name)]]);
  const sources = [
    { name: 'app', values: given },
    { name: 'environment', values: Object.fromEntries(set), label: (name: string) => appVariable(resolved.name, name) },
  ];
  const { values, problems } = readInputs(shape, sources);
  const error = inputError(problems, 'app fields');
  if (error !== undefined) throw error;
  return values;
}
