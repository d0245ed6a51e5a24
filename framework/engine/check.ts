import { ABSENT } from '../core/absent.ts';
import { FerruleError, isFerruleError } from '../core/errors.ts';
import { compileOrThrow, evaluateCondition } from '../core/expression/index.ts';
import { compilePath, readPath } from '../core/path.ts';
import { compileCall } from '../core/render.ts';
import type { Resolved, ResolvedCheck } from '../core/resolved.ts';
import { Secret } from '../core/secret.ts';
import type { Response } from '../core/value.ts';
import type { Session } from './session.ts';

/** The rungs, in order. Each is reached only when those before it hold. */
export const CHECK_STEPS = ['resolve', 'tls', 'answer', 'authenticate', 'permission', 'expect', 'scopes'] as const;
export type CheckStepName = (typeof CHECK_STEPS)[number];

export interface CheckStep {
  name: CheckStepName;
  ok: boolean;
  message: string;
  /** The field or choice to correct. */
  field?: string;
  /** The provider's own words. */
  provider?: string;
  next?: string;
}

export interface CheckReport {
  ok: boolean;
  connector: string;
  method: string;
  /** Who or what was reached. */
  account?: string;
  /** What was found, as far as it came. */
  steps: CheckStep[];
  /** Code and kind of the error that ended it. */
  code?: string;
  kind?: string;
}

const HOLDS: Record<CheckStepName, string> = {
  resolve: 'The host name resolves',
  tls: 'The connection is trusted',
  answer: 'The server answers',
  authenticate: 'The credential is accepted',
  permission: 'It may do what the check needs',
  expect: 'It leads where it should',
  scopes: 'All scopes were granted',
};

/** Climbs the ladder: name resolves → TLS → answers → authenticates → is permitted → right tenant. Never throws for what a provider or network does. */
export async function check(session: Session, signal?: AbortSignal): Promise<CheckReport> {
  const { resolved, tokens } = session;
  const report = { connector: resolved.name, method: resolved.method.name };
  const { check: call } = resolved;
  if (call === undefined) {
    throw new FerruleError('spec_invalid', `${resolved.name} has no check`, {
      where: 'check',
      next: 'Add a check to the spec: a cheap call that needs the credential.',
    });
  }
  const rungs = rungsOf(resolved, call);
  try {
    const vars = await session.apiVariables(signal);
    const request = compileCall(call, session.scopes.api).render(vars);
    // A person waits for it: once more is enough to tell a hiccup from an outage.
    const response = await session.send({ ...call, name: 'check' }, request, signal, { max_retries: 1 });
    const full = { ...vars, response };
    if (call.expect !== undefined && !evaluateCondition(compileOrThrow(call.expect, 'condition', 'data', session.scopes.response), full)) {
      return {
        ...report,
        ok: false,
        steps: ladder(rungs, 'expect', { message: call.otherwise ?? 'The answer is not what the check expects', ...firstChoice(resolved) }),
        code: 'forbidden',
        kind: 'permission',
      };
    }
    const account = accountOf(call, response, session, full);
    const missing = tokens.missingScopes;
    if (missing.length > 0) {
      const message = `The provider did not grant: ${missing.join(', ')}`;
      return {
        ...report,
        ok: false,
        ...(account && { account }),
        steps: ladder(rungs, 'scopes', { message, next: 'Connect again and grant all scopes.' }),
        code: 'scope_missing',
        kind: 'permission',
      };
    }
    return {
      ...report,
      ok: true,
      ...(account && { account }),
      steps: rungs.map((name) => ({ name, ok: true, message: HOLDS[name] })),
    };
  } catch (error) {
    if (!isFerruleError(error) || ['aborted', 'closed', 'internal'].includes(error.code)) throw error;
    const name = rungOf(error);
    const field = fieldOf(error, name, resolved);
    const failure = {
      message: error.message,
      next: error.next,
      ...(field && { field }),
      ...(error.provider !== undefined && { provider: error.provider }),
    };
    const steps = unsent(error, name) ? [{ name, ok: false, ...failure }] : ladder(rungs, name, failure);
    return { ...report, ok: false, steps, code: error.code, kind: error.kind };
  }
}

/** What this check can tell: nothing is said of expectations and scopes where there are none. */
const rungsOf = ({ method }: Resolved, { expect }: ResolvedCheck): CheckStepName[] =>
  CHECK_STEPS.filter((name) => (name !== 'expect' || expect !== undefined) && (name !== 'scopes' || [method.scopes].flat().length > 0));

function ladder(rungs: readonly CheckStepName[], failed: CheckStepName, failure: Omit<CheckStep, 'name' | 'ok'>): CheckStep[] {
  const reached = rungs.slice(0, rungs.indexOf(failed));
  return [...reached.map((name) => ({ name, ok: true, message: HOLDS[name] })), { name: failed, ok: false, ...failure }];
}

/** Whether it failed before anything was sent: then nothing is known of the rungs below. */
const unsent = (error: FerruleError, rung: CheckStepName): boolean => rung === 'authenticate' && error.status === undefined;

function rungOf(error: FerruleError): CheckStepName {
  if (error.code === 'name_not_resolved' || error.code === 'address_refused') return 'resolve';
  if (error.code === 'tls_failed') return 'tls';
  if (error.kind === 'auth') return 'authenticate';
  if (error.kind === 'permission') return 'permission';
  if (error.code === 'input_missing') return 'authenticate';
  return error.status !== undefined && error.status < 500 && error.kind === 'request' ? 'permission' : 'answer';
}

/** The field that a failure on this rung points to: the host that was typed, or what the credential is made of. */
function fieldOf(error: FerruleError, rung: CheckStepName, resolved: Resolved): string | undefined {
  const named = /^fields\.(\w+)$/.exec(error.where ?? '')?.[1];
  if (named !== undefined) return named;
  const hosts = resolved.fields.filter(
    (field) => ['url', 'host', 'subdomain'].includes(field.type) && resolved.http.base_url.includes(`fields.${field.name}`),
  );
  if (rung === 'resolve' || rung === 'tls' || rung === 'answer') return hosts[0]?.name ?? firstChoice(resolved).field;
  // No field is wrong: the grant has ended.
  if (error.code === 'reconnect_required') return undefined;
  if (rung !== 'authenticate') return error.status === 404 ? hosts[0]?.name : undefined;
  const own = resolved.fields.filter((field) => field.of === 'method' && field.value === undefined);
  return own.map((field) => field.name).join(', ') || undefined;
}

/** A choice such as the region decides the host. */
function firstChoice(resolved: Resolved): { field?: string } {
  const choice = Object.keys(resolved.choices).find((name) => resolved.http.base_url.includes(`\${${name}.`));
  return choice === undefined ? {} : { field: choice };
}

function accountOf(call: ResolvedCheck, response: Response, session: Session, vars: Record<string, unknown>): string | undefined {
  if (call.account === undefined) return undefined;
  const value = call.account.includes('${')
    ? compileOrThrow(call.account, 'computed_path', 'label', session.scopes.response).evaluate(vars)
    : readPath(compilePath(call.account), response.body);
  if (value === undefined || value === null || value === ABSENT || value instanceof Secret || typeof value === 'object') return undefined;
  // An API may tell the key itself where the spec expects a name.
  return session.redactor.redact(String(value));
}
