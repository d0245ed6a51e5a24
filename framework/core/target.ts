import { FerruleError } from './errors.ts';
import { plainNumber } from './json.ts';
import { isPathProblem, parsePath } from './path.ts';
import { Secret, type Text } from './secret.ts';
import type { Json, Patch, RequestDraft, Value } from './value.ts';

/** Where to write in a request. `name` is the query key, header or cookie; `keys` lead into the body. */
export interface Target {
  text: string;
  part: 'query' | 'headers' | 'cookies' | 'body' | 'url';
  name: string;
  keys: readonly string[];
}

const FORMS = 'A target is query.x, headers.X, cookies.x, body.a.b or url.';
type ValueMap = { [key: string]: Value };

/** `query.page`, `headers.X-After`, `cookies.x`, `body.variables.after`, `url`. */
export function parseTarget(text: string): Target | { problem: string; offset: number } {
  if (text === 'url') return { text, part: 'url', name: '', keys: [] };
  const match = /^(query|headers|cookies|body)\.(.+)$/s.exec(text);
  if (!match) return { problem: FORMS, offset: 0 };
  const part = match[1] as 'query' | 'headers' | 'cookies' | 'body';
  const rest = match[2]!;
  const offset = part.length + 1;
  if (rest.includes('${')) return { problem: 'A target holds no ${…}.', offset };
  if (part !== 'body') {
    if (part === 'query' ? /\s/.test(rest) : !/^[\w!#$%&'*+.^`|~-]+$/.test(rest)) {
      return { problem: `${rest} is no name of a ${part === 'query' ? 'query parameter' : part.slice(0, -1)}.`, offset };
    }
    return { text, part, name: rest, keys: [] };
  }
  const path = parsePath(rest);
  if (isPathProblem(path)) return { problem: path.problem, offset: offset + path.offset };
  if (path.optional) return { problem: 'A target has no ? at its end.', offset: text.length - 1 };
  const keys = path.steps.map(String);
  if (path.steps.some((step) => typeof step !== 'string')) return { problem: 'A target has no *: it is one place.', offset };
  if (keys.includes('__proto__')) return { problem: '__proto__ is no key of a body.', offset };
  return { text, part, name: '', keys };
}

const parsed = new Map<string, Target>();

function targetOf(text: string): Target {
  let target = parsed.get(text);
  if (target) return target;
  const result = parseTarget(text);
  if ('problem' in result) throw new FerruleError('spec_invalid', result.problem, { where: text });
  target = result;
  if (parsed.size > 1000) parsed.clear();
  parsed.set(text, target);
  return target;
}

/** What a request holds at a target; undefined when nothing. */
export function readTarget(draft: RequestDraft, text: string): Value | undefined {
  const target = targetOf(text);
  switch (target.part) {
    case 'url':
      return draft.url;
    case 'headers': {
      const key = headerKey(draft.headers, target.name);
      return key === undefined ? undefined : draft.headers[key];
    }
    case 'body':
      return target.keys.reduce<Value | undefined>((value, key) => {
        if (value === null || typeof value !== 'object' || value instanceof Secret) return undefined;
        return Object.hasOwn(value, key) ? (value as ValueMap)[key] : undefined;
      }, draft.body);
    default:
      return Object.hasOwn(draft[target.part], target.name) ? draft[target.part][target.name] : undefined;
  }
}

/**
 * The request with the patch laid on; the given one stays as it is. A null removes. Lists and numbers in the query
 * become texts; header names match in any case.
 * @throws FerruleError spec_invalid for a target that is none, data for a value that does not fit its place
 */
export function applyPatch(draft: RequestDraft, patch: Patch): RequestDraft {
  let result = draft;
  for (const [text, value] of Object.entries(patch)) result = applyOne(result, targetOf(text), value);
  return result;
}

function applyOne(draft: RequestDraft, target: Target, value: Json): RequestDraft {
  switch (target.part) {
    case 'url':
      return { ...draft, url: textOf(value, target) };
    case 'body':
      return { ...draft, body: setIn(draft.body, target.keys, 0, value, target) };
    case 'query': {
      const query = without(draft.query, target.name);
      if (value !== null) query[target.name] = Array.isArray(value) ? value.map((item) => textOf(item, target)) : textOf(value, target);
      return { ...draft, query };
    }
    case 'headers': {
      const headers = without(draft.headers, headerKey(draft.headers, target.name) ?? target.name);
      if (value !== null) headers[target.name] = textOf(value, target);
      return { ...draft, headers };
    }
    case 'cookies': {
      const cookies = without(draft.cookies, target.name);
      if (value !== null) cookies[target.name] = textOf(value, target);
      return { ...draft, cookies };
    }
  }
}

function without<T>(map: Record<string, T>, key: string): Record<string, T> {
  const copy = { ...map };
  delete copy[key];
  return copy;
}

function headerKey(headers: Record<string, Text>, name: string): string | undefined {
  const wanted = name.toLowerCase();
  return Object.keys(headers).find((key) => key.toLowerCase() === wanted);
}

function textOf(value: Json, target: Target): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return plainNumber(value);
  if (typeof value === 'boolean') return String(value);
  throw new FerruleError(
    'expression_failed',
    `${target.text} takes a text, a number or a yes/no, not ${value === null ? 'null' : 'a list or map'}.`,
    {
      where: target.text,
    },
  );
}

function setIn(body: Value | undefined, keys: readonly string[], at: number, value: Json, target: Target): Value {
  const key = keys[at];
  if (key === undefined) return value;
  if (Array.isArray(body)) {
    const index = Number(key);
    if (!Number.isInteger(index) || index < 0 || index > body.length) {
      throw new FerruleError('expression_failed', `${target.text} leads into a list of ${body.length}; ${key} is no place in it.`, {
        where: target.text,
      });
    }
    const copy = [...body];
    copy[index] = setIn(body[index], keys, at + 1, value, target);
    return copy;
  }
  const map: ValueMap = body !== null && typeof body === 'object' && !(body instanceof Secret) ? { ...body } : {};
  if (value === null && at === keys.length - 1) delete map[key];
  else map[key] = setIn(Object.hasOwn(map, key) ? map[key] : undefined, keys, at + 1, value, target);
  return map;
}
