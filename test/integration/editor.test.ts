/** What an author sees while typing: yaml-language-server over stdio, with the editor schema. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { installed } from './programs.ts';

interface Message {
  id?: number;
  method?: string;
  params?: unknown;
  result?: unknown;
}
interface Diagnostic {
  message: string;
  range: { start: { line: number; character: number } };
}

/** The little of the Language Server Protocol (3.17) that it takes: framed JSON-RPC over stdio. */
class LanguageServer {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #pending = new Map<number, (result: unknown) => void>();
  readonly #published = new Map<string, (diagnostics: Diagnostic[]) => void>();
  #buffer = Buffer.alloc(0);
  #ids = 0;

  constructor(program: string, schema: string) {
    this.#child = spawn(process.execPath, [program, '--stdio']);
    this.#child.stdout.on('data', (chunk: Buffer) => this.#read(chunk, schema));
  }

  async start(): Promise<void> {
    await this.#request('initialize', { processId: process.pid, rootUri: null, capabilities: { workspace: { configuration: true } } });
    this.#send({ method: 'initialized', params: {} });
    this.#send({ method: 'workspace/didChangeConfiguration', params: { settings: {} } });
  }

  async diagnose(name: string, text: string): Promise<Diagnostic[]> {
    const uri = `file:///specs/${name}.yaml`;
    const result = new Promise<Diagnostic[]>((done) => this.#published.set(uri, done));
    this.#send({ method: 'textDocument/didOpen', params: { textDocument: { uri, languageId: 'yaml', version: 1, text } } });
    return result;
  }

  /** The labels offered at the place marked with |. */
  async complete(name: string, marked: string): Promise<string[]> {
    const before = marked.slice(0, marked.indexOf('|'));
    const text = marked.replace('|', '');
    await this.diagnose(name, text);
    const lines = before.split('\n');
    const position = { line: lines.length - 1, character: lines.at(-1)?.length ?? 0 };
    const result = (await this.#request('textDocument/completion', { textDocument: { uri: `file:///specs/${name}.yaml` }, position })) as {
      items: { label: string }[];
    };
    return result.items.map(({ label }) => label);
  }

  stop(): void {
    this.#child.kill();
  }

  #request(method: string, params: unknown): Promise<unknown> {
    this.#ids += 1;
    const id = this.#ids;
    const result = new Promise<unknown>((done) => this.#pending.set(id, done));
    this.#send({ id, method, params });
    return result;
  }

  #send(message: Message): void {
    const text = JSON.stringify({ jsonrpc: '2.0', ...message });
    this.#child.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  }

  #read(chunk: Buffer, schema: string): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    for (;;) {
      const head = this.#buffer.indexOf('\r\n\r\n');
      const length = Number(/Content-Length: (\d+)/i.exec(this.#buffer.subarray(0, Math.max(head, 0)).toString())?.[1]);
      if (head < 0 || this.#buffer.length < head + 4 + length) return;
      const message = JSON.parse(this.#buffer.subarray(head + 4, head + 4 + length).toString()) as Message;
      this.#buffer = this.#buffer.subarray(head + 4 + length);
      this.#handle(message, schema);
    }
  }

  #handle({ id, method, params, result }: Message, schema: string): void {
    if (method === 'workspace/configuration') {
      const { items } = params as { items: { section: string }[] };
      const yaml = { validate: true, completion: true, hover: true, schemas: { [schema]: '*.yaml' }, schemaStore: { enable: false } };
      this.#send({ id: id ?? 0, result: items.map(({ section }) => (section === 'yaml' ? yaml : {})) });
    } else if (method === 'textDocument/publishDiagnostics') {
      const { uri, diagnostics } = params as { uri: string; diagnostics: Diagnostic[] };
      this.#published.get(uri)?.(diagnostics);
    } else if (method !== undefined && id !== undefined) this.#send({ id, result: null });
    else if (id !== undefined) this.#pending.get(id)?.(result);
  }
}

const HEAD = `spec: 1
name: acme
title: Acme
version: 1.0.0
auth: { key: { type: bearer } }
http: { base_url: 'https://api.acme.test' }
`;

let server: LanguageServer;
beforeAll(async () => {
  const schema = pathToFileURL(resolve('schemas/connector.gen.schema.json')).href;
  server = new LanguageServer(installed('node_modules', 'yaml-language-server', 'bin', 'yaml-language-server'), schema);
  await server.start();
});
afterAll(() => server.stop());

describe('completion', () => {
  it.each<[string, string, string[], string[]]>([
    ['top', `${HEAD}|`, ['streams', 'check', 'choices', 'defaults'], ['get']],
    ['stream', `${HEAD}streams:\n  users:\n    |`, ['get', 'post', 'records', 'paginate', 'primary_key', 'source'], ['base_url']],
    [
      'type',
      `${HEAD}streams:\n  users:\n    get: /users\n    paginate:\n      type: |`,
      ['page', 'offset', 'next_token', 'next_url', 'link_header', 'none'],
      [],
    ],
    [
      'paginator',
      `${HEAD}streams:\n  users:\n    get: /users\n    paginate:\n      type: next_token\n      |`,
      ['from', 'into', 'more'],
      ['total', 'rel'],
    ],
    [
      'method',
      `${HEAD.replace('{ key: { type: bearer } }', '\n  key:\n    type: |')}`,
      ['basic', 'api_key', 'oauth2_authorization_code'],
      [],
    ],
    ['field', `${HEAD}fields:\n  site:\n    type: |`, ['url', 'subdomain', 'date'], []],
  ])('%s', async (name, text, offered, not) => {
    const labels = await server.complete(`complete-${name}`, text);
    expect(labels).toEqual(expect.arrayContaining(offered));
    for (const word of not) expect(labels).not.toContain(word);
  });
});

describe('diagnostics', () => {
  it.each(['jama-connect', 'jumpseller', 'uppromote', 'amazon-ads', 'jampp'])('none in %s', async (name) => {
    const { readFile } = await import('node:fs/promises');
    expect(await server.diagnose(name, await readFile(`connectors/${name}.yaml`, 'utf8'))).toEqual([]);
  });

  // Line and column are counted by hand, from 0, as the protocol has them.
  it.each<[string, string, number, number]>([
    ['top-key', `${HEAD}stream: {}\n`, 6, 0],
    ['auth-type', HEAD.replace('bearer', 'barer'), 4, 21],
    ['auth-key', HEAD.replace('type: bearer', 'type: bearer, titel: x'), 4, 29],
    ['stream-key', `${HEAD}streams:\n  users: { get: /users, record: data }\n`, 7, 24],
    ['paginate-type', `${HEAD}streams:\n  users: { get: /users, paginate: { type: pages } }\n`, 7, 42],
    ['paginate-key', `${HEAD}streams:\n  users: { get: /users, paginate: { type: page, page: query.page, offset: query.x } }\n`, 7, 66],
    ['field-type', `${HEAD}fields: { site: { type: uri } }\n`, 6, 24],
    ['wrong-kind', `${HEAD}streams: [users]\n`, 6, 9],
    ['http-key', HEAD.replace("test' }", "test', header: {} }"), 5, 43],
    ['rate-limit', HEAD.replace("test' }", "test', rate_limit: { requests: 5, par: 1s } }"), 5, 70],
  ])('one for a typo: %s', async (name, text, line, character) => {
    const diagnostics = await server.diagnose(`typo-${name}`, text);
    expect(diagnostics.map(({ range }) => [range.start.line, range.start.character])).toEqual([[line, character]]);
  });
});
