import type { Credential } from './types.ts';

/**
 * The inputs alone: nothing that a provider gave for them, and no word on how that fared. `personal`: only a person's consent brings a
 * new grant, so the person has to connect again.
 */
export function withoutTokens(credential: Credential, personal: boolean): Credential {
  const { scope: _granted, state: _state, checked: _checked, obtained: _obtained, failing: _failing, ...inputs } = credential;
  return { ...inputs, captures: {}, expires: {}, ...(personal && { state: 'reconnect' as const }) };
}
