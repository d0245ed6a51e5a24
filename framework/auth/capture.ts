import { ABSENT } from '../core/absent.ts';
import { FerruleError } from '../core/errors.ts';
import { compileOrThrow, type Scope, type Vars } from '../core/expression/index.ts';
import { matches, patternProblem } from '../core/expression/match.ts';
import { compilePath, readRequired } from '../core/path.ts';
import { Secret } from '../core/secret.ts';
import type { Capture } from '../core/spec-types.gen.ts';
import { urlOf } from '../core/url.ts';
import type { Json, Response, Value } from '../core/value.ts';
import type { CaptureValue } from '../credentials/types.ts';

/** No server takes a header of a tenth of it, and all that is shown is searched for each secret. */
const LONGEST = 256 * 1024;
/** RFC 6749, A.12 and A.17: printable. */
const TOKENS = new Set(['access_token', 'refresh_token']);

/**
 * Takes what a call captures from its answer. A value of type url or host is checked against the hosts that the spec
 * names for it before anything may be sent there; `same` is the host that answered.
 */
export function capture(
  wanted: Readonly<Record<string, Capture>>,
  response: Response,
  step: string,
  scope: Scope,
  vars: Vars,
): Record<string, CaptureValue> {
  const result: Record<string, CaptureValue> = {};
  for (const [name, one] of Object.entries(wanted)) {
    const value = read(one, response, `${step}: capture ${name}`, scope, vars);
    // Known to be absent, and not asked for again until its step is due.
    if (value === ABSENT) result[name] = null;
    if (value === undefined || value === null || value === ABSENT) {
      if (value !== null || one.path.endsWith('?')) continue;
      throw new FerruleError('token_malformed', `${step}: capture ${name} is null`, { where: one.path });
    }
    result[name] = typed(one, value, name, response, step);
  }
  return result;
}

/** Takes what a callback brings. Anyone can call it, so that each value is checked before it is kept. */
export function captureCallback(wanted: Readonly<Record<string, Capture>>, query: URLSearchParams, scope: Scope, vars: Vars) {
  const callback = Object.fromEntries(query);
  const result: Record<string, CaptureValue> = {};
  for (const [name, one] of Object.entries(wanted)) {
    const where = `callback: ${name}`;
    const value = compileOrThrow(one.path, 'computed_path', 'data', scope).evaluate({ ...vars, callback }) as Json | typeof ABSENT;
    if (value === ABSENT) result[name] = null;
    else if (typeof value === 'string' && value !== '') result[name] = typed(one, value, name, undefined, 'callback');
    else throw new FerruleError('consent_denied', `${where} is not in the callback`, { where: one.path });
  }
  return result;
}

function read(one: Capture, response: Response, where: string, scope: Scope, vars: Vars): Json | undefined | typeof ABSENT {
  if (one.path.includes('${'))
    return compileOrThrow(one.path, 'computed_path', 'data', scope).evaluate({ ...vars, response }) as Json | undefined | typeof ABSENT;
  return readRequired(compilePath(one.path), response.body, where);
}

function typed(one: Capture, value: Json, name: string, response: Response | undefined, step: string): CaptureValue {
  const type = one.type ?? 'text';
  if (type === 'map') return one.secret === false ? value : sealedLeaves(value);
  if (type === 'number') {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof number === 'number' && Number.isFinite(number)) return number;
    throw new FerruleError('token_malformed', `${step}: capture ${name} is no number`, { where: one.path });
  }
  if (typeof value === 'object') {
    throw new FerruleError('token_malformed', `${step}: capture ${name} is ${Array.isArray(value) ? 'a list' : 'an object'}, not text`, {
      where: one.path,
    });
  }
  const text = String(value);
  if (text.length > LONGEST)
    throw new FerruleError('token_malformed', `${step}: capture ${name} is longer than ${LONGEST} characters`, { where: one.path });
  if (TOKENS.has(name) && /\p{Cc}/u.test(text))
    throw new FerruleError('token_malformed', `${step}: capture ${name} holds a line break or another control character`, {
      where: one.path,
    });
  // In linear time: pattern and text are both somebody else's.
  if (one.pattern !== undefined && !fits(text, one.pattern, `${step}: capture ${name}`)) {
    throw new FerruleError('token_malformed', `${step}: capture ${name} is not of the form ${one.pattern}`, { where: one.path });
  }
  if (type === 'url' || type === 'host') {
    const same = response === undefined ? undefined : new URL(response.url);
    return allowed(text, type, one.hosts ?? [], same, `${step}: capture ${name}`);
  }
  return (one.secret ?? true) ? new Secret(text) : text;
}

function fits(text: string, pattern: string, where: string): boolean {
  const problem = patternProblem(pattern);
  if (problem !== undefined) throw new FerruleError('spec_invalid', `The pattern is no regular expression of RE2: ${problem}`, { where });
  return matches(text, pattern);
}

/** Session cookies and the like: which text of a map is the secret one nobody knows. */
function sealedLeaves(value: Json): Value {
  if (typeof value === 'string') return new Secret(value);
  if (Array.isArray(value)) return value.map(sealedLeaves);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, sealedLeaves(item)]));
}

function allowed(text: string, type: 'url' | 'host', hosts: readonly string[], same: URL | undefined, where: string): string {
  const url = urlOf(type === 'url' ? text : `https://${text}`);
  const plain = url !== undefined && url.username === '' && url.password === '' && (type === 'url' || url.host === text.toLowerCase());
  if (url === undefined || !plain) throw new FerruleError('host_refused', `${where} is no plain ${type}`, { where });
  const fits = hosts.some((rule) => {
    // The scheme of a host is the spec's own.
    if (rule === 'same') return url.host === same?.host && (type === 'host' || url.protocol === same.protocol);
    // Another port is another server, and what is not https is read on the way: nobody named it.
    if (url.port !== '' || url.protocol !== 'https:') return false;
    return rule.startsWith('*.') ? url.hostname.endsWith(rule.slice(1)) : url.hostname === rule;
  });
  if (!fits)
    throw new FerruleError(
      'host_refused',
      `${where} names ${url.protocol}//${url.host}, which the spec does not allow (${hosts.join(', ') || 'none'})`,
      { where },
    );
  return text.replace(/\/+$/, '');
}
