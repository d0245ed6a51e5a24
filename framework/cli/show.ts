import { readFile } from 'node:fs/promises';
import { FerruleError } from '../core/errors.ts';
import { type ConnectorDescription, describe, type FieldDescription } from '../docs/describe.ts';
import type { Arguments } from './arguments.ts';
import { type FoundSpec, findSpec } from './catalogue.ts';
import type { Run } from './commands.ts';
import { type Io, print } from './io.ts';
import { printJson } from './json-output.ts';
import { printResolved } from './show-resolved.ts';
import { type Style, styleOf } from './style.ts';
import { paragraph, table, widthOf } from './table.ts';

export const run: Run = async (args, io) => {
  const [name = ''] = args.positionals;
  const modes = ['resolved', 'hosts', 'source'].filter((mode) => args.flag(mode));
  if (modes.length > 1) throw new FerruleError('usage', `--${modes[0]} and --${modes[1]} do not go together`);
  const found = await findSpec(args, io, name);
  if (modes[0] === 'source') return await printSource(found, io);
  if (modes[0] === 'resolved') return await printResolved(found, args, io);
  const description = describe(found.spec);
  if (modes[0] === 'hosts') return await printHosts(description, args, io);
  if (args.flag('json')) {
    const { streams, ...rest } = description;
    await printJson(io, { ...rest, streams: streams.map(({ name: stream }) => stream), path: found.path });
  } else await print(io.stdout, text(description, io));
  return 0;
};

async function printSource({ path }: FoundSpec, io: Io): Promise<number> {
  await print(io.stderr, `${path}\n`);
  await print(io.stdout, await readFile(path, 'utf8'));
  return 0;
}

async function printHosts({ name, hosts }: ConnectorDescription, args: Arguments, io: Io): Promise<number> {
  if (args.flag('json')) await printJson(io, { name, hosts });
  else {
    const style = styleOf(io.stdout, io.env);
    const rows = hosts.flatMap(({ use, hosts: list }) => list.map((host) => [use, host]));
    await print(io.stdout, table(['Used for', 'Host'], rows, { heading: style.dim }));
  }
  return 0;
}

function text(connector: ConnectorDescription, io: Io): string {
  const style = styleOf(io.stdout, io.env);
  const { name, title, version, summary, categories, links, choices, methods, fields, streams } = connector;
  const parts = [`${style.bold(title)}  ${style.dim(`${name} ${version}`)}\n`];
  if (summary !== undefined) parts.push(paragraph(summary, io.stdout));
  if (categories.length > 0) parts.push(`Categories: ${categories.join(', ')}\n`);
  for (const [what, url] of Object.entries(links)) parts.push(`${style.dim(`${what}:`)} ${url}\n`);
  for (const { name: choice, title: label, help, default: preset, options } of choices) {
    parts.push(`\n${style.bold(`Choice ${choice}`)}: ${label}\n`);
    if (help !== undefined) parts.push(paragraph(help, io.stdout, '  '));
    const rows = options.map(({ id, title: option }) => [`${choice}=${id}`, option, id === preset ? 'default' : '']);
    parts.push(table(['', '', ''], rows, { indent: '  ' }));
  }
  for (const method of methods) {
    const kind = style.dim(`${method.type}${method.default && methods.length > 1 ? ', default' : ''}`);
    parts.push(`\n${style.bold(`Method ${method.name}`)}: ${method.title}  ${kind}\n`);
    if (method.help !== undefined) parts.push(paragraph(steps(method.help), io.stdout, '  '));
    if (method.scopes.length > 0) parts.push(paragraph(`Scopes: ${method.scopes.join(' ')}`, io.stdout, '  '));
    if (method.fields.length > 0) parts.push(fieldTable(method.fields, io, style));
  }
  if (fields.length > 0) parts.push(`\n${style.bold('Fields for any method')}\n`, fieldTable(fields, io, style));
  parts.push(
    '\n',
    paragraph(`${streams.length} streams: \`ferrule streams ${name}\` lists them. Hosts: \`ferrule show ${name} --hosts\`.`, io.stdout),
  );
  return parts.join('');
}

/** A numbered list written as one paragraph gets a line for each step. */
export const steps = (help: string): string => help.trim().replace(/\s+(?=[1-9][0-9]?\. )/g, '\n');

function fieldTable(fields: readonly FieldDescription[], io: Io, style: Style): string {
  const width = widthOf(io.stdout);
  const rows = fields.map((field) => [style.cyan(field.name), field.title, field.type, need(field), field.default ?? '', about(field)]);
  return table(['Field', 'Label', 'Type', 'Required', 'Default', 'About'], rows, {
    indent: '  ',
    heading: style.dim,
    ...(width !== undefined && { width }),
  });
}

function need({ required, after_auth, secret }: FieldDescription): string {
  const word = !required ? 'no' : after_auth ? 'once signed in' : 'yes';
  return secret ? `${word}, secret` : word;
}

function about({ help, example, aliases, options }: FieldDescription): string {
  const listed =
    options === undefined
      ? ''
      : options === 'loaded'
        ? 'Values come from the API.'
        : `One of ${options.map(({ value }) => value).join(', ')}.`;
  const parts = [
    help ?? '',
    example === undefined ? '' : `Example: ${example}.`,
    listed,
    aliases.length > 0 ? `Also: ${aliases.join(', ')}.` : '',
  ];
  return parts.filter((part) => part !== '').join(' ');
}
