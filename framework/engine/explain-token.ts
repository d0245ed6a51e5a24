import { jwtTime } from '../auth/jwt.ts';
import { nameOf } from '../auth/standing.ts';
import { reveal, Secret } from '../core/secret.ts';
import { capturedBy } from './explain-parts.ts';
import type { ConnectionOptions } from './options.ts';
import type { Session } from './session.ts';

/** How what the auth method captured stands. Times as ISO 8601. */
export interface ExplainedToken {
  captures: { name: string; from: string; there: boolean }[];
  steps: ExplainedStep[];
  /** Calls that would be sent before this request: their captures are missing or at their end. */
  due: string[];
  /** When the access token was issued by its own `iat`, where it is a JWT. */
  issued?: string;
  scopes?: { asked: string[]; granted?: string[]; missing: string[] };
  /** The grant has ended: only a person can give a new one. */
  reconnect?: true;
  /** Asking for a new one is switched off (InitiateOAuth). */
  fixed?: true;
}

/** A step, and how long what it brought holds. */
export interface ExplainedStep {
  name: string;
  obtained?: string;
  /** Seconds since then. */
  age?: number;
  ends?: string;
  /** Seconds from now; negative: ended. */
  in?: number;
  renews?: string;
}

/** Undefined where a method captures nothing. */
export function explainToken({ resolved, tokens, clock }: Session, oauth: ConnectionOptions['oauth'] = {}): ExplainedToken | undefined {
  const { method } = resolved;
  const { credential } = tokens;
  const names = new Set([...wanted(method), ...Object.keys(credential.captures)]);
  if (names.size === 0) return undefined;
  const now = clock.now();
  const issuedAt = issued(credential.captures.access_token);
  const asked = tokens.askedScopes;
  const granted = credential.scope?.split(/[\s,]+/).filter((scope) => scope !== '');
  return {
    captures: [...names].map((name) => ({
      name,
      from: capturedBy(name, resolved),
      there: credential.captures[name] !== undefined && credential.captures[name] !== null,
    })),
    steps: method.steps.map((step, position) => {
      const expiry = (step.type === 'token' ? method.token : step.type === 'call' ? step : undefined)?.expires;
      const key = expiry?.of ?? nameOf(step, position);
      const { [key]: ends, [`${key}.renew`]: renews } = credential.expires;
      const got = credential.obtained?.[key];
      return {
        name: nameOf(step, position),
        ...(got !== undefined && { obtained: iso(got), age: Math.round((now - got) / 1000) }),
        ...(ends !== undefined && { ends: iso(ends), in: Math.round((ends - now) / 1000) }),
        ...(renews !== undefined && { renews: iso(renews) }),
      };
    }),
    due: tokens.dueSteps,
    ...(issuedAt !== undefined && { issued: iso(issuedAt) }),
    ...(asked.length > 0 && { scopes: { asked, ...(granted && { granted }), missing: tokens.missingScopes } }),
    ...(credential.state === 'reconnect' && { reconnect: true as const }),
    ...(oauth.refresh === false && { fixed: true as const }),
  };
}

const iso = (time: number): string => new Date(time).toISOString();

function wanted({ steps, token, authorize }: Session['resolved']['method']): string[] {
  const required = [authorize?.capture, ...steps.map((step) => (step.type === 'token' ? token?.capture : step.capture))];
  return required.flatMap((capture) => Object.entries(capture ?? {}).flatMap(([name, { path }]) => (path.endsWith('?') ? [] : [name])));
}

/** Nothing is verified: it only says how old the token is. */
const issued = (token: unknown): number | undefined =>
  typeof token === 'string' || token instanceof Secret ? jwtTime(reveal(token), 'iat') : undefined;
