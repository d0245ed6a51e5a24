import { ABSENT } from '../core/absent.ts';
import { FerruleError, isFerruleError } from '../core/errors.ts';
import { compileOrThrow, evaluateCondition } from '../core/expression/index.ts';
import { compilePath, readPath } from '../core/path.ts';
import { compileCall } from '../core/render.ts';
import type { Resolved, ResolvedCheck } from '../core/resolved.ts';
import { Secret } from '../core/secret.ts';
import type { SpecDocument } from '../core/spec-types.gen.ts';
import type { Response } from '../core/value.ts';
import type { ConnectionOptions } from './options.ts';
import { otherOptions, type Tried, tryOthers } from './other-choices.ts';
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
  /** Scopes that the credential lacks for it. */
  scopes?: string[];
  /** The option that may be the wrong one, and what else there is. */
  choice?: { name: string; option: string; others: string[] };
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
  /** How it fared under the other options of its choices, where that was asked for. */
  tried?: Tried[];
}

export interface CheckOptions {
  signal?: AbortSignal | undefined;
  /**
   * Where it fails in a way that another region would explain: sends the credential to the hosts that the spec names for the other
   * options, and tells under which it works. Without it no credential leaves for a host that was not chosen.
   */
  allChoices?: boolean;
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

/** Climbs the ladder, and where it breaks says whether key, region or scope is at fault. Never throws for what a provider or network does. */
export async function check(
  spec: SpecDocument,
  session: Session,
  options: ConnectionOptions,
  { signal, allChoices = false }: CheckOptions = {},
): Promise<CheckReport> {
  session.tokens.watched = true;
  const report = await climb(session, signal).finally(() => {
    session.tokens.watched = false;
  });
  const last = report.steps.at(-1);
  if (report.ok || last === undefined || !ELSEWHERE.has(last.name) || last.scopes !== undefined) return report;
  // A grant that has ended has ended everywhere.
  if (report.code === 'reconnect_required') return report;
  const others = otherOptions(spec, session.resolved);
  const [first] = others;
  if (first === undefined) return report;
  const name = first.choice;
  const choice = {
    name,
    option: session.resolved.choices[name]?.id ?? '',
    others: others.filter((other) => other.choice === name).map(({ option }) => option),
  };
  const field = last.name === 'authenticate' ? last.field : (last.field ?? name);
  const step: CheckStep = { ...last, ...(field !== undefined && { field }), choice };
  const tried = allChoices ? await tryOthers(others, session, options, (other) => climb(other, signal)) : undefined;
  const works = tried?.find(({ ok }) => ok);
  if (works !== undefined) {
    step.field = works.choice;
    step.next = `The credential works with ${works.choice}=${works.option}: connect again with that.`;
  }
  return { ...report, steps: [...report.steps.slice(0, -1), step], ...(tried && { tried }) };
}

/** Where a credential of another region ends. */
const ELSEWHERE: ReadonlySet<CheckStepName> = new Set(['authenticate', 'permission', 'expect']);

/** name resolves → TLS → answers → authenticates → is permitted → right tenant. */
async function climb(session: Session, signal: AbortSignal | undefined): Promise<CheckReport> {
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
    const compiled = compileCall(call, session.scopes.api);
    const redraft = async () => compiled.render(await session.apiVariables(signal));
    // A person waits for it: once more is enough to tell a hiccup from an outage.
    const options = { signal, retry: { max_retries: 1 }, redraft };
    const response = await session.send({ ...call, name: 'check' }, compiled.render(vars), options);
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
    const lacking = name === 'permission' ? lackingScopes(error, session) : [];
    if (lacking.length > 0) {
      const failure = scopeFailure(lacking, error, session);
      return { ...report, ok: false, steps: ladder(rungs, name, failure), code: 'scope_missing', kind: 'permission' };
    }
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

/** Scopes that a refusal is about: those that the provider names, else those that were asked for and not granted. */
function lackingScopes({ status, scopes }: FerruleError, { tokens }: Session): string[] {
  if (scopes === undefined) return status === 403 ? tokens.missingScopes : [];
  const granted = new Set((tokens.credential.scope ?? '').split(/[\s,]+/));
  const lacking = scopes.filter((scope) => !granted.has(scope));
  if (scopes.length > 0) return lacking.length > 0 ? lacking : [...scopes];
  return tokens.missingScopes;
}

function scopeFailure(lacking: readonly string[], error: FerruleError, { tokens, resolved }: Session): Omit<CheckStep, 'name' | 'ok'> {
  const asked = new Set(tokens.askedScopes);
  const unasked = lacking.filter((scope) => !asked.has(scope));
  const { authorize, device, name } = resolved.method;
  const grant = authorize || device ? 'Connect again and grant it.' : 'Grant it to the client at the provider.';
  return {
    message: `The credential is valid, but lacks ${lacking.length === 1 ? 'the scope' : 'the scopes'} ${lacking.join(', ')}`,
    ...(error.provider !== undefined && { provider: error.provider }),
    next: unasked.length > 0 ? `auth.${name}.scopes in the spec does not ask for ${unasked.join(', ')}.` : grant,
    scopes: [...lacking],
  };
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
