import type { Random } from '../core/clock.ts';
import type { Json, Method } from '../core/value.ts';

/** A request as it will be sent, but for its signature. */
export interface Unsigned {
  method: Method;
  /** Absolute, with its query, percent-encoded as it is sent. */
  href: string;
  /** Lower-case names; every secret opened. What the transport adds by itself (host, content-length, connection) is not among them. */
  headers: Readonly<Record<string, string>>;
  /** Empty when there is none. */
  body: Uint8Array;
}

/** What a signature puts on a request. */
export interface Signature {
  /** Lower-case names; they take the place of the same ones. */
  headers?: Record<string, string>;
  /** In place of the request's own: a signature in the query. */
  href?: string;
}

export interface SignerContext {
  /** The method's fields and its signer's settings by name, worked out, secrets opened; what is absent is undefined. */
  values: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch; fixed for the attempt. */
  now: number;
  random: Random;
  /** Plain JSON that the connection keeps for the signer from one request to the next (a server's nonce). */
  memory: Record<string, Json>;
}

/** Computes a credential from the final request: the strategy behind the auth types whose proof differs from request to request. */
export interface Signer {
  /** The word in the spec. */
  type: string;
  /** @throws FerruleError of kind input, naming the field whose value cannot sign */
  sign(request: Unsigned, context: SignerContext): Signature;
  /**
   * Looks at a 401. True: the challenge in it is now in `memory`, and the same request signed anew can succeed; it is then sent once more.
   * `headers`: lower-case names; several values of one name joined by ", ".
   */
  challenged?(answer: { status: number; headers: Readonly<Record<string, string>> }, context: SignerContext): boolean;
  /** Hears of every answer to a signed request, good ones too (Authentication-Info). */
  answered?(answer: { status: number; headers: Readonly<Record<string, string>> }, context: SignerContext): void;
}
