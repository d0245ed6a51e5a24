import type { ErrorCode } from '../core/error-table.ts';
import { FerruleError } from '../core/errors.ts';
import type { Finding, Position } from '../core/finding.ts';
import { Secret } from '../core/secret.ts';
import { suggest } from '../core/suggest.ts';
import { environmentName } from './environment.ts';
import { checkValue, type RawValue, type ValueOptions } from './field-value.ts';
import type { FieldValue, InputField } from './types.ts';

/** One place that inputs come from. */
export interface InputSource {
  /** `inputs`, `arguments`, `environment`, or a file's name: stands in findings as their file. */
  name: string;
  /** By field or choice. Undefined and null count as not given. */
  values: Readonly<Record<string, RawValue | null | undefined>>;
  /** What a value is called there: an environment variable's name. Default: the field's own name. */
  label?: (name: string) => string;
  /** Where a value stands, for files. */
  place?: (name: string, part: 'key' | 'value') => { start: Position; end: Position };
}

export interface InputChoice {
  name: string;
  options: readonly { id: string }[];
  default?: string;
}

/** What one connector, under one auth method, can be given. */
export interface InputShape {
  /** The connector's name, for the environment variables that hints name. */
  connector?: string;
  /** The connection's fields and the method's. */
  fields: readonly InputField[];
  choices?: readonly InputChoice[];
}

export interface InputOptions extends ValueOptions {
  /** Also ask for fields that are wanted once a token is there. */
  afterAuth?: boolean;
}

export interface InputResult {
  /** What was given, checked; neither defaults nor fixed values: the spec has those. */
  values: Record<string, FieldValue>;
  choices: Record<string, string>;
  /** All that is wrong, and warnings. `rule` is the error's code, or `input_warning`; `path` is the field's name. */
  problems: Finding[];
}

const START: Position = { line: 1, column: 1, offset: 0 };

/**
 * Inputs, checked against a connector's fields, all mistakes at once. The first of `sources` that gives a field wins; an
 * empty text counts as not given. No finding repeats a value.
 */
export function readInputs(shape: InputShape, sources: readonly InputSource[], options: InputOptions = {}): InputResult {
  const result: InputResult = { values: {}, choices: {}, problems: [] };
  for (const source of sources) reportUnknown(shape, source, result.problems);
  for (const choice of shape.choices ?? []) readChoice(choice, shape, sources, result);
  for (const field of shape.fields) readField(field, sources, options, result);
  const wrong = new Set(result.problems.map(({ path }) => path[0]));
  for (const field of missingFields(shape.fields, result.values, options)) {
    if (!wrong.has(field.name))
      result.problems.push(missing(`The field ${field.name} (${field.title}) has no value.`, field.name, shape, sources));
  }
  return result;
}

/** Required fields without a value, a default or a fixed value: what is left to ask a person for. `after: auth` only with `afterAuth`. */
export function missingFields(
  fields: readonly InputField[],
  values: Readonly<Record<string, FieldValue>>,
  { afterAuth = false }: { afterAuth?: boolean } = {},
): InputField[] {
  return fields.filter(
    ({ name, required, value, default: preset, after }) =>
      required && value === undefined && preset === undefined && !Object.hasOwn(values, name) && (after !== 'auth' || afterAuth),
  );
}

/** The findings as one error, or undefined when none of them is more than a warning. Its code is the first one's. */
export function inputError(problems: readonly Finding[], what = 'inputs'): FerruleError | undefined {
  const errors = problems.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  if (!first) return undefined;
  const message =
    errors.length === 1 ? first.message : `${errors.length} mistakes in the ${what}: ${errors.map((one) => one.message).join(' ')}`;
  return new FerruleError(first.rule as ErrorCode, message, {
    where: errors.map(({ path }) => path.join('.')).join(', '),
    findings: [...errors],
    ...(errors.length === 1 && first.hint !== undefined && { next: first.hint }),
  });
}

