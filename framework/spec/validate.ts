import { createRequire } from 'node:module';
import type { ErrorObject } from 'ajv';
import { parseDuration } from '../core/duration.ts';
import type { Finding } from '../core/finding.ts';
import { suggest } from '../core/suggest.ts';
import { flow } from './flow.ts';
import { ourWord } from './foreign-words.ts';
import { isLaterKey } from './later.ts';
import { branch, type JsonType, type Shape, shape, shapeAt } from './shape.ts';
import type { FindingPlace, SpecNode, SpecPath, SpecTree } from './tree.ts';

// By require: an import would first read 400 KB for the names of its exports, which costs as much as a whole start.
const { connector } = createRequire(import.meta.url)('./validators.gen.cjs') as typeof import('./validators.gen.cjs');

type Path = (string | number)[];

/** Errors that only say that another error stands below them. */
const ECHOES = new Set(['anyOf', 'oneOf', 'allOf', 'if', 'propertyNames']);

/** Checks a spec in its long form against the schema. One mistake gives one finding. */
export function validate(tree: SpecTree): Finding[] {
  if (connector(tree.value)) return [];
  const findings = new Map<string, Finding>();
  for (const error of connector.errors ?? []) {
    if (ECHOES.has(error.keyword) || isNullBranch(error)) continue;
    const finding = explain(tree, error);
    const place = `${finding.start.offset}:${finding.path.join('.')}`;
    // The tag decides about all else: "type is missing" and "this is no type" are the same mistake.
    if (!findings.has(place) || error.keyword === 'discriminator') findings.set(place, finding);
  }
  return withoutEchoes(tree, [...findings.values()]);
}

/** A misspelt key is also a missing one: the finding that names the typo is enough. */
function withoutEchoes(tree: SpecTree, findings: Finding[]): Finding[] {
  const unknown = findings.filter(({ rule }) => rule === 'unknown-key');
  return findings.filter((finding) => {
    if (finding.rule !== 'missing-key') return true;
    const key = missing(finding);
    const node = tree.node(finding.path);
    const strangers = unknown.filter(
      ({ path }) => path.length === finding.path.length + 1 && path.slice(0, -1).join('.') === finding.path.join('.'),
    );
    return node?.kind !== 'map' || !strangers.some(({ path }) => suggest(String(path.at(-1)), [key]) === key);
  });
}

/** The key that a missing-key finding is about: the last word of its message. */
const missing = ({ message }: Finding): string => /`([^`]*)`\.$/.exec(message)?.[1] ?? '';

/** "or null" beside what was meant: the finding about that is enough. */
const isNullBranch = ({ keyword, params, schemaPath }: ErrorObject): boolean =>
  keyword === 'type' && params.type === 'null' && schemaPath.includes('/anyOf/');

function explain(tree: SpecTree, error: ErrorObject): Finding {
  const path = toPath(tree, error.instancePath);
  const params = error.params as Record<string, unknown>;
  if (error.propertyName !== undefined) return badName(tree, path, error.propertyName);
  if (error.keyword === 'additionalProperties') return unknownKey(tree, path, String(params.additionalProperty));
  if (error.keyword === 'required') return missingKey(tree, path, String(params.missingProperty));
  if (error.keyword === 'discriminator') return badTag(tree, path, params);
  if (error.keyword === 'type') return wrongKind(tree, path, [params.type].flat() as JsonType[]);
  return badValue(tree, path, error);
}

function toPath(tree: SpecTree, pointer: string): Path {
  const path: Path = [];
  for (const part of pointer.split('/').slice(1)) {
    const step = part.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(tree.node(path)?.kind === 'list' ? Number(step) : step);
  }
  return path;
}

// ---- keys

function unknownKey(tree: SpecTree, at: Path, key: string): Finding {
  const path = [...at, key];
  const here = shapeAt(tree, at);
  const chosen = here && branch(here, tree.node(at));
  const found = (rule: string, message: string, hint: string): Finding => tree.finding(rule, 'error', message, path, { part: 'key', hint });
  const place = placeName(at);
  if (isLaterKey(key, chosen?.title ?? '')) {
    return found(
      'later-word',
      `\`${key}\` is a later word of the language, not run by this version.`,
      'Leave it out until this version of Ferrule runs it.',
    );
  }
  if (key === 'use' && chosen?.title === 'Template') {
    return found('template-chain', 'A template cannot use another one.', 'Let the stream use one template, and write the rest in it.');
  }
  const home = homeOf(tree, at, key, here);
  if (home !== undefined) return found('unknown-key', `\`${key}\` belongs in ${home}, not in ${place}.`, `Move it to ${home}.`);
  const known = Object.keys(chosen?.properties ?? {});
  const meant = suggest(key, known);
  const hint = meant === undefined ? `Keys here: ${listed(known)}.` : `Did you mean \`${meant}\`?`;
  return found('unknown-key', `\`${key}\` is no key of ${place}.`, hint);
}

