import { PROPERTIES, type Property, plainName } from './connection-properties.ts';
import type { ConnectorShape, InputField } from './types.ts';

export type ShapeMethod = ConnectorShape['methods'][number];
export type ShapeChoice = ConnectorShape['choices'][number];

/** What a name in a connection string stands for, under one connector and auth method. */
export type Target =
  | { kind: 'field'; field: InputField }
  | { kind: 'choice'; choice: ShapeChoice }
  | { kind: 'property'; property: Property }
  /** A field that only another auth method has. */
  | { kind: 'other'; method: string }
  /** A known name that this connector has nothing for. */
  | { kind: 'nothing'; property: Property }
  | { kind: 'unknown' };

/** `Profile=…/Jumpseller.apip` names a connector; in Amazon's strings Profile is a field. */
export const isProfilePath = (key: string, value: string): boolean => plainName(key) === 'profile' && /\.apip$/i.test(value);

/** By name, else by alias. */
function fieldNamed(fields: readonly InputField[], plain: string): InputField | undefined {
  return (
    fields.find(({ name }) => plainName(name) === plain) ??
    fields.find(({ aliases = [] }) => aliases.some((alias) => plainName(alias) === plain))
  );
}

/**
 * The connector's own names and aliases come before the vendors' words: what an alias says was put there for this very connector.
 * `fields.x` and `choices.x` always mean the field or choice, `options.X` the vendors' word.
 */
export function targetOf(key: string, value: string, shape: ConnectorShape, method: ShapeMethod): Target {
  const fields = [...method.fields, ...shape.fields];
  const [, family, name] = /^(fields|choices|options)\.(.+)$/.exec(key) ?? [];
  if (family === 'fields') return fieldTarget(fields.find((field) => field.name === name));
  if (family === 'choices') return choiceTarget(shape.choices.find((choice) => choice.name === name));
  const plain = plainName(family === 'options' ? name! : key);
  const property = PROPERTIES.get(plain);
  if (family === 'options') return property?.kind === 'option' ? { kind: 'property', property } : { kind: 'unknown' };
  if (property?.kind === 'frame' && !(property.name === 'Profile' && !isProfilePath(key, value))) return { kind: 'property', property };
  const own = fieldNamed(fields, plain);
  if (own) return fieldTarget(own);
  const choice = shape.choices.find((one) => plainName(one.name) === plain);
  if (choice) return choiceTarget(choice);
  if (property?.kind === 'field') {
    const found = property.fields
      .map((wanted) => method.fields.find((field) => field.name === wanted))
      .find((field) => field !== undefined);
    if (found) return fieldTarget(found);
  } else if (property && property.kind !== 'frame') return { kind: 'property', property };
  const titled = fields.find((field) => plainName(field.title) === plain);
  if (titled) return fieldTarget(titled);
  const wanted = property?.kind === 'field' ? property.fields : [];
  const other = shape.methods.find(
    ({ fields: others }) => fieldNamed(others, plain) || others.some(({ name: one }) => wanted.includes(one)),
  );
  if (other) return { kind: 'other', method: other.name };
  return property ? { kind: 'nothing', property } : { kind: 'unknown' };
}

const fieldTarget = (field: InputField | undefined): Target => (field ? { kind: 'field', field } : { kind: 'unknown' });
const choiceTarget = (choice: ShapeChoice | undefined): Target => (choice ? { kind: 'choice', choice } : { kind: 'unknown' });

/** All names that mean something here, for suggestions. */
export function knownNames(shape: ConnectorShape, method: ShapeMethod): string[] {
  const fields = [...method.fields, ...shape.fields].filter(({ value }) => value === undefined);
  return [
    ...fields.flatMap((field) => [field.name, ...(field.aliases ?? [])]),
    ...shape.choices.map(({ name }) => name),
    ...[...PROPERTIES.values()].map(({ name }) => name),
  ];
}

/** The words of AuthScheme, each with the auth types that it may stand for, best first. */
const SCHEMES: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    none: ['none'],
    basic: ['basic'],
    oauth: ['oauth2_authorization_code'],
    oauthclient: ['oauth2_client_credentials'],
    apikey: ['api_key', 'bearer'],
    token: ['bearer', 'api_key'],
    bearer: ['bearer'],
    // OAuthGrantType and GrantType
    code: ['oauth2_authorization_code'],
    authorizationcode: ['oauth2_authorization_code'],
    client: ['oauth2_client_credentials'],
    clientcredentials: ['oauth2_client_credentials'],
  }),
);

/** Words that name a way in which Ferrule does not sign in, with what to say. */
export const FOREIGN_SCHEMES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ntlm: 'NTLM comes with a later version of Ferrule.',
    digest: 'Digest comes with a later version of Ferrule.',
    password: 'The password grant comes with a later version of Ferrule.',
    implicit: 'RFC 9700 (2.1.2) advises against the implicit grant: use the authorization code.',
    refresh: 'Set InitiateOAuth=REFRESH and OAuthRefreshToken.',
  }),
);

/** The method that a scheme's word or a method's own name means; undefined when the connector has none such. */
export function methodFor(word: string, { methods }: ConnectorShape): ShapeMethod | undefined {
  const plain = plainName(word);
  for (const type of SCHEMES.get(plain) ?? []) {
    const found = methods.find((method) => method.type === type);
    if (found) return found;
  }
  const named = methods.find(({ name }) => plainName(name) === plain);
  if (named) return named;
  // "OAuth" of a product that only knows client credentials.
  const oauth = methods.filter(({ type }) => type.startsWith('oauth2_'));
  return plain === 'oauth' && oauth.length === 1 ? oauth[0] : undefined;
}

export const isScheme = (word: string): boolean => SCHEMES.has(plainName(word));

/** The word under AuthScheme for a method, if one leads back to it. */
export function schemeFor(method: ShapeMethod, shape: ConnectorShape): string | undefined {
  // What asks for fields signs in somehow: "NONE" would mislead.
  if (method.type === 'none' && method.fields.length > 0) return undefined;
  const words = ['NONE', 'BASIC', 'OAUTH', 'OAUTH_CLIENT', 'APIKEY', 'TOKEN'];
  return words.find((word) => SCHEMES.get(plainName(word))?.includes(method.type) && methodFor(word, shape) === method);
}
