import { readFile } from 'node:fs/promises';
import { FerruleError } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';
import type { SpecDocument } from '../core/spec-types.gen.ts';
import { initiateEffect, type ParsedConnection, type RuntimeOptions } from '../credentials/connection.ts';
import { parseConnectionString } from '../credentials/connection-string.ts';
import { connectorShape } from '../credentials/shape.ts';
import type { ConnectionOptions, NetworkOptions } from '../engine/options.ts';
import type { Arguments } from './arguments.ts';
import { pathOf } from './catalogue.ts';
import { type Io, print } from './io.ts';
import { styleOf } from './style.ts';

/** --connection-string TEXT or @FILE, read for this connector. */
export async function readConnectionOption(spec: SpecDocument, args: Arguments, io: Io): Promise<ParsedConnection | undefined> {
  const given = args.text('connection-string');
  if (given === undefined) return undefined;
  const text = given.startsWith('@') ? await fileText(given.slice(1), io) : given;
  const parsed = parseConnectionString(text.trim(), connectorShape(spec));
  refuseUnused(parsed);
  if (!given.startsWith('@') && holdsSecret(parsed)) {
    const warning = `${styleOf(io.stderr, io.env).yellow('warning')}: The connection string holds a secret and stands in the command line, where other programs and the shell's history can see it. Use --connection-string @FILE.\n`;
    await print(io.stderr, warning);
  }
  // OFF: the token is used until it expires, and nothing renews it.
  const { refresh } = initiateEffect(parsed.initiate);
  const { refresh_token: _unused, ...tokens } = parsed.tokens;
  return refresh ? parsed : { ...parsed, tokens };
}

const holdsSecret = ({ fields, tokens, oauth }: ParsedConnection): boolean =>
  [...Object.values(fields), ...Object.values(tokens), oauth.code].some((value) => value instanceof Secret);

/** What a string can say and the command line does otherwise: said, never ignored. */
function refuseUnused({ oauth, storage, runtime }: ParsedConnection): void {
  const refuse = (property: string, next: string): never => {
    throw new FerruleError('not_supported', `${property} is not supported on the command line`, { where: property, next });
  };
  if (storage !== undefined)
    refuse('OAuthSettingsLocation', 'Leave it out: tokens are kept in the credential store; --store says where that is.');
  if (oauth.scope !== undefined) refuse('Scope', 'Leave it out: the spec says which scopes are asked for.');
  if (oauth.state !== undefined) refuse('State', 'Leave it out: Ferrule makes one for each consent and compares it.');
  if (runtime.log !== undefined) refuse('Logfile and Verbosity', 'Leave them out: `ferrule read --trace` shows requests and answers.');
}

/** The string's own network, retry and timeout settings; those of the command line are laid over them. */
export async function runtimeOptions(
  { retry, network, timeout }: RuntimeOptions,
  io: Io,
): Promise<Pick<ConnectionOptions, 'retry' | 'network' | 'timeout'>> {
  const { caFile, ...plain } = network ?? {};
  const options: NetworkOptions = { ...plain, ...(caFile !== undefined && { ca: await fileText(caFile, io) }) };
  return {
    ...(retry !== undefined && { retry }),
    ...(network !== undefined && { network: options }),
    ...(timeout !== undefined && { timeout: { total: timeout } }),
  };
}

async function fileText(path: string, io: Io): Promise<string> {
  return await readFile(pathOf(io, path), 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new FerruleError('input_malformed', `${path} cannot be read (${cause.code ?? 'unreadable'})`, {
      where: path,
      next: 'Check the path.',
      cause,
    });
  });
}
