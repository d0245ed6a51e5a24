import type { ErrorKind } from '../core/errors.ts';
import type { FieldType } from '../core/resolved.ts';
import type { Secret, Text } from '../core/secret.ts';
import type { Value } from '../core/value.ts';

/** What a field holds: a `Secret` where the spec says the field is one; whole numbers are kept as text, digit for digit. */
export type FieldValue = Text | string[] | boolean | number;

/** What a call captured: secret unless the spec says that it is not (a host, a lifetime). */
export type CaptureValue = Value;

/** How the last check of a stored credential ended. */
export interface CheckedState {
  /** RFC 3339 UTC. */
  at: string;
  ok: boolean;
  /** The error's code, when it did not hold. */
  code?: string;
}

/** A named, stored set of inputs for one connector. Plain data: no methods, safe to copy with `copyCredential`. */
export interface Credential {
  /** The person's own name for it, at most 200 characters, no control characters; the key in a store. */
  name: string;
  description?: string;
  /** The connector's name, as in its spec. */
  connector: string;
  /** The auth method's name under `auth` of the spec. */
  method: string;
  /** Chosen option per choice: `{ region: 'eu' }`. */
  choices: Record<string, string>;
  /** Values of the connection's fields and of the chosen method's fields, by name. */
  fields: Record<string, FieldValue>;
  /** `token.<name>`: access_token, refresh_token and what else the method's calls captured. */
  captures: Record<string, CaptureValue>;
  /** When a capture or a step's result ends, by its name. Milliseconds since the epoch. Missing: never, or unknown. */
  expires: Record<string, number>;
  /** When a step last brought what it captures, by the step's name. Milliseconds since the epoch. */
  obtained?: Record<string, number>;
  /** The scopes that the person asked for in place of the spec's. */
  scopes?: string[];
  /** The scopes that the provider granted, as it wrote them. */
  scope?: string;
  /** Set only on a credential that was made for a sandbox: real origin (`https://api.acme.com`) → loopback origin. */
  sandbox?: { addresses: Record<string, string> };
  /** Grows by one with each write; set by the store. 0 in a credential that was never stored. */
  version: number;
  /** RFC 3339 UTC. */
  created: string;
  /** RFC 3339 UTC; set by the store with each write. */
  updated: string;
  /** Missing: never checked since it was entered. */
  checked?: CheckedState;
  /** `reconnect`: the provider has ended the grant; the person has to connect again. Missing means ready. */
  state?: 'ready' | 'reconnect';
  /** Set while renewals fail; gone after one that does not. */
  failing?: FailingRenewal;
}

/** Renewals that failed, one after the other. */
export interface FailingRenewal {
  /** Of the first one. RFC 3339 UTC. */
  since: string;
  /** How many. */
  count: number;
  /** When the last one failed. Milliseconds since the epoch. */
  at: number;
  /** No other is tried before, unless a person says so. Milliseconds since the epoch. */
  until: number;
  /** The last one's error: its code and kind, and its message, in which no secret is. */
  code: string;
  kind: ErrorKind;
  message: string;
  /** HTTP status of the answer that it stems from, and what the provider said in it. */
  status?: number;
  provider?: string;
  providerCode?: string;
  /** The field that is at fault, where that is known. */
  where?: string;
}

/** A provider's answer to a renewal, kept from when it was read until what it brought is stored. */
export interface NotedAnswer {
  /** The step that asked. */
  step: string;
  /** Which refresh token was spent for it: a hash. The answer means nothing to a credential that holds another one. */
  spent: string;
  /** When it came. Milliseconds since the epoch. */
  at: number;
  /** All of it, as the one who notes it writes it. */
  answer: Secret;
}

/** What the holder of a credential's lock may do before its update ends. */
export interface Held {
  /**
   * Writes it now; the lock stays. Gives back what is stored, with its new version. What is kept stays also when the update throws later.
   * Refused with `store_locked` when the lock was lost: what others wrote since is not written over.
   */
  keep(credential: Credential): Promise<Credential>;
  /**
   * Keeps an answer beside the credential, sealed as it is; undefined drops it. It is safe from the death of this process when the call
   * returns, or the promise resolves if it gives one.
   */
  note(answer: NotedAnswer | undefined): void | Promise<void>;
  /** What was noted and not dropped: by this holder, or by one that died. */
  noted(): Promise<NotedAnswer | undefined>;
}

/** What a list shows: nothing secret in it. */
export interface CredentialSummary {
  name: string;
  description?: string;
  connector: string;
  method: string;
  choices: Record<string, string>;
  sandbox: boolean;
  state: 'ready' | 'reconnect';
  checked?: CheckedState;
  /** Set while renewals fail. */
  failing?: Pick<FailingRenewal, 'since' | 'count' | 'code'>;
  version: number;
  created: string;
  updated: string;
}

/** Where a store on this machine has its key: in its key file, or in the operating system's keyring. */
export type KeyPlace = 'file' | 'keyring';

export interface RekeyOptions {
  /** The new key, 32 bytes. Default: one is made; or, where a rotation was cut short, the one that it had begun with. */
  key?: Uint8Array;
  /** Where the key is to be afterwards. Default: where it is. */
  to?: KeyPlace;
}

export interface Rekeyed {
  /** How many credentials were sealed anew. */
  sealed: number;
  /** How many there are. */
  total: number;
  /** Set when this went on with a rotation that was cut short, and made no key of its own. */
  resumed?: true;
}

