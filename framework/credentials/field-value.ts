import { MATCH_LIMIT, matches, patternProblem } from '../core/expression/match.ts';
import { reveal, Secret } from '../core/secret.ts';
import { suggest } from '../core/suggest.ts';
import { type Checked, checkHost, checkSubdomain } from './host-value.ts';
import type { FieldValue, InputField } from './types.ts';
import { checkUrl } from './url-value.ts';

/** What a source may give for a field: text of whatever type, or in code the value itself. */
export type RawValue = string | Secret | number | boolean | readonly string[];

export interface ValueOptions {
  allowHttpLoopback?: boolean;
}

export type CheckedField = { value: FieldValue; warning?: string } | { problem: string; hint?: string };

/**
 * Checks one value against its field and brings it into the form in which it is kept: numbers of type integer, dates and
 * hosts as text, `Secret` for a secret field. Neither problem nor hint repeats the value.
 */
export function checkValue(field: InputField, raw: RawValue, options: ValueOptions = {}): CheckedField {
  if (typeof raw === 'object' && !(raw instanceof Secret)) {
    if (field.type !== 'list') return { problem: 'is a list', hint: 'Give one value.' };
    return checkList([...raw]);
  }
  const given = typeof raw === 'number' || typeof raw === 'boolean' ? scalarText(raw) : { value: reveal(raw) };
  if ('problem' in given) return given;
  const secret = field.secret || raw instanceof Secret;
  const trimmed = mayHaveSpaces(field) ? given.value : given.value.trim();
  // An empty value counts as none; what trimming makes empty was meant as something.
  if (trimmed === '' && given.value !== '') return { problem: 'is nothing but spaces', hint: 'Give the value, or leave it out.' };
  const checked = checkText(field, trimmed, options);
  if ('problem' in checked) return checked;
  const warning = warningFor(field, given.value, trimmed);
  const value = secret && typeof checked.value === 'string' ? new Secret(checked.value) : checked.value;
  return { value, ...(warning !== undefined && { warning }) };
}

function scalarText(raw: number | boolean): Checked<string> {
  if (typeof raw === 'boolean') return { value: String(raw) };
  if (!Number.isFinite(raw)) return { problem: 'is not a number that can be written' };
  if (Number.isInteger(raw) && !Number.isSafeInteger(raw)) {
    return { problem: 'is a whole number beyond 2^53, already rounded', hint: 'Give it as text, in quotes.' };
  }
  return { value: String(raw) };
}

/** A passphrase may have spaces; a key, token or secret never has: they come from copying. */
const mayHaveSpaces = (field: InputField): boolean => field.secret && /pass/i.test(`${field.name} ${field.title}`);

function warningFor(field: InputField, given: string, text: string): string | undefined {
  if (field.secret && mayHaveSpaces(field) && given.trim() !== given) return 'begins or ends with a space: it is kept';
  if (field.pattern === undefined) return undefined;
  // A pattern that does not compile is the spec's mistake: lint reports it, and it must not stop the person.
  if (patternProblem(field.pattern) !== undefined || text.length > MATCH_LIMIT || matches(text, field.pattern)) return undefined;
  return 'does not look as usual; it is taken as it is';
}

function checkText(field: InputField, text: string, options: ValueOptions): Checked<FieldValue> {
  switch (field.type) {
    case 'pem':
      return checkPem(text);
    case 'url':
      return checkUrl(text, { ...options, ...(field.hosts && { hosts: field.hosts }) });
    case 'host':
      return checkHost(text, field.hosts);
    case 'subdomain':
      return checkSubdomain(text);
    case 'integer':
      return /^-?\d{1,100}$/.test(text) ? { value: text } : { problem: 'is not a whole number', hint: 'Write digits only, as in 42.' };
    case 'number':
      return checkNumber(text);
    case 'boolean':
      return checkBoolean(text);
    case 'date':
      return isDate(text)
        ? { value: text }
        : { problem: 'is not a date of the calendar', hint: 'Write year, month and day as in 2026-01-31.' };
    case 'datetime':
      return checkDateTime(text);
    case 'choice':
      return checkChoice(field, text);
    case 'list':
      return checkList(splitList(text));
    case 'email':
      return checkEmail(text);
    case 'text':
      return checkPlain(field, text);
  }
}

