import { isFerruleError } from '../core/errors.ts';
import type { Resolved } from '../core/resolved.ts';
import type { SpecDocument } from '../core/spec-types.gen.ts';
import type { Credential } from '../credentials/types.ts';
import { hostsUnder } from '../spec/hosts.ts';
import { resolve } from '../spec/resolve.ts';
import type { CheckReport } from './check.ts';
import type { ConnectionOptions } from './options.ts';
import { openSession, prepare, type Session } from './session.ts';

/** An option of a choice, such as the region, under which the credential would go to another host. */
export interface OtherOption {
  choice: string;
  option: string;
  resolved: Resolved;
}

/** How a credential fared under another option. */
export interface Tried {
  choice: string;
  option: string;
  ok: boolean;
  /** What stood in the way. */
  message?: string;
  /** Of the error that ended it. */
  code?: string;
}

/** The other options of the choices that decide the API's host, one choice changed at a time. */
export function otherOptions(spec: SpecDocument, resolved: Resolved): OtherOption[] {
  const chosen = Object.fromEntries(Object.entries(resolved.choices).map(([choice, { id = '' }]) => [choice, id]));
  const api = (one: Resolved): string => JSON.stringify(hostsUnder(one).find(({ use }) => use === 'api'));
  return Object.entries(spec.choices ?? {}).flatMap(([choice, { options }]) =>
    Object.keys(options).flatMap((option): OtherOption[] => {
      if (option === chosen[choice]) return [];
      const other = resolve(spec, { method: resolved.method.name, choices: { ...chosen, [choice]: option } });
      return api(other) === api(resolved) ? [] : [{ choice, option, resolved: other }];
    }),
  );
}

/** Checks the credential under each other option whose hosts the spec itself names. Nothing is stored. */
export async function tryOthers(
  others: readonly OtherOption[],
  session: Session,
  options: ConnectionOptions,
  check: (session: Session) => Promise<CheckReport>,
): Promise<Tried[]> {
  const tried: Tried[] = [];
  for (const { choice, option, resolved } of others) {
    if (!named(resolved, session.resolved)) {
      tried.push({ choice, option, ok: false, message: 'Not tried: the spec does not name its host', code: 'host_refused' });
      continue;
    }
    const { ok, code, message } = await checkUnder(resolved, session, options, check);
    tried.push({ choice, option, ok, ...(message !== undefined && { message }), ...(code !== undefined && { code }) });
  }
  return tried;
}

/** Whether each host is written in the spec, lies under a domain that is, or has the credential already. */
function named(other: Resolved, now: Resolved): boolean {
  const known = new Set(hostsUnder(now).flatMap(({ hosts }) => hosts));
  const written = (host: string): boolean => !host.includes('\u2039') || /^\u2039[^\u203a]*\u203a(\.[\w-]+){2,}(:\d+)?$/.test(host);
  return hostsUnder(other).every(({ hosts }) => hosts.every((host) => known.has(host) || written(host)));
}

async function checkUnder(
  resolved: Resolved,
  { tokens, resolved: now }: Session,
  options: ConnectionOptions,
  check: (session: Session) => Promise<CheckReport>,
): Promise<{ ok: boolean; code?: string | undefined; message?: string | undefined }> {
  const { store: _store, onEvent: _onEvent, ...rest } = options;
  const ready = prepare(resolved, under(resolved, tokens.credential, now), { ...rest, oauth: { ...rest.oauth, ...stillPersonal(now) } });
  try {
    const session = await openSession(ready, rest);
    try {
      const { ok, code, steps } = await check(session);
      return { ok, code, message: ok ? undefined : steps.at(-1)?.message };
    } finally {
      await session.close();
    }
  } catch (error) {
    await ready.closeExchange();
    if (!isFerruleError(error) || error.code === 'aborted') throw error;
    return { ok: false, code: error.code, message: error.message };
  }
}

const personal = ({ method }: Resolved): boolean => method.authorize !== undefined || method.device !== undefined;

/** A refresh token that rotates would be lost: what a person consented to is used as it is. */
const stillPersonal = (now: Resolved): ConnectionOptions['oauth'] => (personal(now) ? { obtain: false, refresh: false } : {});

/** A machine asks for a token of its own there. */
function under({ choices }: Resolved, credential: Credential, now: Resolved): Credential {
  const { scope: _granted, state: _state, failing: _failing, ...rest } = credential;
  const ids = Object.fromEntries(Object.entries(choices).map(([choice, { id = '' }]) => [choice, id]));
  return { ...rest, version: 0, choices: ids, ...(!personal(now) && { captures: {}, expires: {} }) };
}
