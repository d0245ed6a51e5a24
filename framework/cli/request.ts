import { readFile } from 'node:fs/promises';
import { FerruleError } from '../core/errors.ts';
import { parseJson } from '../core/json.ts';
import type { Json } from '../core/value.ts';
import type { ClientEvent, HttpOptions, HttpPromise, HttpResponse } from '../http/types.ts';
import type { Arguments } from './arguments.ts';
import { pathOf } from './catalogue.ts';
import type { Run } from './commands.ts';
import { headerLine } from './header-line.ts';
import { type Io, print } from './io.ts';
import { openConnection } from './open-connection.ts';
import { readAll } from './standard-input.ts';
import { styleOf, visible } from './style.ts';

export const METHODS = ['get', 'post', 'put', 'patch', 'delete', 'head'] as const;

export const run: Run = async (args, io) => {
  const [, word = '', path = ''] = args.positionals;
  const method = METHODS.find((known) => known === word.toLowerCase());
  if (method === undefined) {
    throw new FerruleError('usage', `There is no method "${word}"`, {
      next: `It is one of ${METHODS.map((known) => known.toUpperCase()).join(', ')}.`,
    });
  }
  const options = await requestOptions(args, io);
  // As events show them: a server may send back what was sent to it.
  let head: Record<string, string> = {};
  const onEvent = (event: ClientEvent) => {
    if (event.type === 'response') head = event.headers;
  };
  await using opened = await openConnection(args, io, { methodOption: 'auth', everyCall: false, onEvent });
  const pending: HttpPromise = opened.connection.http[method](path, { ...options, responseType: 'buffer', signal: io.signal });
  const response: HttpResponse = await pending;
  if (args.flag('include') || method === 'head') await printHead(response.status, head, io);
  await new Promise<void>((resolve) => io.stdout.write(response.body as Uint8Array, () => resolve()));
  // A prompt right behind a body without a last line break cannot be read.
  if (io.stdout.isTTY && (response.body as Uint8Array).at(-1) !== 0x0a) await print(io.stdout, '\n');
  return 0;
};

/** --data, --header, --query, and the option that holds JSON. */
export async function requestOptions(args: Arguments, io: Io, jsonOption = 'json'): Promise<HttpOptions> {
  const data = args.text('data');
  const json = args.text(jsonOption);
  if (data !== undefined && json !== undefined) throw new FerruleError('usage', `--data and --${jsonOption} do not go together`);
  const query = new URLSearchParams();
  for (const text of args.texts('query')) {
    const at = text.indexOf('=');
    query.append(at < 0 ? text : text.slice(0, at), at < 0 ? '' : text.slice(at + 1));
  }
  return {
    headers: Object.fromEntries(args.texts('header').map(headerLine)),
    ...(query.size > 0 && { searchParams: query }),
    ...(data !== undefined && { body: await bytesOf(data, 'data', io) }),
    ...(json !== undefined && { json: await jsonOf(json, jsonOption, io) }),
  };
}

async function bytesOf(text: string, option: string, io: Io): Promise<Uint8Array> {
  if (text === '-') return await readAll(io);
  if (!text.startsWith('@')) return Buffer.from(text);
  return await readFile(pathOf(io, text.slice(1))).catch((cause: NodeJS.ErrnoException) => {
    throw new FerruleError('usage', `The file of --${option} cannot be read (${cause.code ?? 'unreadable'})`, {
      where: text.slice(1),
      next: 'Check the path.',
      cause,
    });
  });
}

async function jsonOf(text: string, option: string, io: Io): Promise<Json> {
  const bytes = await bytesOf(text, option, io);
  try {
    return parseJson(Buffer.from(bytes).toString('utf8'), 'number');
  } catch (cause) {
    throw new FerruleError('usage', `--${option} is no JSON: ${cause instanceof Error ? cause.message : 'it does not parse'}`, {
      next: 'Use --data for other bodies.',
      cause,
    });
  }
}

async function printHead(status: number, received: Record<string, string>, io: Io): Promise<void> {
  const style = styleOf(io.stderr, io.env);
  const lines = Object.entries(received).map(([name, value]) => `${style.cyan(name)}: ${visible(value)}\n`);
  await print(io.stderr, `${style.bold(String(status))}\n${lines.join('')}\n`);
}
