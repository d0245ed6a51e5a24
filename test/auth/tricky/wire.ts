import type { FieldValue } from '../../../framework/credentials/types.ts';
import type { KeyName } from './keys.ts';

/** What one spec must put on the wire for one set of inputs, as `<name>.wire.json` beside it says; a second case is `<name>.<case>.wire.json`. */
export interface Wire {
  /** How the expected values were found without running our code. */
  worked_out: string;
  method?: string;
  choices?: Record<string, string>;
  /** `{ key }`: one of the published keys, in PEM. */
  fields?: Record<string, FieldValue | { key: KeyName }>;
  /** The time at the start. RFC 3339. */
  clock: string;
  /** Every uuid that is drawn. */
  uuid?: string;
  /** Both ends show a certificate: the server asks for the client's. */
  mutual_tls?: boolean;
  consent?: Consent;
  /** Connecting fails: code and kind of the error. */
  refused?: Record<string, unknown>;
  do: readonly Action[];
  wire: readonly Exchanged[];
  /** JSON Web Tokens by the name under which `{{name}}` stands for one in an expected text. */
  jwts?: Record<string, Jwt>;
  /** What is kept at the end: `{ sealed }` where it must be secret. */
  captures?: Record<string, unknown>;
  /** Scopes granted, as the provider wrote them. */
  scope?: string;
  /** When what is kept ends, by step. RFC 3339. */
  expires?: Record<string, string>;
}

/** The page that a person is led to, and how they come back. */
export interface Consent {
  url: string;
  query: Record<string, string>;
  callback: string;
}

/** A call of the API, the spec's check, a stream that is read, the values that are offered for a field, or a wait. `fails`: code and kind of its error. */
export type Action =
  | { wait: string }
  | { check: true }
  | { read: string }
  | { options: string; gives: unknown }
  | {
      method?: 'get' | 'post';
      path: string;
      query?: Record<string, string>;
      json?: unknown;
      text?: string;
      headers?: Record<string, string>;
      fails?: Record<string, unknown>;
    };

/** A request as it must arrive, and what the provider says to it. */
export interface Exchanged {
  method: string;
  /** With query, exactly. */
  url: string;
  /** Header by name in lower case; null: must not be there. Authorization and Cookie must not be there unless they are named. */
  headers?: Record<string, string | null>;
  /** One of three: form entries in order, a JSON value, or the text itself. */
  form?: Record<string, string>;
  json?: unknown;
  text?: string;
  /** True: the client showed a certificate. */
  certificate?: boolean;
  answer: { status?: number; headers?: Record<string, string | string[]>; json?: unknown; text?: string };
}

export interface Jwt {
  /** A published key, or the shared secret: its text, or its bytes in hex. */
  key: KeyName | { text: string } | { hex: string };
  header: Record<string, unknown>;
  claims: Record<string, unknown>;
}
