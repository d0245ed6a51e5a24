import type { SpecDocument, Stream } from '../../core/spec-types.gen.ts';
import type { SpecPath, SpecTree } from '../tree.ts';
import { inherited, isWhole } from './inherited.ts';
import type { Report, Rule } from './rule.ts';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

export const rule: Rule = {
  name: 'call-method',
  severity: 'error',
  summary: 'A call with no method, or with two.',
  why: 'A call is one request: exactly one of get, post, put, patch and delete says which.',
  bad: 'check: { get: /me, post: /me }',
  good: 'check: { get: /me }',
  check: ({ spec, tree, partial }, report) => {
    const streams = spec.streams ?? {};
    for (const name of Object.keys(streams)) {
      const count = methodsOf(streams[name]);
      if (count > 1 || (count === 0 && !partial && isWhole(spec, name) && !inherits(spec, name)))
        one(tree, report, ['streams', name], () => false);
    }
    for (const part of ['templates', 'defaults'] as const) {
      const paths = part === 'defaults' ? [['defaults']] : Object.keys(spec.templates ?? {}).map((name) => ['templates', name]);
      for (const path of paths) one(tree, report, path, () => true);
    }
    if (spec.check !== undefined) one(tree, report, ['check'], () => partial);
    for (const [name, field] of Object.entries(spec.fields ?? {})) {
      if (field.options !== undefined) one(tree, report, ['fields', name, 'options'], () => partial || field.options?.list !== undefined);
    }
    for (const [method, { steps = [], fields }] of Object.entries(spec.auth)) {
      for (const [at, step] of steps.entries()) if (step.type === 'call') one(tree, report, ['auth', method, 'steps', at], () => partial);
      for (const [name, field] of Object.entries(fields ?? {})) {
        if (field?.options !== undefined)
          one(tree, report, ['auth', method, 'fields', name, 'options'], () => partial || field.options?.list !== undefined);
      }
    }
  },
};

const inherits = (spec: SpecDocument, stream: string): boolean => METHODS.some((method) => inherited(spec, stream, method) !== undefined);

function methodsOf(call: Stream | undefined): number {
  let count = 0;
  for (const method of METHODS) if (typeof call?.[method] === 'string') count++;
  return count;
}

function one(tree: SpecTree, report: Report, path: SpecPath, mayLack: () => boolean): void {
  const node = tree.node(path);
  if (node?.kind !== 'map') return;
  const found: string[] = [];
  for (const method of METHODS) {
    const value = node.entries.get(method)?.value;
    if (value !== undefined && !(value.kind === 'scalar' && value.value === null)) found.push(method);
  }
  const [first, second] = found;
  if (second !== undefined)
    report([...path, second], `A call has one method; here are \`${found.join('`, `')}\`.`, {
      part: 'key',
      hint: `Keep \`${first}\` or \`${second}\`.`,
    });
  else if (first === undefined && !mayLack()) {
    report(path, `\`${path.join('.')}\` has no method.`, {
      part: 'key',
      hint: 'Write `get: /path` or another of post, put, patch, delete.',
    });
  }
}