/** Where the key is legal, when that is further up, one level down, or in another type of the same union. */
function homeOf(tree: SpecTree, at: Path, key: string, here: Shape | undefined): string | undefined {
  for (let length = at.length - 1; length >= 0; length--) {
    const path = at.slice(0, length);
    const above = shapeAt(tree, path);
    if (above !== undefined && hasKey(branch(above, tree.node(path)), key)) return placeName(path);
  }
  const chosen = here && branch(here, tree.node(at));
  const children = Object.entries(chosen?.properties ?? {}).filter(([, index]) => branches(shape(index)).some((each) => hasKey(each, key)));
  const other = Object.entries(here?.tag?.branches ?? {}).find(([, index]) => hasKey(shape(index), key));
  const node = tree.node(at);
  const written = children.some(([name]) => node?.kind === 'map' && node.entries.has(name));
  // Who writes `from` without a `restart` means another type.
  if (children.length > 0 && (other === undefined || written))
    return children
      .slice(0, 3)
      .map(([name]) => `\`${[...at, name].join('.')}\``)
      .join(' or ');
  if (at[0] !== 'defaults' && STREAM_KEYS.has(key)) return '`defaults`';
  return other && `type \`${other[0]}\``;
}

/** What other products write beside base URL and headers, and what is here what every stream starts from. */
const STREAM_KEYS = new Set(['records', 'primary_key', 'paginate', 'add', 'remove']);

const hasKey = (here: Shape | undefined, key: string): boolean => Object.hasOwn(here?.properties ?? {}, key) && key !== 'type';
const branches = (here: Shape): Shape[] => (here.tag === undefined ? [here] : Object.values(here.tag.branches).map(shape));

function missingKey(tree: SpecTree, at: Path, key: string): Finding {
  const shapeOfKey = shapeAt(tree, [...at, key]);
  const about = shapeOfKey?.about === undefined ? '' : ` ${firstSentence(shapeOfKey.about)}`;
  const hint = `Write \`${key}: ${sample(shapeOfKey)}\`.${about}`;
  return tree.finding('missing-key', 'error', `${capital(placeName(at))} lacks \`${key}\`.`, at, { part: 'key', hint });
}

function badName(tree: SpecTree, at: Path, name: string): Finding {
  const hint = name === name.toLowerCase() && !name.includes('-') ? 'It must begin with a letter.' : `Write \`${asName(name)}\`.`;
  return tree.finding('bad-name', 'error', `\`${name}\` is no name: small letters, digits and _ only.`, [...at, name], {
    part: 'key',
    hint,
  });
}

const asName = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[^a-z]+/, '');

// ---- values

function badTag(tree: SpecTree, at: Path, params: Record<string, unknown>): Finding {
  const here = shapeAt(tree, at);
  const words = Object.keys(here?.tag?.branches ?? {});
  const path = [...at, 'type'];
  const node = tree.node(at);
  const typo = node?.kind === 'map' ? [...node.entries.keys()].find((key) => suggest(key, ['type']) === 'type') : undefined;
  if (tree.node(path) === undefined && typo !== undefined) {
    const hint = `Did you mean \`type\`?`;
    return tree.finding('unknown-key', 'error', `\`${typo}\` is no key of ${placeName(at)}.`, [...at, typo], { part: 'key', hint });
  }
  const tag = tree.node(path);
  if (tag !== undefined && tag.kind !== 'scalar') return wrongKind(tree, path, ['string']);
  if (tag === undefined) {
    return tree.finding('missing-key', 'error', `${capital(placeName(at))} lacks \`type\`.`, at, {
      part: 'key',
      hint: `Types: ${words.join(', ')}.`,
    });
  }
  const word = String(params.tagValue ?? '');
  const place = tree.node(at)?.kind === 'map' ? path : at;
  const hint = choose(word, words, 'Types');
  return tree.finding('bad-tag', 'error', `\`${word}\` is no type of ${placeName(at)}.`, place, { hint });
}

function wrongKind(tree: SpecTree, path: Path, accepted: JsonType[]): Finding {
  const node = tree.node(path);
  const here = shapeAt(tree, path);
  const wanted = (here?.types ?? accepted).filter((type) => type !== 'null').map((type) => typeName(type, here));
  const place: FindingPlace = { ...(node?.kind === 'scalar' && node.text === '' && { part: 'key' }) };
  place.hint = isExpression(node)
    ? 'It is a literal: no ${…} can stand here.'
    : (spaceless(node, wanted) ?? `Write \`${last(path)}: ${lifetime(path, node) ?? sample(here)}\`.`);
  return tree.finding(
    'wrong-kind',
    'error',
    `${capital(placeName(path))} must be ${wanted.join(' or ')}, not ${nodeName(node)}.`,
    path,
    place,
  );
}

