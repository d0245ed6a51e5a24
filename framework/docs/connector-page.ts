import type { Source, SpecDocument } from '../core/spec-types.gen.ts';
import { connectionStringExample, REDIRECT_URL } from './connection-string-example.ts';
import { type ConnectorDescription, describe, type FieldDescription, type MethodDescription, type StreamDescription } from './describe.ts';
import { cell, code, FROM_SPECS, markdownTable, numbered, prose } from './markdown.ts';

/**
 * A connector's page in Markdown, from its spec alone: what a person needs to connect and to know what they get.
 * `language`: where the page on the spec language is, seen from this one; left out: there is none.
 */
export function connectorPage(spec: SpecDocument, language?: string): string {
  const connector = describe(spec);
  const parts = [
    FROM_SPECS,
    `# ${prose(connector.title)}\n`,
    ...(connector.summary === undefined ? [] : [`${prose(connector.summary)}\n`]),
    facts(connector),
    choices(connector),
    '## Connecting\n',
    connector.methods.length > 1 ? `There are ${connector.methods.length} ways; without \`--method\` it is the first.\n` : '',
    ...connector.methods.map((method) => methodSection(connector, method, language)),
    network(connector),
    streams(connector, language),
    leftOut(connector),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function facts({ name, version, categories, links, streams: list }: ConnectorDescription): string {
  const rows = [
    ['Name', code(name)],
    ['Version', cell(version)],
    ...(categories.length > 0 ? [['Categories', cell(categories.join(', '))]] : []),
    ['Streams', String(list.length)],
    ...Object.entries(links).map(([what, url]) => [cell(what), `<${url}>`]),
  ];
  return markdownTable(['', ''], rows);
}

function choices({ choices: list }: ConnectorDescription): string {
  return list
    .map(({ name, title, help, default: preset, options }) => {
      const attributes = [...new Set(options.flatMap((option) => Object.keys(option.attributes)))];
      const rows = options.map((option) => [
        code(`${name}=${option.id}`),
        cell(option.title) + (option.id === preset ? ' (default)' : ''),
        ...attributes.map((attribute) => (option.attributes[attribute] === undefined ? '' : code(option.attributes[attribute]))),
      ]);
      const intro = [help === undefined ? '' : prose(help), preset === undefined ? 'It must be chosen: it has no default.' : ''];
      return `## ${prose(title)}\n\n${intro
        .filter((text) => text !== '')
        .map((text) => `${text}\n\n`)
        .join('')}${markdownTable(['Choice', 'Name', ...attributes.map(code)], rows)}`;
    })
    .join('\n');
}

const linked = (word: string, family: string, language: string | undefined): string =>
  language === undefined ? code(word) : `[${code(word)}](${language}#${family}-type-${word})`;

function methodSection(connector: ConnectorDescription, method: MethodDescription, language: string | undefined): string {
  const parts = [`### ${prose(method.title)}\n`, `Method ${code(method.name)}, type ${linked(method.type, 'auth', language)}.\n`];
  if (method.help !== undefined) parts.push(`${numbered(method.help)}\n`);
  if (method.consent) {
    parts.push(
      `A person consents in a browser. Register a redirect URL at the provider first: by default ${code(REDIRECT_URL)}; \`ferrule connect\` prints the exact one before it starts and takes another with \`--redirect\`.\n`,
    );
  }
  if (method.scopes.length > 0) parts.push(`Scopes asked for: ${method.scopes.map(code).join(', ')}.\n`);
  const fields = [
    ...connector.fields.filter((field) => !field.after_auth),
    ...method.fields,
    ...connector.fields.filter((field) => field.after_auth),
  ];
  if (fields.length > 0) parts.push(parameterTable(fields));
  parts.push(`As a connection string:\n\n\`\`\`text\n${connectionStringExample(connector, method)}\n\`\`\`\n`);
  return parts.join('\n');
}

function parameterTable(fields: readonly FieldDescription[]): string {
  const rows = fields.map((field) => [
    cell(field.title),
    code(field.name),
    field.type + (field.secret ? ', secret' : ''),
    required(field),
    field.default === undefined ? '' : code(field.default),
    options(field),
    cell(description(field)),
    field.aliases.map(code).join(', '),
  ]);
  return markdownTable(['Label', 'Name', 'Type', 'Required', 'Default', 'Options', 'Description', 'In connection strings'], rows);
}

const required = ({ required: wanted, after_auth }: FieldDescription): string => (!wanted ? 'no' : after_auth ? 'once signed in' : 'yes');

function options({ options: list }: FieldDescription): string {
  if (list === undefined) return '';
  if (list === 'loaded') return 'loaded from the API';
  return list.map(({ value, label }) => (label === value ? code(value) : `${cell(label)} (${code(value)})`)).join('<br>');
}

function description({ help, example }: FieldDescription): string {
  return [help?.trim() ?? '', example === undefined ? '' : `Example: ${example}`].filter((text) => text !== '').join(' ');
}

function network({ hosts, rate_limits }: ConnectorDescription): string {
  const rows = hosts.map(({ use, hosts: list }) => [cell(use), list.map(code).join('<br>')]);
  const limits = rate_limits.map(({ requests, per, scope, match }) => {
    const whose = scope === undefined ? '' : `, counted by ${scope}`;
    return `- ${requests} ${requests === 1 ? 'request' : 'requests'} in ${per}${whose}${match === undefined ? '' : `, on paths that begin with ${code(match)}`}\n`;
  });
  return [
    '## Hosts and limits\n',
    'A credential goes to these hosts and to no other:\n',
    markdownTable(['Used for', 'Hosts'], rows),
    limits.length === 0
      ? 'The provider publishes no rate limit; answers that ask to wait are obeyed.\n'
      : `Ferrule keeps to these limits, which hold at once:\n\n${limits.join('')}`,
  ].join('\n');
}

function streams({ name, streams: list }: ConnectorDescription, language: string | undefined): string {
  if (list.length === 0) return '';
  const rows = list.map((stream) => [
    `[${code(stream.name)}](#${stream.name.replaceAll(' ', '-')})`,
    cell(stream.title),
    stream.parent === undefined ? '' : code(stream.parent),
    stream.primary_key.map(code).join(', '),
    String(stream.columns.length),
    words(stream.source),
  ]);
  return [
    '## Streams\n',
    `\`ferrule read ${name} <stream>\` reads one into a file. "Source" says whose word the facts are: the vendor's own pages, an archived copy of them, or a third party's.\n`,
    markdownTable(['Stream', 'What', 'Read for each', 'Primary key', 'Columns', 'Source'], rows),
    ...list.map((stream) => streamSection(stream, language)),
  ].join('\n');
}

const TRUST: Readonly<Record<NonNullable<Source['trust']>, string>> = {
  vendor: 'vendor',
  vendor_archive: 'archived vendor page',
  third_party: 'third party',
};

const words = (source: readonly Source[]): string => [...new Set(source.map(({ trust = 'vendor' }) => TRUST[trust]))].join(', ');

function streamSection(stream: StreamDescription, language: string | undefined): string {
  const facts = [`Request: ${code(stream.request)}`, `Pages: ${linked(stream.paginate, 'paginate', language)}`];
  if (stream.parent !== undefined) facts.push(`Read once for each record of [${code(stream.parent)}](#${stream.parent})`);
  if (stream.when !== undefined) facts.push(`Offered when ${code(stream.when)}`);
  for (const { url, trust = 'vendor', note } of stream.source)
    facts.push(`Source (${TRUST[trust]}): <${url}>${note === undefined ? '' : `, ${prose(note)}`}`);
  const rows = stream.columns.map((column) => [
    code(column.name) + (stream.primary_key.includes(column.name) ? ' (key)' : ''),
    column.type,
    cell([column.help ?? '', column.example === undefined ? '' : `Example: ${column.example}`].filter((text) => text !== '').join('. ')),
  ]);
  return [
    `### ${stream.name}\n`,
    `${prose(stream.title)}${stream.help === undefined ? '' : `. ${prose(stream.help)}`}\n`,
    facts.map((fact) => `- ${fact}\n`).join(''),
    rows.length === 0 ? 'The source lists no columns.\n' : markdownTable(['Column', 'Type', 'Description'], rows),
  ].join('\n');
}

function leftOut({ left_out }: ConnectorDescription): string {
  if (left_out.length === 0) return '';
  return `## What is left out\n\n${markdownTable(
    ['What', 'Why'],
    left_out.map(({ what, reason }) => [cell(what), cell(reason)]),
  )}`;
}