/** Half of a character has no form in UTF-8: it would go out as another one. */
const HALF = { problem: 'has half of a character (a lone surrogate)', hint: 'Copy it again.' };

function checkPlain(field: InputField, text: string): Checked<string> {
  if (/\p{Cs}/u.test(text)) return HALF;
  if (/\p{Cc}/u.test(text)) {
    return {
      problem: 'has line breaks or other control characters',
      hint: 'Give it on one line; from a file with @ its last line break is cut.',
    };
  }
  if (field.secret && !mayHaveSpaces(field) && /\s/.test(text)) {
    return { problem: 'has a space inside', hint: 'Copy it again without what stands around it, as in the words before the key.' };
  }
  return { value: text };
}

function checkNumber(text: string): Checked<number> {
  const value = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) return { problem: 'is not a number', hint: 'Write it with a point, as in 0.5.' };
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) return { problem: 'is a whole number beyond 2^53: it would be rounded' };
  return { value };
}

function checkBoolean(text: string): Checked<boolean> {
  if (/^(?:true|yes|on|1)$/i.test(text)) return { value: true };
  if (/^(?:false|no|off|0)$/i.test(text)) return { value: false };
  return { problem: 'is neither true nor false' };
}

const isDate = (text: string): boolean => {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  // The 30th of February becomes the 2nd of March.
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
};

/** RFC 3339, 5.6. */
function checkDateTime(text: string): Checked<string> {
  const parts = /^(\d{4}-\d\d-\d\d)[Tt ]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(?:\.\d+)?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?$/i.exec(text);
  if (!parts || !isDate(parts[1]!)) return { problem: 'is not a point in time', hint: 'Write it as in 2026-01-31T08:00:00Z.' };
  if (parts[4] === undefined) return { problem: 'has no time zone', hint: 'Add Z for UTC, or an offset such as +01:00.' };
  return { value: text };
}

function checkChoice(field: InputField, text: string): Checked<string> {
  if (!field.options || field.options.some(({ value }) => value === text)) return checkPlain(field, text);
  const byLabel = field.options.find(({ label }) => label.toLowerCase() === text.toLowerCase());
  if (byLabel) return { value: byLabel.value };
  const near = suggest(
    text,
    field.options.map(({ value }) => value),
  );
  const all = field.options.map(({ value }) => value).join(', ');
  return {
    problem: 'is none of the options',
    hint: near === undefined ? `Choose one of: ${all}.` : `Did you mean ${near}? The options are: ${all}.`,
  };
}

/** `a, b` or a JSON list of texts, for items with a comma in them. */
function splitList(text: string): unknown[] {
  if (text.startsWith('[')) {
    try {
      const items: unknown = JSON.parse(text);
      if (Array.isArray(items)) return items;
    } catch {
      // Not JSON: a list whose first item begins with a bracket.
    }
  }
  return text.split(',').map((item) => item.trim());
}

function checkList(items: unknown[]): Checked<string[]> {
  if (!items.every((item): item is string => typeof item === 'string')) return { problem: 'has items that are no text' };
  if (items.some((item) => /\p{Cs}/u.test(item))) return HALF;
  if (items.some((item) => item === '' || /\p{Cc}/u.test(item))) return { problem: 'has an empty item, or one with control characters' };
  return { value: items };
}

function checkEmail(text: string): Checked<string> {
  const [, local, host] = /^([^\s@<>(),;:"[\]\\]+)@([^@]+)$/.exec(text) ?? [];
  if (local === undefined || 'problem' in checkHost(host!)) return { problem: 'is no e-mail address' };
  return /\p{Cc}/u.test(text) ? { problem: 'has control characters' } : { value: text };
}

/** RFC 7468. One or more blocks; `\n` written out, as environment variables have it, becomes a line break. */
function checkPem(text: string): Checked<string> {
  const lines = text.replaceAll('\\n', '\n').replace(/\r\n?/g, '\n').trim();
  const block = /-----BEGIN ([A-Z0-9 ]+)-----\n(?:[A-Za-z-]+: [^\n]*\n)*\n?(?:[A-Za-z0-9+/=]+[ \t]*\n)+-----END \1-----/g;
  if (lines === '' || lines.replace(block, '').trim() !== '') {
    return { problem: 'is not in PEM form', hint: 'Give all of it, from -----BEGIN to -----END-----, with its line breaks.' };
  }
  return { value: `${lines}\n` };
}
