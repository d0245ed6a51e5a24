import { readFile } from 'node:fs/promises';
import { systemCode } from '../core/atomic-write.ts';
import { FerruleError } from '../core/errors.ts';
import type { Finding } from '../core/finding.ts';
import { Secret } from '../core/secret.ts';
import type { InputSource } from './inputs.ts';
import type { InputField } from './types.ts';

export interface AssignmentOptions {
  /** The fields, to know which are secret. */
  fields: readonly InputField[];
  /** All of standard input, as text. Called at most once. */
  stdin: () => Promise<string>;
  readFile?: (path: string) => Promise<string>;
}

const START = { line: 1, column: 1, offset: 0 };

/**
 * `name=value` from the command line. `name=@file` takes the file's text, `name=-` standard input, each without its last line break;
 * `name=@@x` stands for `@x`. A secret as a bare value gets a warning: it stands in the shell's history and in the list of processes.
 */
export async function readAssignments(
  texts: readonly string[],
  options: AssignmentOptions,
): Promise<{ source: InputSource; findings: Finding[] }> {
  const values: Record<string, string | Secret> = Object.create(null);
  const findings: Finding[] = [];
  let stdinFor: string | undefined;
  for (const text of texts) {
    const at = text.indexOf('=');
    // The text is not repeated: it may be a secret.
    if (at < 1) throw new FerruleError('usage', 'A field is given as name=value, name=@file or name=-.', { where: 'field' });
    const name = text.slice(0, at);
    const value = text.slice(at + 1);
    if (name in values) throw new FerruleError('usage', `The field ${name} is given twice.`, { where: name, next: 'Give it once.' });
    if (value === '-') {
      if (stdinFor !== undefined) {
        throw new FerruleError('usage', `Standard input cannot be both ${stdinFor} and ${name}.`, {
          where: name,
          next: 'Put one in a file: name=@file.',
        });
      }
      stdinFor = name;
      values[name] = new Secret(withoutLastBreak(await options.stdin()));
    } else if (value.startsWith('@@')) {
      values[name] = value.slice(1);
    } else if (value.startsWith('@')) {
      values[name] = new Secret(withoutLastBreak(await fileText(name, value.slice(1), options)));
    } else {
      values[name] = value;
      if (value !== '' && options.fields.some((field) => field.name === name && field.secret)) findings.push(bareSecret(name));
    }
  }
  return { source: { name: 'arguments', values: unwrap(values, options.fields) }, findings };
}

/** Files and pipes also carry what is no secret: only a secret field's value stays one. An unknown name's value stays hidden. */
function unwrap(values: Record<string, string | Secret>, fields: readonly InputField[]): Record<string, string | Secret> {
  for (const { name, secret } of fields) {
    const value = values[name];
    if (!secret && value instanceof Secret) values[name] = value.reveal();
  }
  return values;
}

const withoutLastBreak = (text: string): string => text.replace(/\r?\n$/, '');

async function fileText(name: string, path: string, { readFile: read, fields }: AssignmentOptions): Promise<string> {
  try {
    const bytes = read ? await read(path) : await readFile(path);
    return typeof bytes === 'string' ? bytes : new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    const why = systemCode(error) === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'it is not UTF-8' : (systemCode(error) ?? 'it failed');
    // What was meant as a password with an @ before it must not be shown as a path.
    const plain = fields.some((field) => field.name === name && !field.secret);
    throw new FerruleError('input_malformed', `The file for ${name} cannot be read: ${why}.`, {
      where: plain ? path : name,
      next: 'Check the path. For a value that begins with @ write @@.',
      ...(plain && { cause: error }),
    });
  }
}

const bareSecret = (name: string): Finding => ({
  rule: 'input_warning',
  severity: 'warning',
  message: `The secret ${name} stands in the command line, where other programs and the shell's history can see it.`,
  hint: `Use ${name}=@file, ${name}=- or the prompt.`,
  file: 'arguments',
  path: [name],
  start: START,
  end: START,
});
