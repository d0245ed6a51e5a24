import { Secret } from '../core/secret.ts';
import type { Json } from '../core/value.ts';
import type { Credential } from './types.ts';

/** What stands for a secret: always the same, so that neither its length nor any of its characters shows. */
export const MASK = '••••';

/** A value as it may be shown. Lists and maps are masked inside. */
export function mask(value: unknown): Json {
  if (value instanceof Secret) return MASK;
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map(mask);
  if (typeof value !== 'object') return null;
  return Object.fromEntries(Object.entries(value).flatMap(([key, item]) => (item === undefined ? [] : [[key, mask(item)]])));
}

/** A credential as `show` prints it. */
export const maskCredential = (credential: Credential): { [key: string]: Json } => mask(credential) as { [key: string]: Json };
