import type { SpecDocument } from '../../framework/core/spec-types.gen.ts';
import { type ConnectOptions, connectSpec, connectStored, type Inputs } from '../../framework/engine/connect.ts';
import type { Connection } from '../../framework/engine/connection.ts';
import { lintText } from '../../framework/spec/lint.ts';
import { addresses, specOf } from '../acme.ts';
import { FakeClock, fixedRandom } from '../clock.ts';
import { type Answer, type LocalServer, type Received, serve } from '../server.ts';

/** What a spec says where the test's part of it says nothing. Top-level keys each. */
const REST = {
  auth: 'auth: { open: none }',
  http: "http: { base_url: 'https://api.acme.test/v1' }",
  check: 'check: { get: /me }',
};

/** A spec as the author of a connector writes it, of which a test shows the part that its row is about. */
export const spec = (part: string): SpecDocument => specOf(whole(part));

/** The rules whose findings of severity error that part has. */
export const refusals = (part: string): string[] =>
  lintText(whole(part), 'acme.yaml').flatMap(({ severity, rule }) => (severity === 'error' ? [rule] : []));

function whole(part: string): string {
  const left = Object.entries(REST).flatMap(([key, text]) => (new RegExp(`^${key}:`, 'm').test(part) ? [] : [text]));
  return ['spec: 1', 'name: acme', 'title: Acme', 'version: 1.0.0', ...left, part].join('\n');
}

/** A provider that is really there, at https://api.acme.test and https://auth.acme.test, and connections to it by one fake clock. */
export interface Provider {
  server: LocalServer;
  clock: FakeClock;
  /** A credential made from inputs; stored under the name and in the store of the options, if there are any. */
  connect(part: string, inputs?: Inputs, options?: ConnectOptions): Promise<Connection>;
  /** One that is stored. */
  connectStored(part: string, name: string, options: ConnectOptions): Promise<Connection>;
  /** What came to a path, in order. */
  at(path: string): Received[];
}

type Respond = (
  request: Received,
  count: number,
  response: Parameters<Parameters<typeof serve>[0]>[1],
) => ReturnType<Parameters<typeof serve>[0]>;

const open: { close(): Promise<void> }[] = [];

/** `respond` gets how many requests have come to that path, this one counted. Undefined: it answers, or breaks off, by itself. */
export async function provider(respond: Respond): Promise<Provider> {
  const clock = new FakeClock();
  const at = (path: string) => server.received.filter((request) => request.path === path);
  const server: LocalServer = await serve((request, response) => respond(request, at(request.path).length, response));
  open.push(server);
  const settings = (options: ConnectOptions = {}): ConnectOptions => ({
    ...addresses(server.origin),
    ...{ clock, random: fixedRandom(), environment: {} },
    ...options,
  });
  const kept = (connection: Connection): Connection => {
    open.unshift(connection);
    return connection;
  };
  return {
    server,
    clock,
    at,
    connect: async (part, inputs = {}, options) => kept(await connectSpec(spec(part), inputs, settings(options))),
    connectStored: async (part, name, options) => kept(await connectStored(spec(part), name, settings(options))),
  };
}

/** For afterEach. */
export async function closeProviders(): Promise<void> {
  for (const one of open.splice(0)) await one.close();
}

export const form = ({ body }: Received): Record<string, string> => Object.fromEntries(new URLSearchParams(body));

/** A good answer of a token endpoint. */
export const tokenAnswer = (access_token: string, more: object = {}): Answer => ({ json: { access_token, expires_in: 3600, ...more } });
