import { readFile } from 'node:fs/promises';
import { FerruleError } from '../core/errors.ts';
import type { Finding } from '../core/finding.ts';
import { Secret } from '../core/secret.ts';
import type { SpecDocument } from '../core/spec-types.gen.ts';
import { suggest } from '../core/suggest.ts';
import { readAssignments } from '../credentials/assignments.ts';
import { type ParsedConnection, scopesIn } from '../credentials/connection.ts';
import { appVariable, environmentInputs } from '../credentials/environment.ts';
import { checkValue, type RawValue, type ValueOptions } from '../credentials/field-value.ts';
import { readInputFile } from '../credentials/input-file.ts';
import { type InputShape, type InputSource, inputError, readInputs } from '../credentials/inputs.ts';
import { inputField } from '../credentials/shape.ts';
import type { FieldValue, InputField } from '../credentials/types.ts';
import { signInFields } from '../engine/inputs.ts';
import { resolve, resolveFields } from '../spec/resolve.ts';
import type { Arguments } from './arguments.ts';
import { pathOf } from './catalogue.ts';
import { readConnectionOption } from './connection-string.ts';
import { type Io, print } from './io.ts';
import { ask, askSecret, choose } from './prompt.ts';
import { say } from './say.ts';
import { readAll } from './standard-input.ts';
import { styleOf } from './style.ts';
import { paragraph } from './table.ts';

export interface GivenInputs {
  method: string;
  choices: Record<string, string>;
  fields: Record<string, FieldValue>;
  /** Tokens that the person brings. */
  tokens?: ParsedConnection['tokens'];
  /** Scopes to ask for in place of the spec's. */
  scopes?: readonly string[];
  /** The connection string that they came from, for its other settings. */
  string?: ParsedConnection;
}

export interface GatherOptions {
  /** Ask at the terminal for what is missing. */
  prompt: boolean;
  /** Taken where nothing else gives a value: a stored credential's fields, a sandbox's inputs. */
  presets?: { method?: string; choices?: Record<string, string>; fields?: Record<string, FieldValue> };
  /** The method by another option than --method. */
  method?: string | undefined;
  /** Also fields that are wanted once a token is there, if they are given. */
  afterAuth?: boolean;
}

/** Whether the command line gives inputs of its own, so that no stored credential is meant. */
export const givesInputs = (args: Arguments, methodOption = 'method'): boolean =>
  [methodOption, 'choice', 'field', 'inputs', 'connection-string'].some((name) => args.flag(name));

/**
 * Inputs from --field and --choice, --inputs, --connection-string, the environment, presets, prompts: the first that
 * gives a value wins. Warnings go to standard error.
 * @throws FerruleError input_missing, input_malformed, input_unknown: all that is wrong at once
 */
export async function gatherInputs(spec: SpecDocument, args: Arguments, io: Io, options: GatherOptions): Promise<GivenInputs> {
  const file = await inputFile(args, io);
  const string = await readConnectionOption(spec, args, io);
  const { presets = {} } = options;
  const asked = options.method ?? file?.method ?? string?.method ?? presets.method;
  const given = [...args.texts('field').map((text) => text.split('=', 1)[0] ?? ''), ...Object.keys(file?.source.values ?? {})];
  const method = await pickMethod(spec, { asked, given }, io, options.prompt);
  const ours = appNames(spec, method, io);
  const shape = optional(withoutSignIn(shapeOf(spec, method), spec, string), ours);
  const { source, findings } = await readAssignments(args.texts('field'), {
    fields: shape.fields,
    stdin: async () => (await readAll(io)).toString('utf8'),
    readFile: (path) => readFile(pathOf(io, path), 'utf8'),
  });
  const names = [...shape.fields, ...(shape.choices ?? [])].map(({ name }) => name);
  const sources: InputSource[] = [
    { ...source, values: { ...args.pairs('choice'), ...source.values } },
    ...(file === undefined ? [] : [file.source]),
    ...(string === undefined ? [] : [{ name: 'connection string', values: { ...string.choices, ...string.fields } }]),
    environmentInputs(spec.name, names, io.env),
    ...(options.prompt ? [] : [{ name: 'stored', values: { ...known(names, presets.choices), ...known(names, presets.fields) } }]),
  ];
  await warn(findings, io);
  const values: ValueOptions = spec.http.allow_http === 'loopback' ? { allowHttpLoopback: true } : {};
  const read = readInputs(shape, sources, values);
  await warn(read.problems, io);
  const rest = options.prompt ? read.problems.filter(({ rule }) => rule !== 'input_missing') : read.problems;
  const error = inputError(rest);
  if (error !== undefined) throw error;
  const inputs: GivenInputs = {
    method,
    choices: read.choices,
    fields: read.values,
    ...(string !== undefined && { tokens: string.tokens, ...scopesIn(string), string }),
  };
  const asks = { ...shape, fields: shape.fields.filter(({ name }) => !ours.has(name)) };
  if (options.prompt) await askForRest(spec, asks, inputs, presets, io);
  return inputs;
}

