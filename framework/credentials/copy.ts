import { FerruleError } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';
import { mapTree } from './tree.ts';
import type { Credential, CredentialSummary } from './types.ts';

/** A copy that shares nothing that can change. Keys with the value undefined are left out, as JSON would. */
export const copyCredential = (credential: Credential): Credential =>
  // A Secret cannot change, so the same one may stand in both.
  mapTree(credential, (node) => (node instanceof Secret ? { value: node } : undefined)) as Credential;

/** What may be listed of a credential: no field, no capture. */
export function summarize(credential: Credential): CredentialSummary {
  const { name, description, connector, method, choices, checked, failing, version, created, updated } = credential;
  return {
    name,
    ...(description !== undefined && { description }),
    connector,
    method,
    choices: { ...choices },
    sandbox: credential.sandbox !== undefined,
    state: credential.state ?? 'ready',
    ...(checked !== undefined && { checked: { ...checked } }),
    ...(failing !== undefined && { failing: { since: failing.since, count: failing.count, code: failing.code } }),
    version,
    created,
    updated,
  };
}

/**
 * The name as stores keep it: in Unicode's composed form (NFC), so that two names which look the same are the same.
 * `input_malformed` for an empty name, one over 200 characters, control characters, or spaces at its ends.
 */
export function credentialName(name: string): string {
  const wrong =
    name === ''
      ? 'is empty'
      : name.length > 200
        ? 'is longer than 200 characters'
        : /\p{Cc}|\p{Cs}/u.test(name)
          ? 'has control characters'
          : name.trim() !== name
            ? 'begins or ends with a space'
            : undefined;
  if (wrong) throw new FerruleError('input_malformed', `The credential's name ${wrong}.`, { where: 'name', next: 'Pass another name.' });
  return name.normalize('NFC');
}

/** The credential as it is written over `current`: next version, the store's time. `store_conflict` when `expectVersion` does not hold. */
export function nextVersion(credential: Credential, current: Credential | undefined, now: number, expectVersion?: number): Credential {
  const stored = current?.version ?? 0;
  if (expectVersion !== undefined && expectVersion !== stored) {
    const found = stored === 0 ? 'there is none' : `it has version ${stored}`;
    throw new FerruleError('store_conflict', `Credential "${credential.name}" was to have version ${expectVersion}, but ${found}.`, {
      where: credential.name,
    });
  }
  const next = copyCredential(credential);
  next.name = credentialName(credential.name);
  next.version = stored + 1;
  next.created = current?.created ?? credential.created;
  next.updated = new Date(now).toISOString();
  return next;
}

export const credentialUnknown = (name: string): FerruleError =>
  new FerruleError('credential_unknown', `No credential "${name}" is stored.`, { where: name });

export const storeClosed = (): FerruleError =>
  new FerruleError('closed', 'The credential store was closed.', { next: 'Open a new store.' });

/** A changed credential must keep its name: another name is another record, under another lock. */
export function checkSameName(name: string, changed: Credential): void {
  if (credentialName(changed.name) === name) return;
  throw new FerruleError('input_malformed', `An update of credential "${name}" may not rename it.`, {
    where: name,
    next: 'Put it under the new name, then remove the old one.',
  });
}
