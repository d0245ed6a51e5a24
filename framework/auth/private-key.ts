import { createPrivateKey, type KeyObject } from 'node:crypto';
import { FerruleError } from '../core/errors.ts';
import type { JsonObject } from '../core/value.ts';

export interface PrivateKeyOptions {
  /** Opens an encrypted PEM; not looked at for any other key. */
  passphrase?: string | undefined;
  /** The field that errors name. */
  where: string;
}

/**
 * A private key as people paste it: PEM (PKCS#8, PKCS#1, SEC1, each also encrypted), a JWK as JSON text (RFC 7517), or the
 * bytes of a PEM file or of DER (PKCS#8).
 * PEM whose line breaks became `\n`, spaces or nothing is mended, for environment variables and form fields do that; PKCS#8 may have
 * lost its BEGIN and END lines.
 * @throws FerruleError input_malformed, which never holds the key's text
 */
export function privateKey(key: string | Uint8Array, options: PrivateKeyOptions): KeyObject {
  const { passphrase, where } = options;
  const text = typeof key === 'string' ? key : Buffer.from(key).toString('latin1');
  const jwk = readJwk(text);
  if (jwk) return open({ key: jwk, format: 'jwk' }, 'The JWK has no private key that can be read.', where);
  const block = privateBlock(text);
  if (!block) {
    if (typeof key === 'string' || text.includes('-----BEGIN')) throw notPrivate(text, where);
    return open({ key: Buffer.from(key), format: 'der', type: 'pkcs8' }, 'The bytes are neither PEM nor PKCS#8 in DER.', where);
  }
  if (!block.encrypted) return open(block.pem, 'The PEM text does not hold a private key that can be read.', where);
  if (!passphrase) {
    throw new FerruleError('input_malformed', 'The private key is encrypted, and there is no passphrase.', {
      where,
      next: "Give the key's passphrase too, or a key that is not encrypted.",
    });
  }
  return open({ key: block.pem, passphrase }, 'The private key does not open with this passphrase.', where);
}

/** The JWK that a text is, if it is one: a JSON object with `kty`. */
export function readJwk(text: string): (JsonObject & { kty: string }) | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const value = JSON.parse(text) as JsonObject;
    return typeof value.kty === 'string' ? (value as JsonObject & { kty: string }) : undefined;
  } catch {
    return undefined;
  }
}

/** Node's own message and stack can quote the key: neither goes on. */
function open(
  input: Parameters<typeof createPrivateKey>[0] | { key: JsonObject; format: 'jwk' },
  message: string,
  where: string,
): KeyObject {
  try {
    return createPrivateKey(input as Parameters<typeof createPrivateKey>[0]);
  } catch {
    throw new FerruleError('input_malformed', message, {
      where,
      next: 'Give a private key as PEM (PKCS#8, PKCS#1 or SEC1) or as a JWK, whole and unchanged.',
    });
  }
}

const PEM = /-----BEGIN ((?:RSA |EC |ENCRYPTED )?PRIVATE KEY)-----([^-]*(?:-[^-]+)*)-----END \1-----/;
/** Its lines of base64 alone. */
const BARE = /^()([A-Za-z0-9+/=\s]{64,})$/;
/** SAP SuccessFactors hands out base64 of a key's base64, `###` and more, between lines that say ENCRYPTED, which it is not. */
const WRAPPED = /^([A-Za-z0-9+/=]{64,})###/;

/** The first PEM block that is a private key (RFC 7468 section 2; the encryption headers of RFC 1421 section 4.6), set anew in lines. */
function privateBlock(text: string): { pem: string; encrypted: boolean } | undefined {
  const plain = text.replaceAll(/\\[rn]/g, '\n');
  const [found, label, inner = ''] = PEM.exec(plain) ?? BARE.exec(plain) ?? [];
  if (found === undefined) return undefined;
  const cipher = /^\s*Proc-Type:\s*4,\s*ENCRYPTED\s+DEK-Info:\s*([\w-]+,[0-9A-Fa-f]+)\s/.exec(inner);
  const base64 = inner.slice(cipher?.[0].length ?? 0).replaceAll(/\s/g, '');
  const unwrapped = WRAPPED.exec(Buffer.from(base64, 'base64').toString('latin1'))?.[1];
  if (unwrapped) return { pem: pemOf('PRIVATE KEY', [], unwrapped), encrypted: false };
  const headers = cipher ? ['Proc-Type: 4,ENCRYPTED', `DEK-Info: ${cipher[1]}`, ''] : [];
  return { pem: pemOf(label || 'PRIVATE KEY', headers, base64), encrypted: cipher !== null || label === 'ENCRYPTED PRIVATE KEY' };
}

function pemOf(label: string, headers: string[], base64: string): string {
  return [`-----BEGIN ${label}-----`, ...headers, ...(base64.match(/.{1,64}/g) ?? []), `-----END ${label}-----`, ''].join('\n');
}

/** Says what the text is instead, where that can be told by its label alone. */
function notPrivate(text: string, where: string): FerruleError {
  const label = /-----BEGIN ([A-Z0-9 ]{1,40})-----/.exec(text)?.[1];
  if (label === 'OPENSSH PRIVATE KEY') {
    return new FerruleError('input_malformed', "The key is in OpenSSH's own format.", {
      where,
      next: 'Convert a copy of it with `ssh-keygen -p -m PEM -f <file>`, and give that.',
    });
  }
  const message =
    label === undefined
      ? 'This is neither PEM nor a JWK.'
      : label.endsWith('PRIVATE KEY')
        ? 'The PEM text is cut off.'
        : `This is a ${label.toLowerCase()}, not a private key.`;
  return new FerruleError('input_malformed', message, {
    where,
    next: 'Give the private key as PEM, with its BEGIN and END lines, or as a JWK.',
  });
}