export const USE_ACTIONS = [
  'opened',
  'renewed',
  'checked',
  'stored',
  'changed',
  'removed',
  'copied',
  'renamed',
  'revealed',
  'exported',
  'imported',
  'revoked',
  'rekeyed',
] as const;

export type UseAction = (typeof USE_ACTIONS)[number];

/** One line of the audit: what was done with a credential, by whom, and how it ended. No field's value, no token and no URL is in it. */
export interface Use {
  /** RFC 3339 UTC. */
  at: string;
  action: UseAction;
  /** The credential's name; empty for what concerns the whole store. */
  credential: string;
  connector?: string;
  /** User, host, program and process number: `ann@laptop ferrule[4711]`. */
  by: string;
  /** `ok`, or an error's code. */
  outcome: string;
}

export interface UsesFilter {
  /** Only those of this credential. */
  name?: string;
  /** At most so many, the latest. */
  limit?: number;
  /** Called with the number of lines that could not be read, when there are any: a killed writer leaves one. */
  skipped?: (lines: number) => void;
}

export interface PutOptions {
  /** Write only if the stored version is this one; 0: only if there is none of that name. Missing: whatever is there. */
  expectVersion?: number;
}

/**
 * Where credentials are kept. Public: implement it to keep them in a database or a vault, and run the contract tests
 * (test/unit/credentials/store-contract.ts) over it.
 *
 * Rules that every store keeps:
 * - A returned credential is the caller's own copy: changing it changes nothing in the store, and a later write does not change it.
 * - A write is whole or not at all, also when the process dies in the middle.
 * - What `get` gives has the `version` of the last write: 1 after the first, one more with each `put` or `update`, whatever
 *   `version` the written credential carried. `created` stays what the first write said, `updated` is the store's own time.
 * - Secrets (every `Secret` in `fields` and `captures`) are sealed before they reach a disk or a network, and come back as `Secret`.
 * - Errors are `FerruleError`: `store_unreadable`, `store_key_wrong`, `store_locked`, `store_conflict`, `credential_unknown`,
 *   `closed` after `close()`. A record that cannot be read is an error, never "not there".
 */
export interface CredentialStore {
  /** All credentials by name, in the order of their names' code units. */
  list(): Promise<CredentialSummary[]>;

  /** The credential, or undefined when none has that name. */
  get(name: string): Promise<Credential | undefined>;

  /** Writes the credential under its own name, new or in place of the stored one. `store_conflict` when `expectVersion` does not hold. */
  put(credential: Credential, options?: PutOptions): Promise<void>;

  /** Removes it; false when there was none. Waits for a running `update` of the same name. */
  remove(name: string): Promise<boolean>;

  /**
   * Read, change, write, with the record's lock held throughout, against other processes too, however long that takes: the lock is its
   * holder's until that ends it or dies, and a dead holder's is free at once. The token source refreshes inside the callback: whoever
   * waits for the lock finds the new token when its own callback runs, and asks for none.
   *
   * `change` gets the stored credential as it is *after* the lock was taken. What it returns is written and returned (with the
   * new version); undefined writes nothing and returns the current one. When it throws, nothing more is written and its error is
   * passed on. With `held` it may write before it ends, as often as it likes. `credential_unknown` when none has that name. Do not call the same store for the same name inside `change`: it would wait for itself.
   */
  update(name: string, change: (current: Credential, held: Held) => Promise<Credential | undefined>): Promise<Credential>;

  /**
   * Seals everything anew with a new key, in place, while others go on reading and writing, and then forgets the former keys: afterwards
   * they open nothing. Killed in the middle, nothing is lost, and the next call goes on with the same new key. Two at once: one waits.
   * Where only a person can change the keys (FERRULE_KEY): with the first of the keys that are there; `not_supported` when there is one alone.
   */
  rekey(options?: RekeyOptions): Promise<Rekeyed>;

  /**
   * Writes a use down. One that cannot be written fails with `store_unwritable`, and so fails the use: a log that can be made silent is none.
   * A store writes none by itself: whoever uses a credential says what for.
   */
  logUse(use: Use): Promise<void>;

  /** The uses that were written down, the latest last. */
  uses(filter?: UsesFilter): Promise<Use[]>;

  /** Ends the store's work. Every later call fails with `closed`. May be called again. */
  close(): Promise<void>;
}

/** What inputs need to know of one field of a spec. */
export interface InputField {
  name: string;
  title: string;
  help?: string;
  example?: string;
  type: FieldType;
  required: boolean;
  secret: boolean;
  /** Fixed by the spec: never asked for, never stored. */
  value?: string;
  default?: FieldValue;
  /** A regular expression over the whole value. Advises only. */
  pattern?: string;
  /** Patterns that a url's or host's host must match: `acme.com`, `*.acme.com`. Missing: the person's own word. */
  hosts?: string[];
  /** Its other names in connection strings. */
  aliases?: string[];
  /** `auth`: asked for once a token is there, and not required before. */
  after?: 'auth';
  /** Listed values of type `choice`, when the spec lists them. */
  options?: { value: string; label: string }[];
}

/** What the connection string parser needs to know of a connector. */
export interface ConnectorShape {
  name: string;
  methods: { name: string; type: string; fields: InputField[] }[];
  /** The connection's own fields, whatever the method. */
  fields: InputField[];
  choices: { name: string; options: { id: string; attributes: Record<string, string> }[] }[];
}
