import type { Random } from '../core/clock.ts';
import { FerruleError } from '../core/errors.ts';
import type { Answered, Signature, SignatureAbout, Unsigned } from '../core/signing.ts';
import type { Json } from '../core/value.ts';

export type { Answered, Signature, SignatureAbout, Unsigned };

export interface SignerContext {
  /** The method's fields and its signer's settings by name, worked out, secrets opened; what is absent is undefined. */
  values: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch; fixed for the attempt. */
  now: number;
  random: Random;
  /** Plain JSON that the connection keeps for the signer from one request to the next (a server's nonce). */
  memory: Record<string, Json>;
  /** What was worked out from the values, such as a key that was parsed; it lives as long as the connection. */
  derived?: Map<string, unknown>;
}

/** A value that a signature cannot do without; empty counts as missing. @throws FerruleError input_missing with `where` */
export function needed({ values }: SignerContext, name: string, where: string): string {
  const value = values[name];
  if (value === undefined || value === '') throw new FerruleError('input_missing', `${name} is missing`, { where });
  return value;
}

/** Works something out once for a connection. `from`: all that it is made from, so that other values make another one. */
export function once<T>({ derived }: SignerContext, from: string, make: () => T): T {
  if (derived?.has(from)) return derived.get(from) as T;
  const made = make();
  // A day's keys, not a year's.
  if (derived !== undefined && derived.size >= MOST_DERIVED) derived.clear();
  derived?.set(from, made);
  return made;
}

const MOST_DERIVED = 16;

/** Computes a credential from the final request: the strategy behind the auth types whose proof differs from request to request. */
export interface Signer {
  /** The word in the spec. */
  type: string;
  /** Its proof is for a connection, not for a request; `memory` is the connection's then. */
  connectionBound?: boolean;
  /** @throws FerruleError of kind input, naming the field whose value cannot sign */
  sign(request: Unsigned, context: SignerContext): Signature;
  /** What a signature that it made covers; only who explains a request asks. Undefined where there is none. */
  about(request: Unsigned, signature: Signature, context: SignerContext): SignatureAbout | undefined;
  /**
   * Looks at a 401. True: the challenge in it is now in `memory`, and the same request signed anew can succeed; it is then sent once more.
   */
  challenged?(answer: Answered, context: SignerContext): boolean;
  /** Hears of every answer to a signed request, good ones too (Authentication-Info). */
  answered?(answer: Answered, context: SignerContext): void;
}
