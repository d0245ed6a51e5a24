import { compileOrThrow, evaluateCondition, type Scope, type Vars } from '../core/expression/index.ts';
import { compilePath, readPath } from '../core/path.ts';
import type { ResolvedCall } from '../core/resolved.ts';
import type { Errors, ErrorRule as SpecRule } from '../core/spec-types.gen.ts';
import type { ErrorRule, ErrorRules, Read } from '../http/types.ts';

/** Where the layers of an API call's errors are written: http's, and the call's own under whatever it is called. */
const PLACES = ['http.errors', 'call.errors'];

/** Compiles a spec's `errors` for the client; a call's own words lie over http's, its rules stand before them; null takes http's away. */
export function compileErrors(
  layers: readonly (Errors | undefined)[],
  scope: Scope,
  vars: Vars,
  extra: readonly ErrorRule[] = [],
): ErrorRules {
  const own = layers.flatMap((layer, index) => (layer === undefined ? [] : [{ ...layer, at: PLACES[index] }]));
  const message = own.findLast((layer) => layer.message !== undefined)?.message;
  const code = own.findLast((layer) => layer.code !== undefined)?.code;
  const cleared = own.findLastIndex((layer) => layer.rules === null);
  const rules = own
    .slice(cleared + 1)
    .toReversed()
    .flatMap((layer) =>
      (layer.rules ?? []).map((rule, index) => ({ ...compileRule(rule, scope, vars), at: `${layer.at}.rules.${index}` })),
    );
  return { ...(message && { message: reader(message) }), ...(code && { code: reader(code) }), rules: [...rules, ...extra] };
}

function compileRule(rule: SpecRule, scope: Scope, vars: Vars): ErrorRule {
  const condition = rule.when === undefined ? undefined : compileOrThrow(rule.when, 'condition', 'data', scope);
  return {
    ...(rule.status && { status: rule.status }),
    ...(condition && { when: (response) => evaluateCondition(condition, { ...vars, response }) }),
    ...(rule.kind && { kind: rule.kind }),
    ...(rule.then && { then: rule.then }),
    ...(rule.message && { message: reader(rule.message) }),
    ...(rule.hint && { hint: rule.hint }),
  };
}

const reader = (text: string): Read => {
  const path = compilePath(text);
  return (response) => readPath(path, response.body);
};

/** GraphQL reports failures in `errors` with status 200 (GraphQL over HTTP, 6.4); a non-empty list fails unless the spec's own rules say otherwise. */
const GRAPHQL: ErrorRule = {
  status: [200],
  kind: 'request',
  when: ({ body }) =>
    typeof body === 'object' && body !== null && !Array.isArray(body) && Array.isArray(body.errors) && body.errors.length > 0,
  message: reader('errors.*.message'),
};

export const rulesFor = (call: ResolvedCall): readonly ErrorRule[] => (call.encode === 'graphql' ? [GRAPHQL] : []);
