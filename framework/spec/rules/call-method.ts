import type { SpecDocument, Stream } from '../../core/spec-types.gen.ts';
import { isMap } from '../merge.ts';
import type { SpecPath, SpecTree } from '../tree.ts';
import { inherited, inheritedMap, isWhole, ownPlace, saidAt } from './inherited.ts';
import type { Report, Rule } from './rule.ts';

export const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

export const rule: Rule = {
  name: 'call-method',
  severity: 'error',
  summary: 'A call with no method, or with two.',
  why: 'A call is one request: exactly one of get, post, put, patch and delete says which.',
  bad: 'check: { get: /me, post: /me }',
  good: 'check: { get: /me }',
  check: ({ spec, tree, partial }, report) => {
    const streams = spec.streams ?? {};
    const told = new Set<string>();
    const oncePerPlace: Report = (path, message, place) => {
      if (!told.has(path.join('\n'))) report(path, message, place);
      told.add(path.join('\n'));
    };
    for (const name of Object.keys(streams)) {
      const count = methodsOf(streams[name]);
      const mayLack = partial || !isWhole(spec, name);
      if (count > 1 || (count === 0 && !mayLack && !inherits(spec, name) && inherited(spec, name, 'job') === undefined))
        one(tree, report, ['streams', name], () => false, '; or a `job` that is created and polled');
      jobCalls(spec, name, mayLack, oncePerPlace);
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

const JOB_CALLS = ['create', 'poll', 'download', 'cancel', 'clean_up'] as const;

/** A job's calls merge key by key, so that a template's `post` stays beside a stream's `get`. */
function jobCalls(spec: SpecDocument, stream: string, mayLack: boolean, report: Report): void {
  const job = inheritedMap(spec, stream, 'job');
  for (const name of job === undefined ? [] : JOB_CALLS) {
    const call = job?.[name];
    if (!isMap(call)) continue;
    const [first, second] = METHODS.filter((method) => typeof call[method] === 'string');
    const at = ['job', name];
    if (second !== undefined)
      report(saidAt(spec, stream, [...at, second]) ?? ownPlace(spec, stream, at), `\`job.${name}\` has \`${first}\` and \`${second}\`.`, {
        part: 'key',
        hint: 'A call has one method: leave one of them out.',
      });
    else if (first === undefined && !mayLack)
      report(ownPlace(spec, stream, at), `\`job.${name}\` of \`${stream}\` has no method.`, {
        part: 'key',
        hint: 'Write `get: /path` or another of post, put, patch, delete.',
      });
  }
}

function one(tree: SpecTree, report: Report, path: SpecPath, mayLack: () => boolean, or = ''): void {
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
      hint: `Write \`get: /path\` or another of post, put, patch, delete${or}.`,
    });
  }
}