/** `get:/users` alone on its line is one text to YAML; where a map is wanted, the author meant a key. */
function spaceless(node: SpecNode | undefined, wanted: readonly string[]): string | undefined {
  const written =
    node?.kind === 'scalar' && node.style === 'plain' && wanted.includes('a map') ? /^([a-z_]+):(\S.*)$/s.exec(node.text) : null;
  return written === null ? undefined : `A space is missing after \`${written[1]}:\`: write \`${written[1]}: ${short(written[2] ?? '')}\`.`;
}

/** A bare duration under `expires` is what holds when the answer says nothing. */
const lifetime = (path: Path, node: SpecNode | undefined): string | undefined =>
  path.at(-1) === 'expires' && node?.kind === 'scalar' && parseDuration(node.text) !== undefined ? `{ default: ${node.text} }` : undefined;

const NEWER = 'This Ferrule reads `spec: 1`. A file with a higher number wants a newer Ferrule.';

function badValue(tree: SpecTree, path: Path, { keyword, params, message = '' }: ErrorObject): Finding {
  const node = tree.node(path);
  const here = shapeAt(tree, path);
  const written = node?.kind === 'scalar' ? node.text : '';
  const shown = node?.kind === 'scalar' ? `\`${short(written)}\`` : 'this';
  const found = (text: string, hint: string): Finding =>
    tree.finding('bad-value', 'error', text, path, { hint, ...(node?.kind === 'scalar' && written === '' && { part: 'key' }) });
  if (keyword === 'enum' || keyword === 'const') {
    const values = ((params as { allowedValues?: unknown[] }).allowedValues ?? [(params as { allowedValue?: unknown }).allowedValue]).map(
      String,
    );
    const hint = path.join('.') === 'spec' ? NEWER : choose(written, values, 'Accepted');
    return found(`${capital(placeName(path))} can't be ${shown}.`, hint);
  }
  if (keyword === 'pattern') return found(`${capital(placeName(path))} can't be ${shown}.`, `Write it like \`${sample(here)}\`.`);
  return found(`${capital(placeName(path))} ${message}.`, `Write it like \`${sample(here)}\`.`);
}

// ---- words

const TYPE_NAMES: Record<JsonType, string> = {
  null: 'null',
  boolean: 'true or false',
  integer: 'a whole number',
  number: 'a number',
  string: 'text',
  array: 'a list',
  object: 'a map',
};

function typeName(type: JsonType, here: Shape | undefined): string {
  if (type !== 'string') return TYPE_NAMES[type];
  if (here?.values !== undefined) return 'a word';
  if (here?.kind === 'path') return 'a path';
  if (here?.kind === 'target') return 'a target';
  return here?.kind === 'condition' ? 'one ${…}' : 'text';
}

function nodeName(node: SpecNode | undefined): string {
  if (node === undefined) return 'nothing';
  if (node.kind === 'list') return 'a list';
  if (node.kind === 'map') return 'a map';
  if (node.value === null) return node.text === '' ? 'empty' : 'null';
  if (typeof node.value === 'string') return 'text';
  return typeof node.value === 'number' ? 'a number' : `\`${node.value}\``;
}

const isExpression = (node: SpecNode | undefined): boolean => node?.kind === 'scalar' && node.text.includes('${');

/** A path as people say it: `streams.orders.paginate`. */
export const placeName = (path: SpecPath): string => (path.length === 0 ? 'the spec' : `\`${path.join('.')}\``);

const last = (path: SpecPath): string => {
  const name = [...path].reverse().find((step) => typeof step === 'string');
  return name === undefined ? '' : String(name);
};

function choose(word: string, words: readonly string[], label: string): string {
  const meant = ourWord(word, words) ?? suggest(word, words);
  return meant === undefined ? `${label}: ${listed(words)}.` : `Did you mean \`${meant}\`? ${label}: ${listed(words)}.`;
}

/** At most a dozen words: a hint must stay readable. */
export const listed = (words: readonly string[]): string =>
  words.length <= 12 ? words.join(', ') : `${words.slice(0, 12).join(', ')}, … (${words.length})`;

/** The schema's example as it is written in YAML on one line. */
function sample(here: Shape | undefined): string {
  const example = here?.example ?? here?.values?.[0];
  if (example === undefined) return '…';
  return typeof example === 'string' ? example : flow(example);
}

const short = (text: string): string => (text.length <= 40 ? text : `${text.slice(0, 39)}…`);
const firstSentence = (text: string): string => /^[^.;]*(?:\.(?!\s|$)[^.;]*)*/.exec(text)?.[0].concat('.') ?? text;
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
