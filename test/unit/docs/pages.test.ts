import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { DEFAULT_REDIRECT_URI } from '../../../framework/auth/consent.ts';
import { ERRORS } from '../../../framework/core/error-table.ts';
import { VARIABLES } from '../../../framework/core/scope.ts';
import type { SpecDocument } from '../../../framework/core/spec-types.gen.ts';
import { readConnectionString } from '../../../framework/credentials/connection-string.ts';
import { connectorShape } from '../../../framework/credentials/shape.ts';
import { AUTH_EXAMPLES } from '../../../framework/docs/auth-examples.ts';
import { authPages } from '../../../framework/docs/auth-page.ts';
import { connectionStringExample } from '../../../framework/docs/connection-string-example.ts';
import { connectorPage } from '../../../framework/docs/connector-page.ts';
import { describe as describeConnector } from '../../../framework/docs/describe.ts';
import { errorPage } from '../../../framework/docs/error-page.ts';
import { LOGIN_EXAMPLE } from '../../../framework/docs/language-guide.ts';
import { languagePage, type Schema } from '../../../framework/docs/language-page.ts';
import { cell, code, inlineYaml, markdownTable, numbered } from '../../../framework/docs/markdown.ts';
import { connectorTypes } from '../../../framework/docs/types.ts';
import { connectSpec } from '../../../framework/engine/connect.ts';
import { startSandbox } from '../../../framework/sandbox/index.ts';
import { AUTH_TYPES } from '../../../framework/spec/auth-types.ts';
import { lintText } from '../../../framework/spec/lint.ts';
import { loadFile, loadText } from '../../../framework/spec/load.ts';
import { readSchemas } from '../../../scripts/generate/schemas.ts';

const NAMES = readdirSync('connectors').map((file) => file.replace('.yaml', ''));
const ACME = 'test/scenarios/fixtures/specs/acme.yaml';

async function spec(path: string): Promise<SpecDocument> {
  const loaded = await loadFile(path);
  if (loaded.spec === undefined) throw new Error(`${path} does not load`);
  return loaded.spec;
}

interface RawSpec {
  title: string;
  fields?: Record<string, { title?: string }>;
  auth: Record<string, { title?: string; fields?: Record<string, { title?: string; aliases?: string[]; value?: unknown } | null> }>;
  streams: Record<string, { source: unknown; columns?: Record<string, unknown> }>;
  left_out?: { what: string }[];
}

