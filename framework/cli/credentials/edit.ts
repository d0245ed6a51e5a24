import { readFile } from 'node:fs/promises';
import { FerruleError } from '../../core/errors.ts';
import type { SpecDocument } from '../../core/spec-types.gen.ts';
import { readAssignments } from '../../credentials/assignments.ts';
import type { RawValue } from '../../credentials/field-value.ts';
import type { Credential, InputField } from '../../credentials/types.ts';
import { type Edit, type Edited, editCredential } from '../../engine/edit.ts';
import type { Arguments } from '../arguments.ts';
import { findSpec, pathOf } from '../catalogue.ts';
import { askField, shapeOf, warn } from '../inputs.ts';
import type { Io } from '../io.ts';
import { canAsk } from '../prompt.ts';
import { say } from '../say.ts';
import { readAll } from '../standard-input.ts';
import { storedCredential } from '../store.ts';
import { type Action, named, takes } from './action.ts';

/** Other values for a stored credential. */
export const run: Action = async (store, args, io) => {
  takes(1, args);
  const name = named(args);
  const credential = await storedCredential(store, name);
  const { connector } = credential;
  if (args.flag('method')) {
    throw new FerruleError('usage', 'edit does not change the auth method', {
      next: `Connect again: \`ferrule connect ${connector} --name '${name}' --method ${args.text('method')}\`.`,
    });
  }
  if (!['field', 'unset', 'choice', 'description'].some((option) => args.flag(option))) {
    throw new FerruleError('usage', 'credentials edit wants something to change', {
      next: 'Pass --field, --unset, --choice or --description.',
    });
  }
  const { spec } = await findSpec(args, io, connector);
  const description = args.text('description');
  const edit: Edit = {
    fields: await fieldValues(spec, credential, args, io),
    unset: args.texts('unset'),
    choices: args.pairs('choice'),
    // An empty one takes it away.
    ...(description !== undefined && { description: description === '' ? null : description }),
  };
  const edited = await editCredential(store, spec, name, edit, { environment: io.env, clock: io.clock });
  await say(io.stderr, `${told(edited, name, connector)}\n`);
  return 0;
};

function told({ changed, tokens, reconnect }: Edited, name: string, connector: string): string {
  if (changed.length === 0) return `"${name}" has all that already; nothing was changed.`;
  const first = `Changed in "${name}": ${changed.join(', ')}.`;
  if (tokens === 'due') return `${first} A new access token is asked for with the next use.`;
  if (tokens === 'kept') return first;
  const next = reconnect
    ? `connect again: \`ferrule connect ${connector} --name '${name}'\`.`
    : 'new ones are asked for with the next use.';
  return `${first} Its tokens belonged to the old values and are gone: ${next}`;
}

/** `name=value`, `name=@file`, `name=-`; `name` alone is asked for. */
async function fieldValues(spec: SpecDocument, { method }: Credential, args: Arguments, io: Io): Promise<Record<string, RawValue>> {
  const { fields } = shapeOf(spec, method);
  const texts = args.texts('field');
  const { source, findings } = await readAssignments(
    texts.filter((text) => text.includes('=')),
    { fields, stdin: async () => (await readAll(io)).toString('utf8'), readFile: (path) => readFile(pathOf(io, path), 'utf8') },
  );
  await warn(findings, io);
  const values = Object.fromEntries(Object.entries(source.values).filter((entry): entry is [string, RawValue] => entry[1] != null));
  const allowed = spec.http.allow_http === 'loopback' ? { allowHttpLoopback: true } : {};
  for (const name of texts.filter((text) => !text.includes('='))) {
    const field = fields.find((one) => one.name === name);
    if (field !== undefined && !canAsk(io)) {
      throw new FerruleError('usage', `There is nobody to ask for ${name}`, { next: `Pass --field ${name}=@FILE or --field ${name}=-.` });
    }
    // A name that is none is told with all other mistakes.
    values[name] = (field && (await askField(wanted(field), undefined, allowed, io))) ?? '';
  }
  return values;
}

/** Who names a field wants to give it a value: Enter alone gives none. */
function wanted(field: InputField): InputField {
  const { default: _preset, ...rest } = field;
  return { ...rest, required: true };
}
