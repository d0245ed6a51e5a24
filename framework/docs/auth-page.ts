import type { Field } from '../core/spec-types.gen.ts';
import { AUTH_TYPES } from '../spec/auth-types.ts';
import { AUTH_EXAMPLES, type AuthExample } from './auth-examples.ts';
import type { Schema } from './language-page.ts';
import { anchor, cell, code, GENERATED, inlineYaml, markdownTable, prose } from './markdown.ts';

const WHERE = '../language.md';

/** `auth/<type>.md` for each auth type, and their index. */
export function authPages(schemas: ReadonlyMap<string, Schema>): [path: string, text: string][] {
  const common = Object.keys(propertiesOf(schemas, 'none'));
  const types = Object.keys(AUTH_TYPES);
  return [
    ['auth/index.md', indexPage(types, schemas)],
    ...types.map((type): [string, string] => [`auth/${type}.md`, authPage(type, schemas, common)]),
  ];
}

const schemaOf = (schemas: ReadonlyMap<string, Schema>, type: string): Schema => schemas.get(`auth/${type}.schema.json`) ?? {};
const propertiesOf = (schemas: ReadonlyMap<string, Schema>, type: string) =>
  (schemaOf(schemas, type).properties ?? {}) as Record<string, Schema>;

function indexPage(types: readonly string[], schemas: ReadonlyMap<string, Schema>): string {
  const rows = types.map((type) => [`[${code(type)}](${type}.md)`, cell(String(schemaOf(schemas, type).description ?? ''))]);
  return `${GENERATED}\n# Ways to authenticate\n\nA method is fields → steps → send; each type fills in its part. What is not here by name is \`custom\`, with the same words.\n\n${markdownTable(['Type', 'Is'], rows)}`;
}

function authPage(type: string, schemas: ReadonlyMap<string, Schema>, common: readonly string[]): string {
  const { example, standards, proof, notes = [] } = AUTH_EXAMPLES[type] as AuthExample;
  const own = Object.entries(propertiesOf(schemas, type)).filter(([key]) => !common.includes(key));
  const keys = own.map(([key, { description, examples, default: preset }]) => [
    code(key),
    cell(String(description ?? '')),
    preset === undefined ? '' : code(inlineYaml(preset)),
    Array.isArray(examples) ? code(`${key}: ${inlineYaml(examples[0])}`) : '',
  ]);
  const parts = [
    `# ${type}`,
    prose(String(schemaOf(schemas, type).description ?? '')),
    `\`\`\`yaml\nauth:\n${example.replace(/^/gm, '  ')}\n\`\`\``,
    notes.length === 0 ? '' : notes.map((note) => `- ${prose(note)}`).join('\n'),
    filledIn(type),
    keys.length === 0
      ? ''
      : `## Its own keys\n\nBesides those of [every method](${WHERE}#${anchor('auth type none')}):\n\n${markdownTable(['Key', 'Meaning', 'Default', 'Example'], keys)}`,
    standards.length === 0 ? '' : `## Specified in\n\n${standards.map(([title, url]) => `- [${title}](${url})`).join('\n')}`,
    `## Proved by\n\n${proof.map((one) => `- ${one}`).join('\n')}`,
  ];
  return `${GENERATED}\n${parts
    .filter((part) => part !== '')
    .map((part) => part.trimEnd())
    .join('\n\n')}\n`;
}

function filledIn(type: string): string {
  const { fields, token, send, steps, where } = AUTH_TYPES[type] as (typeof AUTH_TYPES)[string];
  const rows: [string, string][] = [
    ['fields', fieldList(fields)],
    ...(where?.type.fields ? [[`fields, with ${code(where.key)}`, fieldList(where.type.fields)] as [string, string]] : []),
    ['steps', steps.map((step) => code(step.type === 'call' ? step.name : step.type)).join(', ')],
    ['token request', shown(token?.body)],
    ['sends', shown(send)],
  ];
  const told = rows.filter(([, text]) => text !== '');
  return told.length === 0 ? '' : `## What it fills in\n\n${markdownTable(['What', 'How'], told)}`;
}

const shown = (map: object = {}): string => (Object.keys(map).length === 0 ? '' : code(inlineYaml(map)));

const fieldList = (fields: Record<string, Field>): string =>
  Object.entries(fields)
    .map(([name, { secret, type, required }]) => {
      const words = [
        ...(secret === true || (type === 'pem' && secret !== false) ? ['secret'] : []),
        ...(required === false ? ['optional'] : []),
      ];
      return `${code(name)}${words.length > 0 ? ` (${words.join(', ')})` : ''}`;
    })
    .join(', ');
