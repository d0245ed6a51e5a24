import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { RSA_JWK } from '../../unit/auth/rfc7515.ts';

/** Published keys, so that other programs can work out what is signed with them: RFC 7515 A.2.1 and A.3.1, RFC 8037 A.1. */
const JWKS = {
  rsa: RSA_JWK,
  ec: {
    kty: 'EC',
    crv: 'P-256',
    x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
    y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
  },
  ed25519: {
    kty: 'OKP',
    crv: 'Ed25519',
    x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
    d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  },
} satisfies Record<string, JsonWebKey>;

export type KeyName = keyof typeof JWKS;

const privateKey = (name: KeyName): KeyObject => createPrivateKey({ key: JWKS[name], format: 'jwk' });

/** As a provider hands it out: PKCS #8 in PEM. */
export const pem = (name: KeyName): string => privateKey(name).export({ type: 'pkcs8', format: 'pem' }).toString();

export const publicKey = (name: KeyName): KeyObject => createPublicKey(privateKey(name));
