import { FerruleError } from '../core/errors.ts';
import { reveal, Secret } from '../core/secret.ts';
import type { SpecDocument } from '../core/spec-types.gen.ts';
import type { Json, JsonObject } from '../core/value.ts';
import type { Credential, FieldValue } from '../credentials/types.ts';
import type { Inputs } from '../engine/connect.ts';
import { resolveFields } from '../spec/resolve.ts';
import { isObject } from './state-entries.ts';

const TOKENS = ['access_token', 'refresh_token', 'expires_at'] as const;

/**
 * A config as `airbyteSpec` describes it: choices and the connection's fields by name, and under `credentials` the method, its fields and the
 * tokens that a consent brought. Singer's tools like flat settings better: what stands under `credentials` may also stand beside it.
 * @throws FerruleError input_malformed; names that the spec does not have are found when the connection is made
 */
export function readConfig(spec: SpecDocument, config: unknown): Inputs {
  if (!isObject(config)) throw malformed('config', 'is no JSON object');
  const { credentials = {}, ...beside } = config;
  if (!isObject(credentials)) throw malformed('credentials', 'is no JSON object');
  const given = Object.entries({ ...beside, ...credentials }).filter(([, value]) => value !== null && value !== '');
  const values = Object.fromEntries(given.map(([name, value]) => [name, plain(name, value)]));
  const { method: named, ...rest } = values;
  const choices = Object.fromEntries(Object.entries(rest).filter(([name]) => Object.hasOwn(spec.choices ?? {}, name)));
  const others = Object.entries(rest).filter(([name]) => !Object.hasOwn(choices, name));
  const method =
    named === undefined
      ? methodWith(
          spec,
          others.map(([name]) => name),
        )
      : String(named);
  const own = new Set(Object.hasOwn(spec.auth, method) ? resolveFields(spec, method).map(({ name }) => name) : []);
  const isToken = (name: string): boolean => !own.has(name) && (TOKENS as readonly string[]).includes(name);
  return {
    method,
    choices: Object.fromEntries(Object.entries(choices).map(([name, option]) => [name, String(option)])),
    fields: Object.fromEntries(others.filter(([name]) => !isToken(name))),
    tokens: tokensOf(Object.fromEntries(others.filter(([name]) => isToken(name)))),
  };
}

function tokensOf({ access_token, refresh_token, expires_at }: Record<string, FieldValue>): NonNullable<Inputs['tokens']> {
  return {
    ...(access_token !== undefined && { access_token: new Secret(String(access_token)) }),
    ...(refresh_token !== undefined && { refresh_token: new Secret(String(refresh_token)) }),
    ...(expires_at !== undefined && { expires_at: Number(expires_at) }),
  };
}

function plain(name: string, value: Json): FieldValue {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value as string[];
  if (typeof value === 'object') throw malformed(name, 'is neither a text, a number, true or false, nor a list of texts');
  return value;
}

/** The first method that has all that is given; else the first. */
function methodWith(spec: SpecDocument, given: readonly string[]): string {
  const methods = Object.keys(spec.auth);
  const fits = (method: string): boolean => {
    const names = new Set([...resolveFields(spec, method).map(({ name }) => name), ...TOKENS]);
    return given.every((name) => names.has(name));
  };
  return methods.find(fits) ?? methods[0] ?? '';
}

const malformed = (where: string, problem: string): FerruleError =>
  new FerruleError('input_malformed', `${where} in the configuration ${problem}`, { where });

/**
 * The config with the tokens that a provider gave in place of its own, for whoever keeps it; undefined when the refresh token is still the one that it
 * has. An access token alone is no reason: it is asked for anew when it is needed.
 */
export function rotatedConfig(config: JsonObject, { captures, expires }: Pick<Credential, 'captures' | 'expires'>): JsonObject | undefined {
  const { refresh_token, access_token } = captures;
  const nested = isObject(config.credentials) ? config.credentials : undefined;
  const holder = nested ?? config;
  const token = textOf(refresh_token);
  if (token === undefined || token === holder.refresh_token) return undefined;
  const access = holder.access_token === undefined ? undefined : textOf(access_token);
  const { access_token: _old, expires_at: _end, ...rest } = holder;
  const changed: JsonObject = {
    ...rest,
    refresh_token: token,
    ...(access !== undefined && { access_token: access }),
    ...(access !== undefined && expires.token !== undefined && { expires_at: expires.token }),
  };
  return nested === undefined ? changed : { ...config, credentials: changed };
}

const textOf = (value: unknown): string | undefined => (value instanceof Secret || typeof value === 'string' ? reveal(value) : undefined);
