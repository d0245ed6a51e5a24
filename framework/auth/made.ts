import type { Random } from '../core/clock.ts';
import { parseDuration } from '../core/duration.ts';
import type { Scope, Vars } from '../core/expression/index.ts';
import { compileText, compileValue } from '../core/render.ts';
import type { ResolvedMade } from '../core/resolved.ts';
import { reveal, Secret, type Text } from '../core/secret.ts';
import type { JsonObject, Value } from '../core/value.ts';
import { signJwt } from './jwt.ts';

import { samlAssertion } from './saml-assertion.ts';

export interface MakeContext {
  scope: Scope;
  vars: Vars;
  /** Milliseconds since the epoch. */
  now: number;
  random: Random;
}

export interface Made {
  value: Secret;
  /** Milliseconds since the epoch. */
  ends: number;
}

/** How each kind of token that needs no request is made from its settings, which are texts of the spec. */
const MAKERS: Readonly<Record<ResolvedMade['make'], (settings: Settings, context: MakeContext) => Made>> = { jwt: makeJwt, saml: makeSaml };

type Settings = Readonly<Record<string, unknown>>;

/** Signs what a step says. @throws FerruleError input_malformed naming the key's place, where a key or a claim does not fit */
export const make = ({ make: kind, settings }: ResolvedMade, context: MakeContext): Made => MAKERS[kind](settings, context);

const LIFETIME = '5m';

/** RFC 7519, 4.1: iat, exp and jti are put in; what the spec says stands above them, and null leaves one out. */
export function makeJwt(settings: Settings, context: MakeContext): Made {
  const { now, random } = context;
  const ends = now + lifetimeOf(settings);
  const issued = Math.floor(now / 1000);
  const claims = { iat: issued, exp: issued + Math.round((ends - now) / 1000), jti: random.uuid(), ...opened(settings.claims, context) };
  const passphrase = text(settings.passphrase, 'plain', context);
  const token = signJwt({
    alg: String(settings.alg),
    key: text(settings.key, 'key', context) ?? '',
    ...(passphrase !== undefined && { passphrase }),
    header: opened(settings.header, context),
    claims: Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== null)),
  });
  return { value: new Secret(token), ends };
}

function makeSaml(settings: Settings, context: MakeContext): Made {
  const { now, random } = context;
  const one = (name: string) => text(settings[name], name === 'key' ? 'key' : 'plain', context);
  const optional = {
    ...{ nameIdFormat: one('name_id_format'), certificate: one('certificate'), passphrase: one('passphrase') },
    ...{ authnContext: one('authn_context'), encoding: one('encoding') as 'base64' | undefined },
  };
  const lifetime = lifetimeOf(settings);
  const assertion = samlAssertion({
    issuer: one('issuer') ?? '',
    subject: one('subject') ?? '',
    audience: one('audience') ?? '',
    recipient: one('recipient') ?? '',
    key: one('key') ?? '',
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
    ...(settings.attributes !== undefined && { attributes: opened(settings.attributes, context) as Record<string, string> }),
    lifetimeSeconds: Math.round(lifetime / 1000),
    now,
    uuid: random.uuid(),
  });
  return { value: new Secret(assertion), ends: now + lifetime };
}

const lifetimeOf = (settings: Settings): number => parseDuration(String(settings.lifetime ?? LIFETIME)) ?? 0;

function text(written: unknown, place: 'plain' | 'key', { scope, vars }: MakeContext): string | undefined {
  if (typeof written !== 'string') return undefined;
  const made = compileText(written, place, scope)(vars);
  return typeof made === 'string' || made instanceof Secret ? reveal(made as Text) : undefined;
}

/** A map of values with its secrets opened: they are sealed again in the token. */
function opened(written: unknown, { scope, vars }: MakeContext): JsonObject {
  return written === undefined ? {} : (plain(compileValue(written, 'body', scope)(vars) as Value) as JsonObject);
}

function plain(value: Value): JsonObject[string] {
  if (value instanceof Secret) return value.reveal();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}
