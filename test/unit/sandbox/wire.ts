import { request } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { SpecDocument } from '../../../framework/core/spec-types.gen.ts';
import type { Sandbox } from '../../../framework/sandbox/index.ts';
import { loadFile, loadText } from '../../../framework/spec/load.ts';

/** A client of a few lines, so that nothing of ours stands on both sides of the wire. */
export interface Got {
  status: number;
  headers: Record<string, string>;
  text: string;
  bytes: Buffer;
  body: unknown;
}

export interface Sending {
  method?: string;
  headers?: Record<string, string>;
  form?: Record<string, string> | [string, string][];
  json?: unknown;
  text?: string;
}

/** Sends what is meant for a provider's URL to the sandbox, with the provider's Host, as an address map does. */
export function send(sandbox: Sandbox, url: string, { method, headers = {}, form, json, text }: Sending = {}): Promise<Got> {
  const { origin, host, pathname, search } = new URL(url);
  const to = new URL(sandbox.addresses[origin] ?? origin);
  const body = form !== undefined ? new URLSearchParams(form).toString() : json !== undefined ? JSON.stringify(json) : text;
  const type = form !== undefined ? 'application/x-www-form-urlencoded' : json !== undefined ? 'application/json' : undefined;
  const all = { host, accept: 'application/json', ...(type !== undefined && { 'content-type': type }), ...headers };
  const verb = method ?? (body === undefined ? 'GET' : 'POST');
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: to.hostname, port: to.port, method: verb, path: pathname + search, headers: all, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const bytes = Buffer.concat(chunks);
          const got = bytes.toString('utf8');
          const names = Object.entries(response.headers).map(([name, value]) => [name, [value].flat().join(', ')]);
          resolve({ status: response.statusCode!, headers: Object.fromEntries(names), text: got, bytes, body: parsed(got) });
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const basic = (user: string, password: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`,
});

export const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

export async function connector(name: string): Promise<SpecDocument> {
  return loaded(await loadFile(fileURLToPath(new URL(`../../../connectors/${name}.yaml`, import.meta.url))));
}

export const spec = (text: string): SpecDocument => loaded(loadText(text, 'acme.yaml'));

function loaded({ spec: document, findings }: { spec?: SpecDocument; findings: { message: string }[] }): SpecDocument {
  if (document === undefined) throw new Error(findings.map(({ message }) => message).join('\n'));
  return document;
}

/** What a test reads out of an answer. */
export function at(value: unknown, ...keys: (string | number)[]): unknown {
  return keys.reduce<unknown>((found, key) => (found as Record<string | number, unknown> | undefined)?.[key], value);
}
