import type { ResolvedCall } from '../core/resolved.ts';
import type { Capture } from '../core/spec-types.gen.ts';
import { type Answer, json, placeOf } from './answer.ts';
import { type Data, plant } from './data.ts';
import { fitting } from './fitting.ts';
import type { Grant, Grants, Issued } from './grants.ts';
import { fulfil, type Parts, placeCapture } from './planting.ts';
import { lookupsIn, splitText } from './reading.ts';
import { knowing } from './signed.ts';
import type { View } from './view.ts';
import { xml } from './xml.ts';

/**
 * The answer to a call whose captures are to be filled: every value where a capture looks for it. `standard`: what the RFC says of this
 * answer; what it does not know is a host that the spec allows, or one more token. `besides`: what
 * else stands in the body.
 */
export function issue(
  view: View,
  call: ResolvedCall,
  grant: Grant,
  grants: Grants,
  standard: Readonly<Record<string, Data>> = {},
  besides?: Data,
): { answer: Answer; issued: Issued } {
  const parts: Parts = { body: besides, headers: {}, cookies: [] };
  const lookup = knowing(view, undefined);
  const values: Record<string, string> = {};
  for (const [name, capture] of Object.entries(call.capture)) {
    if (capture === null) continue;
    const known = standard[name] ?? view.lookup(['token', name]);
    const left =
      typeof known === 'symbol'
        ? capture.path.endsWith('?')
          ? undefined
          : made(view, name, capture, call, grant, grants)
        : (known as Data);
    if (left === undefined) continue;
    placeCapture(parts, capture.path, left, lookup);
    if (typeof left !== 'object') values[name] = String(left);
  }
  expiry(parts, call, grants);
  if (call.expect !== undefined) for (const part of splitText(call.expect)) if ('expr' in part) fulfil(parts, part.expr, lookup);
  return { answer: written(parts, call), issued: grants.issueSet(grant.method, values) };
}

function made(view: View, name: string, { type, pattern, secret }: Capture, { expires }: ResolvedCall, grant: Grant, grants: Grants): Data {
  if (type === 'number') return 42;
  if (type === 'map') {
    // As many as `send` takes out of it.
    const keys = lookupsIn(view.resolved.method.send, 'token').flatMap(([of, key]) => (of === name && key !== undefined ? [key] : []));
    return Object.fromEntries((keys.length === 0 ? ['value'] : keys).map((key) => [key, grants.issueAccess(grant, name)]));
  }
  // What is no secret is the name of something, and stays it.
  const form = pattern ?? (secret === false ? '^[A-Za-z0-9]{20}$' : undefined);
  return grants.issueAccess(grant, name, {
    ...(form !== undefined && { text: (seed) => fitting(form, name, seed) }),
    jwt: expires?.jwt === name,
    lasting: secret === false,
  });
}

function expiry(parts: Parts, { expires }: ResolvedCall, grants: Grants): void {
  if (expires?.in !== undefined) parts.body = plant(parts.body, placeOf(expires.in), grants.lifetime * (expires.as === 'ms' ? 1000 : 1));
  if (expires?.at === undefined) return;
  const end = grants.ends;
  const forms: Record<string, Data> = { epoch: Math.floor(end / 1000), epoch_ms: end };
  parts.body = plant(parts.body, placeOf(expires.at), forms[expires.as ?? 'iso'] ?? new Date(end).toISOString());
}

/** JSON, unless the call says how it reads its answer, or takes it whole. */
function written({ body = {}, headers, cookies }: Parts, { decode }: ResolvedCall): Answer {
  const set = { 'cache-control': 'no-store', pragma: 'no-cache', ...headers };
  const as = (type: string, text: string): Answer => ({ status: 200, headers: { 'content-type': type, ...set }, body: text, cookies });
  if (decode === 'form') return as('application/x-www-form-urlencoded', new URLSearchParams(body as Record<string, string>).toString());
  if (decode === 'xml') return as('application/xml; charset=utf-8', xml(body));
  if (decode === 'text' || (decode === undefined && typeof body === 'string')) return as('text/plain; charset=utf-8', String(body));
  return { ...json(200, body, set), cookies };
}
