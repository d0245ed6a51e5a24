import type { SpecDocument } from '../core/spec-types.gen.ts';
import { consents } from '../spec/auth-types.ts';
import type { Credential } from './types.ts';

/**
 * The inputs alone: nothing that a provider gave for them, and no word on how that fared. Where only a person's consent brings a new grant,
 * the person has to connect again.
 */
export function withoutTokens(credential: Credential, spec: SpecDocument): Credential {
  const { scope: _granted, state: _state, checked: _checked, obtained: _obtained, failing: _failing, ...inputs } = credential;
  const method = spec.auth[credential.method];
  const personal = method !== undefined && consents(method);
  return { ...inputs, captures: {}, expires: {}, ...(personal && { state: 'reconnect' as const }) };
}
