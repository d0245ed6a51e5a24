import { readFile } from 'node:fs/promises';
import { FerruleError } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';
import type { SpecDocument } from '../core/spec-types.gen.ts';
import type { ParsedConnection } from '../credentials/connection.ts';
import { parseConnectionString } from '../credentials/connection-string.ts';
import { connectorShape } from '../credentials/shape.ts';
import type { Arguments } from './arguments.ts';
import { pathOf } from './catalogue.ts';
import type { Io } from './io.ts';
import { say } from './say.ts';
import { styleOf } from './style.ts';

/** --connection-string TEXT or @FILE, read for this connector. */
export async function readConnectionOption(spec: SpecDocument, args: Arguments, io: Io): Promise<ParsedConnection | undefined> {
  const given = args.text('connection-string');
  if (given === undefined) return undefined;
  const text = given.startsWith('@') ? await fileText(given.slice(1), io) : given;
  const parsed = parseConnectionString(text.trim(), connectorShape(spec));
  if (!given.startsWith('@') && holdsSecret(parsed)) {
    const warning = `${styleOf(io.stderr, io.env).yellow('warning')}: The connection string holds a secret and stands in the command line, where other programs and the shell's history can see it. Use --connection-string @FILE.\n`;
    await say(io.stderr, warning);
  }
  return parsed;
}

const holdsSecret = ({ fields, tokens, oauth }: ParsedConnection): boolean =>
  [...Object.values(fields), ...Object.values(tokens), oauth.code].some((value) => value instanceof Secret);

async function fileText(path: string, io: Io): Promise<string> {
  return await readFile(pathOf(io, path), 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new FerruleError('input_malformed', `${path} cannot be read (${cause.code ?? 'unreadable'})`, {
      where: path,
      next: 'Check the path.',
      cause,
    });
  });
}
