import { Secret } from '../core/secret.ts';
import type { Credential, CredentialSummary } from './types.ts';

function copy(value: unknown): unknown {
  // A Secret cannot change, so the same one may stand in both.
  if (value instanceof Secret || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copy);
  const result: Record<string, unknown> = {};
  // A name such as __proto__ must become a key, not a prototype.
  for (const [key, item] of Object.entries(value)) {
    if (item !== undefined) Object.defineProperty(result, key, { value: copy(item), enumerable: true, writable: true, configurable: true });
  }
  return result;
}

/** A copy that shares nothing that can change. Keys with the value undefined are left out, as JSON would. */
export const copyCredential = (credential: Credential): Credential => copy(credential) as Credential;

/** What may be listed of a credential: no field, no capture. */
export function summarize(credential: Credential): CredentialSummary {
  const { name, description, connector, method, choices, version, created, updated } = credential;
  return {
    name,
    ...(description !== undefined && { description }),
    connector,
    method,
    choices: { ...choices },
    sandbox: credential.sandbox !== undefined,
    state: credential.state ?? 'ready',
    version,
    created,
    updated,
  };
}