function finding(
  code: ErrorCode | 'input_warning',
  message: string,
  name: string,
  source: InputSource | undefined,
  hint?: string,
): Finding {
  const { start, end } = source?.place?.(name, code === 'input_unknown' ? 'key' : 'value') ?? { start: START, end: START };
  const severity = code === 'input_warning' ? 'warning' : 'error';
  return { rule: code, severity, message, file: source?.name ?? 'inputs', path: [name], start, end, ...(hint !== undefined && { hint }) };
}

function missing(message: string, name: string, { connector }: InputShape, sources: readonly InputSource[]): Finding {
  const variable = connector === undefined ? '' : `, or set ${environmentName(connector, name)}`;
  return finding('input_missing', message, name, sources[0]?.place ? undefined : sources[0], `Give ${name}=…${variable}.`);
}

/** What a source calls it, where that is not the field's own name. */
const called = (source: InputSource, name: string): string => {
  const label = source.label?.(name) ?? name;
  return label === name ? name : `${name} (${label})`;
};

const isGiven = (value: RawValue | null | undefined): value is RawValue =>
  value !== undefined && value !== null && value !== '' && !(value instanceof Secret && value.length === 0);

/** The first source that gives it. */
function winner(name: string, sources: readonly InputSource[]): { source: InputSource; raw: RawValue } | undefined {
  for (const source of sources) {
    const raw = Object.hasOwn(source.values, name) ? source.values[name] : undefined;
    if (isGiven(raw)) return { source, raw };
  }
  return undefined;
}

function reportUnknown({ fields, choices = [] }: InputShape, source: InputSource, problems: Finding[]): void {
  const names = [...fields.filter(({ value }) => value === undefined), ...choices].map(({ name }) => name);
  for (const name of Object.keys(source.values)) {
    if (names.includes(name)) continue;
    const shown = JSON.stringify(name.slice(0, 60));
    if (fields.some((field) => field.name === name)) {
      problems.push(finding('input_unknown', `The field ${name} has a fixed value in the spec.`, name, source, 'Leave it out.'));
      continue;
    }
    const byAlias = fields.find(({ aliases = [] }) => aliases.some((alias) => alias.toLowerCase() === name.toLowerCase()))?.name;
    const near = byAlias ?? suggest(name, names);
    const hint = near === undefined ? `The names are: ${names.join(', ') || 'none'}.` : `Did you mean ${near}?`;
    problems.push(finding('input_unknown', `There is no field or choice ${shown}.`, name, source, hint));
  }
}

function readField(field: InputField, sources: readonly InputSource[], options: InputOptions, { values, problems }: InputResult): void {
  if (field.value !== undefined) return;
  const found = winner(field.name, sources);
  if (!found) return;
  const checked = checkValue(field, found.raw, options);
  const name = called(found.source, field.name);
  if ('problem' in checked) {
    problems.push(finding('input_malformed', `The value of ${name} ${checked.problem}.`, field.name, found.source, checked.hint));
    return;
  }
  values[field.name] = checked.value;
  if (checked.warning !== undefined) {
    const hint = field.example === undefined || field.secret ? undefined : `It usually looks like ${field.example}.`;
    problems.push(finding('input_warning', `The value of ${name} ${checked.warning}.`, field.name, found.source, hint));
  }
}

function readChoice(choice: InputChoice, shape: InputShape, sources: readonly InputSource[], { choices, problems }: InputResult): void {
  const ids = choice.options.map(({ id }) => id);
  const list = `The options are: ${ids.join(', ')}.`;
  const found = winner(choice.name, sources);
  if (!found) {
    if (choice.default === undefined) {
      problems.push({ ...missing(`Nothing is chosen for ${choice.name}.`, choice.name, shape, sources), hint: list });
    }
    return;
  }
  const { raw, source } = found;
  if (typeof raw === 'string' && ids.includes(raw.trim())) {
    choices[choice.name] = raw.trim();
    return;
  }
  const near = typeof raw === 'string' ? suggest(raw, ids) : undefined;
  const hint = near === undefined ? list : `Did you mean ${near}? ${list}`;
  problems.push(finding('input_unknown', `The choice ${called(source, choice.name)} has no such option.`, choice.name, source, hint));
}
