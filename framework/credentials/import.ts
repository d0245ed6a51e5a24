import type { Clock } from '../core/clock.ts';
import { FerruleError, isFerruleError } from '../core/errors.ts';
import { Secret, type Text } from '../core/secret.ts';
import { urlOf } from '../core/url.ts';
import { credentialName } from './copy.ts';
import { isLoopbackAddress } from './host-value.ts';
import { unsealWithPassphrase } from './passphrase-sealed.ts';
import { fromText } from './sealed.ts';
import type { Credential, CredentialStore } from './types.ts';
import { logged } from './use.ts';

export interface ImportOptions {
  /** Put in the place of those that have the same name. Default: none is imported when one is there. */
  replace?: boolean;
  /** Put before each name. */
  prefix?: string;
  clock?: Pick<Clock, 'now'>;
}

/** What stands in the place of another, and what is new; names. */
export interface Imported {
  added: string[];
  replaced: string[];
}

/**
 * Stores the credentials of a file that `exportCredentials` made. All of it is checked before anything is written; what was written before a
 * write failed is taken back. Versions start anew, a sandbox's credential stays one.
 * @throws FerruleError export_unreadable, passphrase_wrong; store_conflict when a name is there already
 */
export async function importCredentials(
  store: CredentialStore,
  bytes: Uint8Array,
  passphrase: Text,
  { replace = false, prefix = '', clock }: ImportOptions = {},
): Promise<Imported> {
  const credentials = readCredentials(parse(await unsealWithPassphrase(Buffer.from(bytes), passphrase))).map((credential) => ({
    ...credential,
    name: credentialName(prefix + credential.name),
  }));
  const before = new Map<string, Credential | undefined>();
  for (const { name } of credentials) before.set(name, await store.get(name));
  if (before.size < credentials.length) throw broken('two credentials have one name');
  const taken = [...before].flatMap(([name, there]) => (there === undefined ? [] : [name]));
  if (taken.length > 0 && !replace) {
    throw new FerruleError(
      'store_conflict',
      `Nothing was imported: ${taken.map((name) => `"${name}"`).join(', ')} ${taken.length === 1 ? 'is' : 'are'} stored already.`,
      {
        where: taken.join(', '),
        next: 'Import under other names (--as PREFIX), or in their place (--replace).',
      },
    );
  }
  await putAll(store, credentials, before, clock);
  return { added: [...before.keys()].filter((name) => !taken.includes(name)), replaced: taken };
}

async function putAll(
  store: CredentialStore,
  credentials: readonly Credential[],
  before: ReadonlyMap<string, Credential | undefined>,
  clock: Pick<Clock, 'now'> | undefined,
): Promise<void> {
  const written: Credential[] = [];
  try {
    for (const credential of credentials) {
      const { name, connector } = credential;
      const version = before.get(name)?.version ?? 0;
      await logged(store, { action: 'imported', credential: name, connector }, { ...(clock && { clock }) }, async () => {
        await store.put(credential, { expectVersion: version });
        written.push({ ...credential, version: version + 1 });
      });
    }
  } catch (error) {
    const left = await takeBack(store, written, before);
    if (left.length === 0 || !isFerruleError(error)) throw error;
    throw new FerruleError(error.code, `${error.message} These were imported all the same: ${left.join(', ')}.`, {
      next: error.next,
      cause: error,
    });
  }
}

/** Names of those that could not be taken back, or that somebody has changed since. */
async function takeBack(
  store: CredentialStore,
  written: readonly Credential[],
  before: ReadonlyMap<string, Credential | undefined>,
): Promise<string[]> {
  const left: string[] = [];
  for (const { name, version } of written) {
    const former = before.get(name);
    try {
      if (former !== undefined) await store.put(former, { expectVersion: version });
      else if ((await store.get(name))?.version === version) await store.remove(name);
      else left.push(name);
    } catch (error) {
      if (!isFerruleError(error)) throw error;
      left.push(name);
    }
  }
  return left;
}

const broken = (what: string): FerruleError => new FerruleError('export_unreadable', `The file of credentials is not sound: ${what}.`);

function parse(text: string): unknown {
  try {
    return fromText(text);
  } catch {
    // Its error would show a piece of the text.
    throw broken('it holds no JSON');
  }
}

/** It opened with the passphrase, so it is what its maker wrote; whether that was Ferrule is another question. */
function readCredentials(data: unknown): Credential[] {
  const list = isMap(data) ? data.credentials : undefined;
  if (!Array.isArray(list) || list.length === 0) throw broken('it lists no credentials');
  return list.map((one, position) => {
    const what = isMap(one) && typeof one.name === 'string' ? `credential "${one.name.slice(0, 200)}"` : `credential ${position + 1}`;
    if (!isMap(one)) throw broken(`${what} is none`);
    for (const [key, value] of Object.entries(one)) {
      const fits = Object.hasOwn(PARTS, key) ? PARTS[key] : undefined;
      if (fits === undefined) throw broken(`${what} has ${JSON.stringify(key.slice(0, 60))}, which this Ferrule does not know`);
      if (!fits(value)) throw broken(`${key} of ${what} is not what it should be`);
    }
    const missing = NEEDED.find((key) => one[key] === undefined);
    if (missing !== undefined) throw broken(`${what} has no ${missing}`);
    return one as unknown as Credential;
  });
}

type Fits = (value: unknown) => boolean;
const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Secret);
const mapOf =
  (fits: Fits): Fits =>
  (value) =>
    isMap(value) && Object.values(value).every(fits);
const listOf =
  (fits: Fits): Fits =>
  (value) =>
    Array.isArray(value) && value.every(fits);
const text: Fits = (value) => typeof value === 'string';
const count: Fits = (value) => typeof value === 'number' && Number.isFinite(value);
const field: Fits = (value) => text(value) || value instanceof Secret || count(value) || typeof value === 'boolean' || listOf(text)(value);
const loopback: Fits = (value) => text(value) && isLoopbackAddress(urlOf(value as string)?.hostname ?? '');

/** Each part of a credential, and what it holds. */
const PARTS: Readonly<Record<keyof Credential, Fits>> & Readonly<Record<string, Fits>> = {
  name: text,
  description: text,
  connector: text,
  method: text,
  choices: mapOf(text),
  fields: mapOf(field),
  captures: isMap,
  expires: mapOf(count),
  obtained: mapOf(count),
  scopes: listOf(text),
  scope: text,
  sandbox: (value) => isMap(value) && Object.keys(value).join() === 'addresses' && mapOf(loopback)(value.addresses),
  version: count,
  // What a store took in code may be no time at all; a backup must come back all the same.
  created: text,
  updated: text,
  checked: (value) => isMap(value) && text(value.at) && typeof value.ok === 'boolean' && (value.code === undefined || text(value.code)),
  state: (value) => value === 'ready' || value === 'reconnect',
  failing: (value) =>
    isMap(value) && text(value.since) && count(value.count) && count(value.until) && text(value.code) && text(value.message),
};
const NEEDED = ['name', 'connector', 'method', 'choices', 'fields', 'captures', 'expires', 'created'] as const;
