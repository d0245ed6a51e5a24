import type { SpecDocument } from '../../core/spec-types.gen.ts';
import type { SpecNode, SpecPath } from '../tree.ts';
import { encodeOf } from './context.ts';
import type { Report, Rule } from './rule.ts';

export const rule: Rule = {
  name: 'body-shape',
  severity: 'error',
  summary: 'A body that its `encode` cannot hold.',
  why: 'A form is a map of texts, a text is one text, and a GraphQL body has query, variables and operation: anything else fails when it is sent.',
  bad: 'encode: form\nbody: { filter: { state: open } }',
  good: 'encode: form\nbody: { state: open, tag: [a, b] }',
  check: ({ holders, leaves, spec }, report) => {
    for (const places of [holders, leaves]) {
      for (const place of places) {
        if (place.key !== 'body' || place.shape.place !== 'body') continue;
        const { node, path } = place;
        // A key `body` within a body, and what `send` adds to one, are neither.
        if (path.indexOf('body') === path.length - 1 && path.at(-2) !== 'send') look(node, path, encoding(path.slice(0, -1), spec), report);
      }
    }
  },
};

/** Token requests are forms unless they say otherwise (RFC 6749, 4.1.3). */
function encoding(call: SpecPath, spec: SpecDocument): string {
  const token = call[0] === 'auth' && (call[2] === 'token' || call[2] === 'refresh');
  return encodeOf(call, spec) ?? (token ? 'form' : 'json');
}

const GRAPHQL = ['query', 'variables', 'operation'];

function look(node: SpecNode, path: SpecPath, encode: string, report: Report): void {
  const whole = node.kind === 'scalar' && typeof node.value === 'string' && node.value.startsWith('${');
  if (whole || encode === 'json') return;
  if (encode === 'text' || encode === 'xml') {
    if (node.kind !== 'scalar')
      report(path, `\`encode: ${encode}\` sends one text.`, { part: 'key', hint: "Write the text itself: `body: 'a;b'`." });
    return;
  }
  if (node.kind !== 'map') {
    if (node.kind === 'list' || node.value !== null)
      report(path, `\`encode: ${encode}\` sends a map.`, { part: 'key', hint: 'Write `body: { key: value }`.' });
    return;
  }
  for (const [key, { value }] of node.entries) {
    const removes = value.kind === 'scalar' && value.value === null;
    if (encode === 'graphql' && !GRAPHQL.includes(key) && !removes)
      report([...path, key], `A GraphQL body has no \`${key}\`.`, {
        part: 'key',
        hint: `Keys: ${GRAPHQL.join(', ')}. Values of the query stand under \`variables\`.`,
      });
    if (encode !== 'graphql' && (value.kind === 'map' || (value.kind === 'list' && value.items.some(({ kind }) => kind !== 'scalar'))))
      report([...path, key], `\`encode: ${encode}\` holds no map within the body.`, {
        part: 'key',
        hint: `Write its keys out as the provider names them, such as \`'${key}[state]'\`.`,
      });
  }
}
