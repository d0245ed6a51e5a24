/** Speaks the Language Server Protocol (3.17) with yaml-language-server over stdio, as an editor does. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';

interface Message {
  id?: number;
  method?: string;
  params?: unknown;
  result?: unknown;
}

export interface Diagnostic {
  message: string;
  range: { start: { line: number; character: number } };
}

/** How long the server may take for one file. Milliseconds. */
const PATIENCE = 20_000;

export class LanguageServer {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #settings: object;
  readonly #answers = new Map<number, (result: unknown) => void>();
  readonly #diagnostics = new Map<string, (found: Diagnostic[]) => void>();
  #received = Buffer.alloc(0);
  #last = 0;

  private constructor(script: string, schema: string) {
    this.#child = spawn(process.execPath, [script, '--stdio']);
    this.#child.stdout.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#settings = { schemas: { [schema]: ['*.yaml'] }, validate: true, completion: true, schemaStore: { enable: false } };
  }

  /** `schema` is the URL of the schema for every .yaml file. */
  static async start(script: string, schema: string): Promise<LanguageServer> {
    const server = new LanguageServer(script, schema);
    await server.#ask('initialize', { processId: process.pid, rootUri: null, capabilities: { workspace: { configuration: true } } });
    server.#send({ method: 'initialized', params: {} });
    server.#send({ method: 'workspace/didChangeConfiguration', params: { settings: { yaml: server.#settings } } });
    return server;
  }

  /** Opens a text as a new file; gives its name once the server has said what is wrong with it. */
  async open(text: string): Promise<{ uri: string; diagnostics: Diagnostic[] }> {
    const uri = `file:///specs/file${++this.#last}.yaml`;
    const diagnostics = await this.#within(
      new Promise<Diagnostic[]>((resolve) => {
        this.#diagnostics.set(uri, resolve);
        this.#send({ method: 'textDocument/didOpen', params: { textDocument: { uri, languageId: 'yaml', version: 1, text } } });
      }),
    );
    return { uri, diagnostics };
  }

  /** What is offered at a place; 0-based line and character. */
  async complete(text: string, line: number, character: number): Promise<string[]> {
    const { uri } = await this.open(text);
    const answer = (await this.#ask('textDocument/completion', { textDocument: { uri }, position: { line, character } })) as
      | { items: { label: string }[] }
      | { label: string }[]
      | null;
    return (Array.isArray(answer) ? answer : (answer?.items ?? [])).map(({ label }) => label);
  }

  async stop(): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#child.kill();
    await exit;
  }

  #ask(method: string, params: object): Promise<unknown> {
    const id = ++this.#last;
    return this.#within(
      new Promise((resolve) => {
        this.#answers.set(id, resolve);
        this.#send({ id, method, params });
      }),
    );
  }

  #within<T>(work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('the language server does not answer')), PATIENCE);
    });
    return Promise.race([work, late]).finally(() => clearTimeout(timer));
  }

  #send(message: Message): void {
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message }));
    this.#child.stdin.write(`Content-Length: ${body.length}\r\n\r\n`);
    this.#child.stdin.write(body);
  }

  #read(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    for (;;) {
      const head = this.#received.indexOf('\r\n\r\n');
      const length = Number(/Content-Length: (\d+)/.exec(this.#received.subarray(0, Math.max(0, head)).toString())?.[1]);
      if (head === -1 || this.#received.length < head + 4 + length) return;
      const body = this.#received.subarray(head + 4, head + 4 + length).toString();
      this.#received = this.#received.subarray(head + 4 + length);
      this.#take(JSON.parse(body) as Message);
    }
  }

  #take({ id, method, params, result }: Message): void {
    if (id !== undefined && method !== undefined) {
      const items = (params as { items?: { section: string }[] } | undefined)?.items ?? [];
      this.#send({ id, result: items.map(({ section }) => (section === 'yaml' ? this.#settings : null)) });
    } else if (id !== undefined) this.#answers.get(id)?.(result);
    else if (method === 'textDocument/publishDiagnostics') {
      const { uri, diagnostics } = params as { uri: string; diagnostics: Diagnostic[] };
      this.#diagnostics.get(uri)?.(diagnostics);
    }
  }
}
