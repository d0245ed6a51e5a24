import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { ResolvedMethod } from '../core/resolved.ts';
import { lookupsIn } from './reading.ts';

const RSA = (): KeyObject => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const curve = (namedCurve: string) => (): KeyObject => generateKeyPairSync('ec', { namedCurve }).privateKey;

/** By the algorithm's word in a spec (RFC 7518, 3.1; RFC 9421, 3.3); any other one signs with RSA. */
const MAKERS: Readonly<Record<string, () => KeyObject>> = {
  ES256: curve('P-256'),
  ES384: curve('P-384'),
  ES512: curve('P-521'),
  'ecdsa-p256-sha256': curve('P-256'),
  EdDSA: () => generateKeyPairSync('ed25519').privateKey,
  ed25519: () => generateKeyPairSync('ed25519').privateKey,
};

const made = new Map<() => KeyObject, string>();

/** A private key (PKCS #8 PEM) that fits; one of a kind for the whole process, since an RSA key takes long to find. */
export function privateKeyFor(algorithm: string): string {
  const make = MAKERS[algorithm] ?? RSA;
  const known = made.get(make) ?? make().export({ type: 'pkcs8', format: 'pem' }).toString();
  made.set(make, known);
  return known;
}

/** What the provider has of a key that it knows: never the private half. A shared secret stays what it is. */
export function publicHalf(key: string): KeyObject | undefined {
  try {
    return createPublicKey(createPrivateKey(key.trim().startsWith('{') ? { key: JSON.parse(key), format: 'jwk' } : key));
  } catch {
    return undefined;
  }
}

/** Whether a field holds the certificate of the key that signs. */
export const isCertificate = (field: string, { steps }: ResolvedMethod): boolean =>
  steps.some((step) => step.type === 'made' && lookupsIn(step.settings.certificate, 'fields').some(([name]) => name === field));

/** The algorithm of what a field's key signs; undefined: no key of the method's is read from it. */
export function algorithmFor(field: string, { steps, client_assertion, signer }: ResolvedMethod): string | undefined {
  const settings: Readonly<Record<string, unknown>>[] = steps.flatMap((step) => (step.type === 'made' ? [step.settings] : []));
  if (client_assertion.key !== undefined) settings.push(client_assertion);
  const found = settings.find(({ key }) => lookupsIn(key, 'fields').some(([name]) => name === field));
  if (found !== undefined) return String(found.alg ?? '');
  return field === 'private_key' ? (signer?.settings.alg ?? signer?.settings.signature_method) : undefined;
}
