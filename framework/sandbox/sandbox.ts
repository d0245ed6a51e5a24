import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FerruleError, isFerruleError } from '../core/errors.ts';
import type { SpecDocument } from '../core/spec-types.gen.ts';
import { CONSENT_PATH } from './consent.ts';
import { control } from './control.ts';
import { DEVICE_PATH } from './device-page.ts';
import type { Served } from './planned.ts';
import { Provider } from './provider.ts';
import { type Incoming, receive } from './request.ts';
import { serve } from './serve.ts';
import type { RecordedRequest, Sandbox, SandboxOptions } from './types.ts';

/** Requests remembered: a sandbox may stand for days. */
const KEPT = 20_000;

/** Starts a provider made from a spec (in its long form) on 127.0.0.1. Nothing of the client's code is in it. */
export async function startSandbox(spec: SpecDocument, options: SandboxOptions = {}): Promise<Sandbox> {
  const provider = new Provider(spec, options);
  // Wrong names are told before a port is taken.
  const inputs = provider.inputs(options.method, options.choices);
  const requests: RecordedRequest[] = [];
  const origins = new Map(provider.origins.map((origin) => [new URL(origin).host.toLowerCase(), origin]));
  const server = createServer();
  await listen(server, options.port ?? 0);
  const own = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const closing = new AbortController();
  const sandbox: Sandbox = {
    connector: spec.name,
    origin: own,
    addresses: Object.fromEntries(provider.origins.map((origin) => [origin, own])),
    inputs,
    inputsFor: (method, choices) => provider.inputs(method, choices),
    get expected() {
      return provider.expected(options.method, options.choices);
    },
    expectedFor: (method, choices) => provider.expected(method, choices),
    change: (change) => provider.change(change, options.method, options.choices),
    get jobs() {
      return provider.jobs.shown;
    },
    requests,
    faults: provider.faults,
    revoke: (text) => provider.revoke(text),
    expire: () => provider.grants.expire(),
    get tokens() {
      return provider.grants.live;
    },
    close: () => {
      closing.abort();
      return close(server);
    },
  };
  server.on('request', (message, response) => {
    void handle(message, response).catch((error: unknown) => {
      // Whoever still waited for a slow answer has been cut off.
      if (closing.signal.aborted) return void response.destroy();
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ message: isFerruleError(error) ? error.message : 'the sandbox has failed' }));
    });
  });

  async function handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await receive(message);
    if (request.path.startsWith('/__sandbox') && request.path !== CONSENT_PATH && request.path !== DEVICE_PATH) {
      return deliver({ answer: control(sandbox, request) }, response);
    }
    const origin = origins.get(request.host);
    const recorded = record(request, origin ?? own);
    requests.push(recorded);
    if (requests.length > KEPT) requests.shift();
    const served = serve(provider, request, origin, own);
    recorded.status = served.cut === 'before_head' ? 0 : served.answer.status;
    if (served.stream !== undefined) recorded.stream = served.stream;
    if (served.delay !== undefined) await provider.clock.sleep(served.delay, closing.signal);
    // The sandbox's time, by which its tokens end.
    response.setHeader('date', new Date(provider.clock.now()).toUTCString());
    deliver(served, response);
  }
  return sandbox;
}

const record = ({ method, host, path, query, headers, body }: Incoming, origin: string): RecordedRequest => ({
  method,
  origin,
  host,
  path,
  query,
  headers,
  body,
  status: 0,
});

function deliver({ answer, cut }: Served, response: ServerResponse): void {
  if (cut === 'before_head') return void response.socket?.destroy();
  const body = answer.bytes ?? Buffer.from(answer.body);
  const { headers, cookies = [] } = answer;
  response.writeHead(answer.status, {
    ...headers,
    ...(cookies.length > 0 && { 'set-cookie': [...cookies] }),
    'content-length': body.length,
  });
  if (cut === undefined) return void response.end(body);
  // The head promises more than comes.
  response.write(body.subarray(0, body.length >> 1), () => response.socket?.destroy());
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const next = error.code === 'EADDRINUSE' ? 'Another program listens there: take another port.' : 'Take another port.';
      reject(new FerruleError('usage', `The sandbox cannot listen on port ${port}`, { where: String(port), next, cause: error }));
    });
    server.listen(port, '127.0.0.1', () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
