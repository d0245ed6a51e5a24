import { FerruleError, isFerruleError } from '../core/errors.ts';
import { type Answer, json } from './answer.ts';
import type { Data } from './data.ts';
import type { Incoming } from './request.ts';
import type { Change, Fault, Sandbox } from './types.ts';

/**
 * What a person at a terminal steers the sandbox with: GET /__sandbox shows it (`?method=basic&region=eu`: with inputs for those), POST and DELETE /__sandbox/faults,
 * GET /__sandbox/jobs, POST /__sandbox/change with `{"stream": "…", "update": 3, "insert": 2, "delete": 1}`, POST /__sandbox/expire, POST /__sandbox/revoke with `{"token": "…"}`.
 */
export function control(sandbox: Sandbox, { method, path, query, body }: Incoming): Answer {
  try {
    return act(sandbox, `${method} ${path.replace(/\/+$/, '')}`, body, Object.fromEntries(query));
  } catch (error) {
    if (isFerruleError(error)) return json(400, { message: `${error.message} ${error.next}` });
    throw error;
  }
}

function act(sandbox: Sandbox, what: string, body: string, { method, ...choices }: Record<string, string>): Answer {
  switch (what) {
    case 'GET /__sandbox': {
      const { connector, origin, addresses } = sandbox;
      const other = method !== undefined || Object.keys(choices).length > 0;
      const wanted = [method ?? sandbox.inputs.method, { ...sandbox.inputs.choices, ...choices }] as const;
      const inputs = other ? sandbox.inputsFor(...wanted) : sandbox.inputs;
      const expected = other ? sandbox.expectedFor(...wanted) : sandbox.expected;
      return json(200, { connector, origin, addresses, inputs: inputs as unknown as Data, expected });
    }
    case 'GET /__sandbox/faults':
      return faults(sandbox);
    case 'POST /__sandbox/faults':
      sandbox.faults.add(...([parse(body)].flat() as Fault[]));
      return faults(sandbox);
    case 'DELETE /__sandbox/faults':
      sandbox.faults.clear();
      return faults(sandbox);
    case 'GET /__sandbox/jobs':
      return json(200, sandbox.jobs as unknown as Data);
    case 'POST /__sandbox/change':
      return json(200, sandbox.change(parse(body) as Change) as unknown as Data);
    case 'POST /__sandbox/expire':
      sandbox.expire();
      return json(200, { expired: true });
    case 'POST /__sandbox/revoke': {
      const { token } = parse(body) as { token?: unknown };
      return json(200, { revoked: typeof token === 'string' && sandbox.revoke(token) });
    }
    default:
      return json(404, {
        message:
          'There are GET /__sandbox, GET, POST and DELETE /__sandbox/faults, GET /__sandbox/jobs, POST /__sandbox/change, POST /__sandbox/expire, POST /__sandbox/revoke.',
      });
  }
}

const faults = (sandbox: Sandbox): Answer => json(200, sandbox.faults.list() as unknown as Data);

function parse(body: string): object {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Told below, together with a body that is no object.
  }
  throw new FerruleError('usage', 'The body must be a JSON object or list.', { next: 'For example {"kind": "rate_limit", "times": 2}.' });
}
