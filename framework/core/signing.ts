import type { Method } from './value.ts';

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

/** What a signature covers. Texts may hold secrets: they are redacted before they are shown. */
export interface SignatureAbout {
  /** As the protocol names it. */
  algorithm: string;
  /** Names of the signed headers, components or parts of the request. */
  covers: string[];
  /** What was signed (string to sign, signature base). */
  base?: string;
}

/** Of an answer, what a signer may look at. Lower-case names; several values of one name are joined by ", ". */
export interface Answered {
  status: number;
  headers: Readonly<Record<string, string>>;
}
