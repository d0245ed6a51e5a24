import { nameOf } from '../auth/standing.ts';
import { systemClock } from '../core/clock.ts';
import { FerruleError } from '../core/errors.ts';
import type { Finding } from '../core/finding.ts';
import type { Resolved } from '../core/resolved.ts';
import { Secret } from '../core/secret.ts';
import type { SpecDocument } from '../core/spec-types.gen.ts';
import { credentialUnknown } from '../credentials/copy.ts';
import type { RawValue } from '../credentials/field-value.ts';
import { type InputShape, type InputSource, inputError, missingFields, readInputs } from '../credentials/inputs.ts';
import { inputField } from '../credentials/shape.ts';
import type { Credential, CredentialStore, FieldValue } from '../credentials/types.ts';
import { logged } from '../credentials/use.ts';
import { withoutTokens } from '../credentials/without-tokens.ts';
import { bundledCatalogue } from '../spec/catalogue.ts';
import { readySpec } from '../spec/ready-spec.ts';
import { resolve } from '../spec/resolve.ts';
import { appFields } from './app.ts';
import type { CatalogueOptions } from './connector.ts';
import { applicableFields } from './inputs.ts';
import type { ConnectionOptions } from './options.ts';

/** What is to be other than it is stored. The auth method is not: another method is another credential. */
export interface Edit {
  fields?: Readonly<Record<string, RawValue>>;
  /** Names of fields that are to have no value. */
  unset?: readonly string[];
  choices?: Readonly<Record<string, string>>;
  /** null: none any more. */
  description?: string | null;
}

export interface Edited {
  /** Names of the fields and choices that are other now, and `description`. Without any, nothing was written. */
  changed: string[];
  /**
   * `due`: a new access token is asked for with the next use, and the grant stays. `dropped`: they belonged to the account, host or option that
   * it was for. `kept`: nothing that they depend on has changed, or there are none.
   */
  tokens: 'kept' | 'due' | 'dropped';
  /** Only a person's consent makes it usable again. */
  reconnect: boolean;
}

export type EditOptions = Pick<ConnectionOptions, 'app' | 'environment' | 'clock'>;

/**
 * Changes a stored credential, checked as if it were entered anew, under its lock. What the last check and failed renewals said is
 * forgotten: it was said of other values.
 * @throws FerruleError credential_unknown; input_unknown, input_malformed, input_missing: all mistakes at once, and nothing is written
 */
export async function editCredential(
  store: CredentialStore,
  spec: SpecDocument,
  name: string,
  edit: Edit,
  options: EditOptions = {},
): Promise<Edited> {
  let edited: Edited = { changed: [], tokens: 'kept', reconnect: false };
  await logged(store, { action: 'changed', credential: name, connector: spec.name }, options, () =>
    store.update(name, async (current) => {
      if (current.connector !== spec.name) {
        throw new FerruleError('input_unknown', `Credential "${name}" is for ${current.connector}, not for ${spec.name}`, { where: name });
      }
      const result = applied(current, edit, spec, options);
      edited = result.edited;
      return edited.changed.length === 0 ? undefined : result.credential;
    }),
  );
  return edited;
}

/** The same, with the spec of the credential's connector. */
export async function editByName(
  store: CredentialStore,
  name: string,
  edit: Edit,
  { catalogue = bundledCatalogue(), ...options }: EditOptions & CatalogueOptions = {},
): Promise<Edited> {
  const credential = await store.get(name);
  if (credential === undefined) throw credentialUnknown(name);
  return editCredential(store, await readySpec((await catalogue.find(credential.connector)).path), name, edit, options);
}

function applied(current: Credential, edit: Edit, spec: SpecDocument, options: EditOptions): { credential: Credential; edited: Edited } {
  const { choices, fields, resolved } = checked(current, edit, spec, options);
  const changedChoices = Object.keys(choices).filter((name) => choices[name] !== current.choices[name]);
  const names = new Set([...Object.keys(current.fields), ...Object.keys(fields)]);
  const changedFields = [...names].filter((name) => !same(current.fields[name], fields[name]));
  const { description: before, ...rest } = current;
  const description = edit.description === undefined ? before : (edit.description ?? undefined);
  const credential: Credential = { ...rest, ...(description !== undefined && { description }), choices, fields };
  const changed = [...changedFields, ...changedChoices, ...(description === before ? [] : ['description'])];
  if (changedFields.length + changedChoices.length === 0) return { credential, edited: { changed, tokens: 'kept', reconnect: false } };
  const { credential: next, tokens } = withTokens(credential, spec, resolved, {
    fields: changedFields,
    choices: changedChoices,
    now: (options.clock ?? systemClock).now(),
  });
  return { credential: next, edited: { changed, tokens, reconnect: tokens === 'dropped' && next.state === 'reconnect' } };
}

