import type { ResolvedField } from '../core/resolved.ts';
import type { SpecDocument } from '../core/spec-types.gen.ts';
import type { JsonObject } from '../core/value.ts';
import { resolve, resolveFields, words } from '../spec/resolve.ts';

/** The connectionSpecification of Airbyte's SPEC message, and where more is to be read. Its config is what `readConfig` takes. */
export function airbyteSpec(spec: SpecDocument): JsonObject {
  const documentation = Object.values(spec.links ?? {})[0];
  return {
    ...(documentation !== undefined && { documentationUrl: documentation }),
    supportsIncremental: true,
    connectionSpecification: connectionSpecification(spec),
  };
}

function connectionSpecification(spec: SpecDocument): JsonObject {
  const methods = Object.keys(spec.auth);
  const choices = Object.entries(spec.choices ?? {});
  const fields = asked(spec, methods[0] ?? '').filter(({ of }) => of === 'connection');
  const properties = numbered([
    [
      'credentials',
      {
        type: 'object',
        title: 'Authentication',
        oneOf: methods.map((method) => methodSchema(spec, method)),
      },
    ],
    ...choices.map(([name, choice]) => [name, choiceSchema(name, choice)] as const),
    ...fields.map((field) => [field.name, fieldSchema(field)] as const),
  ]);
  const wanted = choices.filter(([, { default: preset }]) => preset === undefined).map(([name]) => name);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: `${spec.title} configuration`,
    type: 'object',
    additionalProperties: true,
    required: ['credentials', ...wanted, ...fields.filter(isRequired).map(({ name }) => name)],
    properties,
  };
}

function methodSchema(spec: SpecDocument, name: string): JsonObject {
  const { method } = resolve(spec, { method: name, choices: firstOptions(spec) });
  const fields = asked(spec, name).filter(({ of }) => of === 'method');
  const byPerson = method.authorize !== undefined || method.device !== undefined;
  const tokens = byPerson ? consentFields(new Set(fields.map((field) => field.name)), method.refresh !== undefined) : [];
  return {
    type: 'object',
    title: method.title,
    ...(method.help !== undefined && { description: method.help }),
    required: ['method', ...fields.filter(isRequired).map((field) => field.name), ...(tokens[0] === undefined ? [] : [tokens[0][0]])],
    properties: numbered([
      ['method', { type: 'string', title: 'Method', const: name }],
      ...fields.map((field) => [field.name, fieldSchema(field)] as const),
      ...tokens,
    ]),
  };
}

/** What a person's consent brings, which nothing but a browser can get. The first one is needed. */
function consentFields(known: ReadonlySet<string>, renews: boolean): [string, JsonObject][] {
  const token = (name: string, title: string, help: string): [string, JsonObject] => [
    name,
    { type: 'string', title, description: help, airbyte_secret: true },
  ];
  const tokens = [
    ...(renews ? [token('refresh_token', 'Refresh token', 'What a consent brought: `ferrule connect` goes through one.')] : []),
    token('access_token', 'Access token', renews ? 'Optional: it is asked for with the refresh token.' : 'What a consent brought.'),
  ];
  return tokens.filter(([name]) => !known.has(name));
}

const asked = (spec: SpecDocument, method: string): ResolvedField[] =>
  resolveFields(spec, method).filter(({ value }) => value === undefined);

/** An app's own field may be in the environment of whoever runs the product; one under a condition is not always wanted. */
const isRequired = ({ required, when, owner, default: preset }: ResolvedField): boolean =>
  required && when === undefined && owner === 'person' && preset === undefined;

/** Choices of which it only matters here that there are some. */
const firstOptions = (spec: SpecDocument): Record<string, string> =>
  Object.fromEntries(
    Object.entries(spec.choices ?? {}).map(([name, { default: preset, options }]) => [name, preset ?? Object.keys(options)[0] ?? '']),
  );

type Choice = NonNullable<SpecDocument['choices']>[string];

function choiceSchema(name: string, { title, help, default: preset, options }: Choice): JsonObject {
  const listed = Object.entries(options).map(([id, option]) => `${id}: ${option.title ?? words(id)}`);
  return {
    type: 'string',
    title: title ?? words(name),
    description: [help, `${listed.join('; ')}.`].filter((part) => part !== undefined).join(' '),
    enum: Object.keys(options),
    ...(preset !== undefined && { default: preset }),
  };
}

const TYPES: Partial<Record<ResolvedField['type'], JsonObject>> = {
  integer: { type: 'integer' },
  number: { type: 'number' },
  boolean: { type: 'boolean' },
  date: { type: 'string', format: 'date', pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' },
  datetime: { type: 'string', format: 'date-time' },
  url: { type: 'string', format: 'uri' },
  email: { type: 'string', format: 'email' },
  pem: { type: 'string', multiline: true },
  list: { type: 'array', items: { type: 'string' } },
};

/** The spec's pattern only advises, so that it is told and not demanded. */
function fieldSchema(field: ResolvedField): JsonObject {
  const { title, help, example, type, secret, default: preset, options, pattern } = field;
  const advice = pattern === undefined || type === 'date' ? undefined : `Usually of the form ${pattern}.`;
  const loaded = options !== undefined && options.list === undefined ? 'Values come from the provider.' : undefined;
  const description = [help, advice, loaded].filter((part) => part !== undefined).join(' ');
  return {
    ...(TYPES[type] ?? { type: 'string' }),
    title,
    ...(description !== '' && { description }),
    ...(example !== undefined && { examples: [example] }),
    ...(options?.list !== undefined && { enum: options.list.map(({ value }) => value) }),
    ...(preset !== undefined && { default: preset }),
    ...(secret && { airbyte_secret: true }),
  };
}

/** In the order in which a form shows them. */
const numbered = (properties: readonly (readonly [string, JsonObject])[]): JsonObject =>
  Object.fromEntries(properties.map(([name, schema], order) => [name, { ...schema, order }]));
