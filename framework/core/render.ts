import { ABSENT } from './absent.ts';
import { compileOrThrow, type Kind, type Place, type Scope, type Template, type Vars } from './expression/index.ts';
import type { ResolvedCall } from './resolved.ts';
import type { Text } from './secret.ts';
import { Secret } from './secret.ts';
import type { Encode, Method, Value } from './value.ts';

/** A request as a call writes it: null removes what lies under it on the wire. */
export interface Rendered {
  method: Method;
  url: Text;
  query: Record<string, Text | Text[] | null>;
  headers: Record<string, Text | null>;
  cookies: Record<string, Text>;
  body?: Value;
  encode: Encode;
}

type Tree = { leaf: Template } | { list: Tree[] } | { map: [string, Tree][] } | { literal: Value };

/** A call whose texts are compiled for their places; `render` fills it in. */
export interface CompiledCall {
  render(vars: Vars): Rendered;
}

type Entries = Record<string, string | string[] | null>;

/** Compiles a value: string leaves are text for `place`, everything else stays. */
export function compileValue(value: unknown, place: Place, scope: Scope): (vars: Vars) => Value | typeof ABSENT {
  const tree = treeOf(value, place, scope);
  return (vars) => fill(tree, vars);
}

/** Compiles one text. */
export function compileText(text: string, place: Place, scope: Scope): (vars: Vars) => Text | typeof ABSENT {
  const template = compileOrThrow(text, 'text', place, scope);
  return (vars) => asText(template.evaluate(vars));
}

/** Compiles headers, query or cookies. An entry that is exactly one absent expression is left out. */
export function compileEntries(entries: Entries, place: Place, scope: Scope): (vars: Vars) => Record<string, Text | Text[] | null> {
  const compiled = Object.entries(entries).map(([key, text]) => ({
    key,
    texts: compileEntry(text, place, scope),
    many: Array.isArray(text),
  }));
  return (vars) => {
    const result: Record<string, Text | Text[] | null> = {};
    for (const { key, texts, many } of compiled) {
      if (texts === null) result[key] = null;
      else {
        const values = texts.map((template) => asText(template.evaluate(vars))).filter((item) => item !== ABSENT);
        if (values.length > 0) result[key] = many ? values : (values[0] as Text);
      }
    }
    return result;
  };
}

function compileEntry(text: string | string[] | null, place: Place, scope: Scope): Template[] | null {
  if (text === null) return null;
  return (Array.isArray(text) ? text : [text]).map((item) => compileOrThrow(item, 'text', place, scope));
}

export function compileCall(call: ResolvedCall, scope: Scope): CompiledCall {
  const url = compileText(call.url, 'url', scope);
  const query = compileEntries(call.query, 'query', scope);
  const headers = compileEntries({ ...mediaHeaders(call), ...call.headers }, 'header', scope);
  const cookies = compileEntries(call.cookies, 'cookie', scope);
  const body = call.body === undefined ? undefined : compileBody(call, scope);
  return {
    render: (vars) => {
      const filled = body?.(vars);
      return {
        method: call.method,
        url: url(vars) as Text,
        query: query(vars),
        headers: headers(vars) as Record<string, Text | null>,
        cookies: cookies(vars) as Record<string, Text>,
        ...(filled !== undefined && filled !== ABSENT && { body: filled }),
        encode: call.encode,
      };
    },
  };
}

/** `media_type` is Content-Type and Accept in one word; a header that the call names itself wins. */
function mediaHeaders(call: ResolvedCall): Record<string, string> {
  if (call.media_type === undefined) return {};
  const named = new Set(Object.keys(call.headers).map((name) => name.toLowerCase()));
  const wanted = call.body === undefined ? ['Accept'] : ['Content-Type', 'Accept'];
  return Object.fromEntries(wanted.filter((name) => !named.has(name.toLowerCase())).map((name) => [name, call.media_type as string]));
}

/** In GraphQL the document takes no values: they go through `variables`. */
function compileBody(call: ResolvedCall, scope: Scope): (vars: Vars) => Value | typeof ABSENT {
  if (call.encode !== 'graphql') return compileValue(call.body, call.encode === 'xml' ? 'xml' : 'body', scope);
  const { query, ...rest } = call.body as { query?: unknown };
  const document = compileValue(query, 'graphql', scope);
  const others = compileValue(rest, 'body', scope);
  return (vars) => ({ query: document(vars) as Value, ...(others(vars) as Record<string, Value>) });
}

function treeOf(value: unknown, place: Place, scope: Scope): Tree {
  if (typeof value === 'string') return { leaf: compileOrThrow(value, 'value' satisfies Kind, place, scope) };
  if (Array.isArray(value)) return { list: value.map((item) => treeOf(item, place, scope)) };
  if (typeof value === 'object' && value !== null)
    return { map: Object.entries(value).map(([key, item]) => [key, treeOf(item, place, scope)]) };
  return { literal: value as Value };
}

function fill(tree: Tree, vars: Vars): Value | typeof ABSENT {
  if ('leaf' in tree) return tree.leaf.evaluate(vars) as Value | typeof ABSENT;
  if ('literal' in tree) return tree.literal;
  if ('list' in tree) return tree.list.map((item) => fill(item, vars)).filter((item): item is Value => item !== ABSENT);
  const result: Record<string, Value> = {};
  for (const [key, item] of tree.map) {
    const value = fill(item, vars);
    if (value !== ABSENT) result[key] = value;
  }
  return result;
}

const asText = (value: unknown): Text | typeof ABSENT =>
  value === ABSENT || value instanceof Secret ? (value as Text | typeof ABSENT) : String(value);
