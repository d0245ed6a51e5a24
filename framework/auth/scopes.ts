import { FerruleError } from '../core/errors.ts';
import type { Vars } from '../core/expression/index.ts';
import { compileValue } from '../core/render.ts';
import type { Resolved } from '../core/resolved.ts';
import type { Scopes } from '../core/scope.ts';

/** The OAuth scopes that are asked for (RFC 6749, 3.3): the spec's list with its expressions worked out. */
export function askedScopes(resolved: Resolved, scopes: Scopes, vars: Vars): string[] {
  const { method } = resolved;
  const value = compileValue(method.scopes, 'plain', scopes.connection)(vars);
  const list = Array.isArray(value) ? value : [value];
  return list.flatMap((item) => {
    if (typeof item === 'string') return item.split(/\s+/).filter((word) => word !== '');
    throw new FerruleError('input_malformed', 'A scope is text', { where: `auth.${method.name}.scopes` });
  });
}