describe('a connector page', () => {
  // Compared with the YAML itself, not with what the page was made from.
  it.each(NAMES)('%s: says all that its spec says', async (name) => {
    const page = connectorPage(await spec(`connectors/${name}.yaml`));
    const raw = parse(readFileSync(`connectors/${name}.yaml`, 'utf8')) as RawSpec;
    expect(page).toContain(`# ${raw.title}\n`);
    const missing: string[] = [];
    const want = (text: string): void => {
      if (!page.includes(text)) missing.push(text);
    };
    for (const [field, { title }] of Object.entries(raw.fields ?? {})) want(`| ${title ?? field} | \`${field}\` |`);
    for (const [method, { title, fields = {} }] of Object.entries(raw.auth)) {
      want(`### ${title ?? method}`);
      for (const [field, own] of Object.entries(fields)) {
        if (own === null || own.value !== undefined) continue;
        want(`\`${field}\``);
        for (const alias of own.aliases ?? []) want(`\`${alias}\``);
      }
    }
    for (const [stream, { columns = {}, source }] of Object.entries(raw.streams)) {
      want(`### ${stream}\n`);
      const section = page.slice(page.indexOf(`### ${stream}\n`)).split('\n### ')[0] ?? '';
      for (const column of Object.keys(columns)) if (!section.includes(`| \`${column}\``)) missing.push(`${stream}.${column}`);
      for (const [url] of JSON.stringify(source ?? '').matchAll(/https:[^"]+/g)) if (!section.includes(`<${url}>`)) missing.push(url);
    }
    for (const { what } of raw.left_out ?? []) want(`| ${what} |`);
    expect(missing).toEqual([]);
  });

  it('shows one field, host, choice and stream as written by hand', async () => {
    const page = connectorPage(await spec(ACME));
    expect(page).toContain('1. Open Settings.\n2. Copy the key.');
    expect(page).toContain('| API key | `api_key` | text, secret | yes |  |  |  | `APIKey`, `ApiKey` |');
    expect(page).toContain('| `region=eu` | Europe (default) | `eu.acme.example` |');
    expect(page).toContain('| api | `eu.acme.example`<br>`us.acme.example` |');
    expect(page).toContain('- 10 requests in 1s');
    expect(page).toContain('| [`orders`](#orders) | Orders | `customers` | `id` | 2 | third party |');
    expect(page).toContain('| `name` | text | As they write it |');
    expect(page).toContain('AuthScheme=APIKey;region=eu;APIKey=<API key>');
  });

  it.each(NAMES)('%s: its connection strings can be read', async (name) => {
    const document = await spec(`connectors/${name}.yaml`);
    const connector = describeConnector(document);
    for (const method of connector.methods) {
      const text = connectionStringExample(connector, method);
      const { connection, findings } = readConnectionString(text, connectorShape(document));
      expect({ text, findings: findings.map(({ message }) => message) }).toEqual({ text, findings: [] });
      expect(connection?.method).toBe(method.name);
    }
  });

  it('names the redirect URL that connect really uses', async () => {
    expect(connectorPage(await spec('connectors/amazon-ads.yaml'))).toContain(`\`${DEFAULT_REDIRECT_URI}\``);
  });

  it('lets nothing of a spec break out of its cell or become HTML', async () => {
    const hostile = readFileSync(ACME, 'utf8').replace('help: As they write it', "help: 'a | b <script>alert(1)</script> `c|d`'");
    const { spec: document } = loadText(hostile, 'acme.yaml');
    expect(connectorPage(document!)).toContain('| `name` | text | a \\| b &lt;script>alert(1)&lt;/script> `c\\|d` |');
  });
});

describe('the language page', () => {
  const schemas = readSchemas() as Map<string, Schema>;
  const page = languagePage(schemas);

  it('has a row with an example for every key of every schema', () => {
    const missing: string[] = [];
    const visit = (schema: unknown, at: string): void => {
      if (typeof schema !== 'object' || schema === null) return;
      const properties = (schema as Schema).properties as Record<string, Schema> | undefined;
      for (const key of Object.keys(properties ?? {})) {
        if (!new RegExp(`^\\| \`${key}\` \\|.*\\| \`+ ?${key}: `, 'm').test(page)) missing.push(`${at}.${key}`);
      }
      for (const [key, child] of Object.entries(schema)) if (!['examples', 'default', 'enum'].includes(key)) visit(child, `${at}.${key}`);
    };
    for (const [id, schema] of schemas) if (!id.startsWith('cli/') && !id.includes('.gen.')) visit(schema, id);
    expect(missing).toEqual([]);
  });

  it('has no link that leads nowhere', () => {
    const headings = new Set([...page.matchAll(/^## (.*)$/gm)].map(([, heading = '']) => `#${heading.toLowerCase().replaceAll(' ', '-')}`));
    for (const [, target = ''] of page.matchAll(/\]\((#[^)]+)\)/g)) expect(headings).toContain(target);
    for (const file of readdirSync('docs/connectors')) {
      for (const [, target = ''] of readFileSync(join('docs/connectors', file), 'utf8').matchAll(/language\.md(#[^)]+)\)/g))
        expect(headings).toContain(target);
    }
  });

  it('has an example that lint has nothing to say of, and that can be read', async () => {
    expect(page).toContain(LOGIN_EXAMPLE);
    expect(lintText(LOGIN_EXAMPLE, 'zephyr.yaml')).toEqual([]);
    const { spec: document } = loadText(LOGIN_EXAMPLE, 'zephyr.yaml');
    const sandbox = await startSandbox(document!, { records: 130, parents: 2 });
    const { method, choices, fields } = sandbox.inputs;
    const zephyr = await connectSpec(document!, { method, choices, fields }, { sandbox: { addresses: sandbox.addresses } });
    let cards = 0;
    for await (const { board_id } of zephyr.read('cards')) cards += typeof board_id === 'number' ? 1 : 0;
    expect(cards).toBe(sandbox.expected.cards);
    expect(cards).toBeGreaterThan(100);
    await zephyr.close();
    await sandbox.close();
  });

  it('names every variable that there is, and no other', () => {
    const [, table = ''] = /## Variables\n([\s\S]*?)\n## /.exec(page) ?? [];
    const named = [...table.matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`(?![.<])([a-z_]+)/g)].map(([, name]) => name),
    );
    expect([...new Set(named)].sort()).toEqual([...VARIABLES].sort());
  });

  it('shows a key as written by hand', () => {
    expect(page).toContain('| `client_auth` | word | `post`, `basic`, `query`, `none`, `private_key_jwt`, `client_secret_jwt` | `post` |');
    expect(page).toContain('| `authorize_url` | text | text |');
  });
});

describe('the other pages', () => {
  it('lists every error code', () => {
    const page = errorPage();
    for (const [name, { kind }] of Object.entries(ERRORS)) expect(page).toContain(`<a id="${name}"></a>\`${name}\` | ${kind} |`);
    expect(page).toContain('`ferrule streams <connector>`');
  });

  it('writes YAML in one line that reads back the same', () => {
    for (const value of [
      'plain words',
      'a: b',
      'true',
      '1.10',
      '007',
      '*.acme.com',
      "it's",
      '${fields.x}',
      '',
      '#x',
      { a: ['b', 1, null] },
      '-',
      '2026-01-01',
    ]) {
      expect(parse(inlineYaml(value))).toEqual(value);
    }
  });

  it('escapes', () => {
    expect(cell('a\\b\nc <x> `<y>`')).toBe('a\\\\b c &lt;x> `<y>`');
    expect(markdownTable(['A'], [[`${cell('a|b')} ${code('x || y')}`]])).toBe('| A |\n| --- |\n| a\\|b `x \\|\\| y` |\n');
    expect(code('x || y')).toBe('`x || y`');
    expect(code('a`b')).toBe('`` a`b ``');
    expect(numbered('First: 1. One. 2. Two.')).toBe('First:\n\n1. One.\n2. Two.');
  });
});

describe('types of connectors', () => {
  it('are a union by method, with choices, secrets and what may be left out', async () => {
    const text = connectorTypes([await spec(ACME)], 'team');
    expect(text.slice(text.indexOf('export type'), text.indexOf('declare module'))).toBe(`export type AcmeInputs =
  | {
      method?: 'key';
      choices?: { region?: 'eu' | 'us' };
      fields: {
        /** API key */
        api_key: string | Secret;
      };
    }
  | {
      method: 'basic';
      choices?: { region?: 'eu' | 'us' };
      fields: {
        /** User name */
        username: string;
        /** Password */
        password: string | Secret;
      };
    };

`);
  });
});

describe('pages of auth types', () => {
  const made = new Map(authPages(readSchemas()));

  it.each(Object.keys(AUTH_TYPES))('%s has an example that lint has nothing to say of', (type) => {
    const { example } = AUTH_EXAMPLES[type] ?? {};
    const spec = `spec: 1\nname: acme\ntitle: Acme\nversion: 1.0.0\nauth:\n${String(example).replace(/^/gm, '  ')}\nhttp: { base_url: https://api.acme.com }\ncheck: { get: /me }\n`;
    const found = lintText(spec, 'acme.yaml');
    expect(found.map(({ rule, message }) => `${rule}: ${message}`)).toEqual([]);
    const page = made.get(`auth/${type}.md`) ?? '';
    expect(page).toContain('## Proved by');
    for (const field of Object.keys(AUTH_TYPES[type]?.fields ?? {})) expect(page).toContain(`\`${field}\``);
  });
});