const known = (names: readonly string[], values: Readonly<Record<string, FieldValue>> = {}): Record<string, RawValue> =>
  Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)));

/** What the checks of inputs need to know of one method. A field under a condition is never wanted outright. */
export function shapeOf(spec: SpecDocument, method: string): InputShape & { fields: InputField[] } {
  return {
    connector: spec.name,
    fields: resolveFields(spec, method).map((field) => ({ ...inputField(field), required: field.required && field.when === undefined })),
    choices: Object.entries(spec.choices ?? {}).map(([name, { options, default: preset }]) => ({
      name,
      options: Object.keys(options).map((id) => ({ id })),
      ...(preset !== undefined && { default: preset }),
    })),
  };
}

/** With a token that is not renewed (InitiateOAuth=OFF) what only a token request needs is not wanted. */
function withoutSignIn(shape: ReturnType<typeof shapeOf>, spec: SpecDocument, string: ParsedConnection | undefined): typeof shape {
  if (string?.initiate !== 'OFF' || string.tokens.access_token === undefined) return shape;
  return optional(shape, signInFields(resolve(spec, { method: string.method, choices: string.choices })));
}

const optional = (shape: ReturnType<typeof shapeOf>, names: ReadonlySet<string>): typeof shape => ({
  ...shape,
  fields: shape.fields.map((field) => (names.has(field.name) ? { ...field, required: false } : field)),
});

/** What the app has for all its accounts, by the environment: a person is not asked for it, and no credential holds it. */
const appNames = (spec: SpecDocument, method: string, io: Io): Set<string> =>
  new Set(
    resolveFields(spec, method).flatMap(({ name, owner }) => (owner === 'app' && io.env[appVariable(spec.name, name)] ? [name] : [])),
  );

/** The method that is asked for by name; else one that has all the fields that are given, the person's choice or the first. */
async function pickMethod(
  spec: SpecDocument,
  { asked: wanted, given }: { asked: string | undefined; given: readonly string[] },
  io: Io,
  prompt: boolean,
): Promise<string> {
  const names = Object.keys(spec.auth);
  if (wanted !== undefined) {
    if (names.includes(wanted)) return wanted;
    const meant = suggest(wanted, names);
    throw new FerruleError('input_unknown', `${spec.name} has no auth method "${wanted}"`, {
      where: 'method',
      next: `${meant === undefined ? '' : `Did you mean "${meant}"? `}It has: ${names.join(', ')}.`,
    });
  }
  const fitting = names.filter((name) => {
    const { fields, choices = [] } = shapeOf(spec, name);
    const known = new Set([...fields, ...choices].map((one) => one.name));
    return given.every((field) => known.has(field));
  });
  // Where none fits, what is unknown is told at once, before anything is asked.
  if (!prompt || fitting.length < 2) return fitting[0] ?? names[0] ?? '';
  const choices = fitting.map((name) => ({ value: name, label: spec.auth[name]?.title ?? name }));
  return await choose(io, 'How do you sign in?', choices, fitting[0]);
}