/** What becomes of the tokens: see `Edited`. */
function withTokens(
  edited: Credential,
  spec: SpecDocument,
  resolved: Resolved,
  { fields, choices, now }: { fields: readonly string[]; choices: readonly string[]; now: number },
): { credential: Credential; tokens: Edited['tokens'] } {
  const { checked: _checked, failing: _failing, ...credential } = edited;
  const { steps, refresh, authorize, device } = resolved.method;
  const personal = authorize !== undefined || device !== undefined;
  const of = (name: string) => resolved.fields.find((field) => field.name === name);
  // What is asked for once a token is there says nothing of the token.
  const telling = fields.filter((name) => of(name)?.after !== 'auth');
  const onlySecrets = choices.length === 0 && telling.every((name) => of(name)?.secret === true);
  // A new password is there to be tried: the grant that has ended is not.
  const ended = credential.state === 'reconnect' && !personal;
  if (telling.length + choices.length > 0 && (!onlySecrets || ended)) {
    const had = Object.keys(credential.captures).length > 0;
    return { credential: withoutTokens(credential, spec), tokens: had || personal ? 'dropped' : 'kept' };
  }
  const [from] = (refresh ?? []).map((call) => call.from);
  const renewable = !personal || (from !== undefined && credential.captures[from] !== undefined);
  // A token that nobody can renew is good until it ends.
  if (telling.length === 0 || !renewable || Object.keys(credential.captures).length === 0) return { credential, tokens: 'kept' };
  const due = Object.fromEntries(steps.map((step, position) => [`${nameOf(step, position)}.renew`, now]));
  return { credential: { ...credential, expires: { ...credential.expires, ...due } }, tokens: 'due' };
}

function checked(
  current: Credential,
  edit: Edit,
  spec: SpecDocument,
  options: EditOptions,
): { choices: Record<string, string>; fields: Record<string, FieldValue>; resolved: Resolved } {
  const before = resolve(spec, { method: current.method, choices: current.choices });
  const shape: InputShape & { choices: NonNullable<InputShape['choices']> } = {
    connector: spec.name,
    fields: before.fields.map((field) => ({ ...inputField(field), required: false })),
    choices: Object.entries(spec.choices ?? {}).map(([name, { options: all, default: preset }]) => ({
      name,
      options: Object.keys(all).map((id) => ({ id })),
      ...(preset !== undefined && { default: preset }),
    })),
  };
  const source: InputSource = { name: 'edit', values: { ...edit.choices, ...edit.fields } };
  const stored: InputSource = {
    name: 'stored',
    values: Object.fromEntries(shape.choices.map(({ name }) => [name, current.choices[name]])),
  };
  const given = readInputs(shape, [source, stored], spec.http.allow_http === 'loopback' ? { allowHttpLoopback: true } : {});
  const problems: Finding[] = [...given.problems, ...wrongUnset(edit, shape)];
  const unset = new Set(edit.unset);
  const kept = Object.entries(current.fields).filter(([name]) => !unset.has(name));
  const merged: Record<string, FieldValue> = { ...Object.fromEntries(kept), ...given.values };
  // A choice that does not exist leads to no fields that could be missing.
  const choices = problems.some(({ path }) => shape.choices.some(({ name }) => name === path[0])) ? current.choices : given.choices;
  const resolved = resolve(spec, { method: current.method, choices });
  const applicable = applicableFields(resolved, merged).map(inputField);
  problems.push(...missing(applicable, merged, current, before, appFields(resolved, options), problems));
  problems.push(...idle(applicable, given.values));
  const error = inputError(problems);
  if (error !== undefined) throw error;
  const names = new Set(applicable.map(({ name }) => name));
  return { choices: given.choices, fields: Object.fromEntries(Object.entries(merged).filter(([name]) => names.has(name))), resolved };
}

const START = { line: 1, column: 1, offset: 0 };
const finding = (rule: string, name: string, message: string, hint: string): Finding => ({
  ...{ rule, severity: 'error', message, file: 'edit', path: [name], start: START, end: START, hint },
});

function wrongUnset({ unset = [], fields = {} }: Edit, shape: InputShape): Finding[] {
  return unset.flatMap((name) => {
    if (Object.hasOwn(fields, name)) return [finding('input_malformed', name, `The field ${name} is set and unset.`, 'Do one of both.')];
    if (shape.fields.some((field) => field.name === name && field.value === undefined)) return [];
    const known = shape.fields.filter(({ value }) => value === undefined).map((field) => field.name);
    return [
      finding('input_unknown', name, `There is no field ${JSON.stringify(name.slice(0, 60))}.`, `The names are: ${known.join(', ')}.`),
    ];
  });
}

/** Required fields without a value now. What was missing before (a credential of tokens alone) was so on purpose. */
function missing(
  applicable: InputShape['fields'],
  merged: Readonly<Record<string, FieldValue>>,
  current: Credential,
  before: Resolved,
  app: Readonly<Record<string, FieldValue>>,
  problems: readonly Finding[],
): Finding[] {
  const told = new Set([...problems.map(({ path }) => path[0]), ...Object.keys(app)]);
  for (const { name } of missingFields(applicableFields(before, current.fields).map(inputField), current.fields)) told.add(name);
  return missingFields(applicable, merged).flatMap(({ name, title }) =>
    told.has(name) ? [] : [finding('input_missing', name, `The field ${name} (${title}) has no value.`, `Give ${name}=…`)],
  );
}

/** Values for fields that are not asked for under the other values. */
const idle = (applicable: InputShape['fields'], given: Readonly<Record<string, FieldValue>>): Finding[] =>
  Object.keys(given).flatMap((name) =>
    applicable.some((field) => field.name === name)
      ? []
      : [finding('input_unknown', name, `The field ${name} is not asked for with the other values.`, 'Leave it out.')],
  );

const same = (one: FieldValue | undefined, other: FieldValue | undefined): boolean => comparable(one) === comparable(other);
const comparable = (value: FieldValue | undefined): string | undefined =>
  value instanceof Secret ? value.reveal() : JSON.stringify(value);
