import type { Secret, Text } from './secret.ts';

/** JSON as it was parsed. Whole numbers beyond 2^53 are text, never rounded numbers (see json.ts). */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** JSON whose text leaves may be secret: a request body before it is encoded. */
export type Value = null | boolean | number | string | Secret | Value[] | { [key: string]: Value };

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS';
export type Encode = 'json' | 'form' | 'query' | 'multipart' | 'xml' | 'text' | 'graphql';

/**
 * A request before it is sent: plain data, so that a page token, a signature or a trace can change or show it.
 * `url` is a path under the base URL (leading slash or not) or an absolute URL.
 */
export interface RequestDraft {
  method: Method;
  url: Text;
  /** A list repeats the key, in order. */
  query: Record<string, Text | Text[]>;
  headers: Record<string, Text>;
  cookies: Record<string, Text>;
  /** Encoded as `encode` says when it is sent. Absent: no body. */
  body?: Value;
  encode: Encode;
}

/**
 * A JSON change to a request, by target (`query.page`, `headers.X-After`, `body.variables.after`, `url`): what a
 * paginator puts on the next request, and what a checkpoint holds.
 */
export type Patch = { [target: string]: Json };

/** What came back, decoded once. Header names are lower-case; several values of one header are joined with ", ". */
export interface Response {
  status: number;
  headers: Record<string, string>;
  cookies: Record<string, string>;
  /** Parsed JSON where the answer is JSON, else its text; null for an empty body. */
  body: Json;
  /** The bytes as received, after content decoding. */
  bytes: Uint8Array;
  /** The address that answered, without credentials in it. */
  url: string;
}