export async function warn(findings: readonly Finding[], io: Io): Promise<void> {
  const style = styleOf(io.stderr, io.env);
  for (const { severity, message, hint } of findings) {
    if (severity === 'warning') await say(io.stderr, `${style.yellow('warning')}: ${message}${hint === undefined ? '' : ` ${hint}`}\n`);
  }
}

/** --inputs: fields and choices, and `method` unless a field is called so. */
async function inputFile(args: Arguments, io: Io): Promise<{ source: InputSource; method?: string } | undefined> {
  const path = args.text('inputs');
  if (path === undefined) return undefined;
  const bytes = await readFile(pathOf(io, path)).catch((cause: NodeJS.ErrnoException) => {
    throw new FerruleError('input_malformed', `The file of inputs ${path} cannot be read (${cause.code ?? 'unreadable'})`, {
      where: path,
      next: 'Check the path.',
      cause,
    });
  });
  const { source, findings } = readInputFile(bytes, path);
  const error = inputError(findings, 'file of inputs');
  if (error !== undefined) throw error;
  const { method, ...values } = source.values;
  return { source: { ...source, values }, ...(typeof method === 'string' && { method }) };
}

/** The terminal's turn: choices, then fields, in the order of the spec. Enter keeps what stands in brackets. */
async function askForRest(
  spec: SpecDocument,
  shape: InputShape & { fields: InputField[] },
  given: GivenInputs,
  presets: NonNullable<GatherOptions['presets']>,
  io: Io,
): Promise<void> {
  for (const { name, default: preset } of shape.choices ?? []) {
    // A default counts as given only until somebody can be asked.
    if (Object.hasOwn(given.choices, name)) continue;
    const choice = spec.choices?.[name];
    const options = Object.entries(choice?.options ?? {}).map(([id, { title }]) => ({ value: id, label: title ?? id }));
    given.choices[name] = await choose(io, choice?.title ?? name, options, presets.choices?.[name] ?? preset);
  }
  for (const field of shape.fields) {
    if (field.value !== undefined || field.after === 'auth' || Object.hasOwn(given.fields, field.name)) continue;
    const allowed: ValueOptions = spec.http.allow_http === 'loopback' ? { allowHttpLoopback: true } : {};
    const value = await askField(field, presets.fields?.[field.name], allowed, io);
    if (value !== undefined) given.fields[field.name] = value;
  }
}

/** Asks until the value fits its field. Enter keeps what is stored; undefined: left out. */
export async function askField(
  field: InputField,
  stored: FieldValue | undefined,
  allowed: ValueOptions,
  io: Io,
): Promise<FieldValue | undefined> {
  const { title, help, example, required, secret, default: preset, options } = field;
  if (help !== undefined) await print(io.stderr, styleOf(io.stderr, io.env).dim(paragraph(help.trim(), io.stderr)));
  if (options !== undefined && options.length > 0) {
    return await choose(io, title, options, typeof stored === 'string' ? stored : preset === undefined ? undefined : String(preset));
  }
  const hint =
    stored !== undefined ? (secret || stored instanceof Secret ? 'Enter keeps the stored one' : `Enter keeps ${String(stored)}`) : '';
  const about =
    hint ||
    (preset !== undefined
      ? `Enter for ${String(preset)}`
      : required
        ? example === undefined
          ? ''
          : `such as ${example}`
        : 'Enter to leave out');
  const question = `${title}${about === '' ? '' : ` (${about})`}: `;
  for (;;) {
    const answer = secret ? await askSecret(io, question) : await ask(io, question);
    const empty = answer instanceof Secret ? answer.length === 0 : answer.trim() === '';
    if (empty) {
      if (stored !== undefined) return stored;
      if (!required || preset !== undefined) return undefined;
      await print(io.stderr, 'A value is needed.\n');
      continue;
    }
    const checked = checkValue(field, answer, allowed);
    if (!('problem' in checked)) {
      if (checked.warning !== undefined) await say(io.stderr, `The value ${checked.warning}.\n`);
      return checked.value;
    }
    await say(io.stderr, `The value ${checked.problem}.${checked.hint === undefined ? '' : ` ${checked.hint}`}\n`);
  }
}
