import type { Verdict } from './authenticate.ts';
import type { Incoming } from './request.ts';

export interface SchemeContext {
  /** What the provider knows of the one credential: the method's fields and its signer's settings by name. */
  values: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch. */
  now: number;
  /** Fresh random text (hex) of so many bytes. */
  fresh: (bytes: number) => string;
  /** Kept for the sandbox's life: nonces that were given out or used. */
  memory: Map<string, unknown>;
}

/** How a provider verifies a signed request: the twin of a signer, sharing no code with it. */
export interface Scheme {
  /** The word in the spec. */
  type: string;
  /** Lower-case names of headers besides Authorization that it reads: what `send` says of them is not looked at. */
  reads?: readonly string[];
  verify(request: Incoming, context: SchemeContext): Verdict;
  /** WWW-Authenticate of a 401, where the scheme has one. */
  challenge?(verdict: Verdict, request: Incoming, context: SchemeContext): string | undefined;
}
