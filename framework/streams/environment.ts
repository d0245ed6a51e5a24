import type { Clock } from '../core/clock.ts';
import type { Vars } from '../core/expression/index.ts';
import type { BigIntegers } from '../core/json.ts';
import type { ResolvedCall, ResolvedStream } from '../core/resolved.ts';
import type { Scopes } from '../core/scope.ts';
import type { Json } from '../core/value.ts';
import type { CallDraft } from '../http/types.ts';

/** One answer: whole, or its body as it comes where it is a large one or none of JSON. */
export interface Fetched {
  status: number;
  headers: Record<string, string>;
  cookies: Record<string, string>;
  url: string;
  /** A rule said that the answer stands for no records. */
  empty: boolean;
  /** The whole body, when it is small. */
  bytes: Uint8Array | undefined;
  /** The whole body as JSON. @throws FerruleError response_malformed, number_too_large */
  json(): Json;
  /** The body as it comes, when it is not whole. */
  body: AsyncIterable<Uint8Array> | undefined;
}

/** How a request is sent. */
export interface FetchOptions {
  /** The draft anew, with the token that a renewal brought. */
  redraft: () => Promise<CallDraft>;
  /** Without the credential, when the address is another host's: a job's result. */
  elsewhere?: boolean;
  /** The answer may have any content type. */
  anyType?: boolean;
}

/** What reading streams stands on; made once a connection. */
export interface StreamEnvironment {
  streams: Readonly<Record<string, ResolvedStream>>;
  scopes: Scopes;
  bigIntegers: BigIntegers;
  clock: Clock;
  /** fields, choices, auth, now, uuid, token. `now`: another moment than the read's, ms. */
  variables(now?: number): Promise<Vars>;
  fetch(draft: CallDraft, call: ResolvedCall, options: FetchOptions): Promise<Fetched>;
  signal?: AbortSignal;
}
