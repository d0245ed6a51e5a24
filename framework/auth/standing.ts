import { FerruleError } from '../core/errors.ts';
import type { ResolvedCall, ResolvedStep } from '../core/resolved.ts';
import { Secret } from '../core/secret.ts';
import { mapTree } from '../credentials/tree.ts';
import type { Credential } from '../credentials/types.ts';
import type { TokenAnswer } from './token-request.ts';

/** Whether a step's captures are missing or at their end. */
export function isDue(
  step: ResolvedStep,
  position: number,
  { captures, expires, fields }: Credential,
  { token, now }: { token: ResolvedCall | undefined; now: number },
): boolean {
  const capture = Object.entries((step.type === 'token' ? token?.capture : step.capture) ?? {});
  const needed = capture.flatMap(([name, { path }]) => (path.endsWith('?') ? [] : [name]));
  // What is made once for a credential may also be the person's: a client of their own.
  if (step.type === 'call' && step.once === true) return needed.some((name) => !(name in captures) && fields[name] === undefined);
  if (needed.some((name) => !(name in captures))) return true;
  const own = nameOf(step, position);
  return Object.entries(expires).some(([key, at]) => (key === `${own}.renew` || isFurther(key, own)) && at <= now);
}

/** What a step is called in expiries and errors. */
export const nameOf = (step: ResolvedStep, position: number): string =>
  step.type === 'token' ? 'token' : (step.name ?? `step ${position + 1}`);

/** The end of what a second renewal call brought (`token 2.renew`) is an end of the token too. */
const isFurther = (key: string, name: string): boolean => key.startsWith(`${name} `) && key.endsWith('.renew');

/** A credential with what the call of `step` has brought at `now`. `name`: whose end the answer tells. */
export function merged(credential: Credential, step: string, name: string, answer: TokenAnswer, now: number): Credential {
  const own = new Set([name, `${name}.renew`, `${step}.renew`]);
  const others = Object.fromEntries(Object.entries(credential.expires).filter(([key]) => !own.has(key) && !isFurther(key, name)));
  const { expires } = answer;
  return {
    ...credential,
    // An answer without a refresh token leaves the old one in force (RFC 6749, 6).
    captures: { ...credential.captures, ...answer.captures },
    expires: { ...others, ...(expires && { [name]: expires.ends, [`${name}.renew`]: expires.renew }) },
    obtained: { ...credential.obtained, [name]: now },
    ...(answer.scope !== undefined && { scope: answer.scope }),
  };
}

/** The same with the steps of these names due, whatever their ends: what they stand on was made anew. */
export const nowDue = (credential: Credential, names: readonly string[]): Credential =>
  names.length === 0
    ? credential
    : { ...credential, expires: { ...credential.expires, ...Object.fromEntries(names.map((name) => [`${name}.renew`, 0])) } };

/** A credential whose renewal has just succeeded. */
export function settled(credential: Credential): Credential {
  const { failing, ...rest } = credential;
  return credential.state === 'ready' && failing === undefined ? credential : { ...rest, state: 'ready' };
}

/** Whether two states of one credential hold the same captures: a write of something else (how a check ended) changes none. */
export function sameTokens(a: Credential, b: Credential): boolean {
  const shown = ({ captures }: Credential) =>
    JSON.stringify(mapTree(captures, (node) => (node instanceof Secret ? { value: { secret: node.reveal() } } : undefined)));
  return shown(a) === shown(b);
}

/** Only a person can go on; `cause` is the provider's refusal, where there was one. */
export function reconnect(name: string, cause: FerruleError | undefined): FerruleError {
  const why =
    cause === undefined
      ? 'there is no grant to renew it with'
      : `the provider has ended the grant: ${cause.provider ?? cause.providerCode ?? cause.message}`;
  return new FerruleError('reconnect_required', `Credential ${name === '' ? '' : `"${name}" `}must be connected again: ${why}`, {
    where: name,
    ...(cause?.status !== undefined && { status: cause.status }),
    ...(cause?.provider !== undefined && { provider: cause.provider }),
    ...(cause?.providerCode !== undefined && { providerCode: cause.providerCode }),
  });
}
