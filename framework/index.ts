/** The public API. Nothing outside imports deeper. */

import type { Connectors } from './connectors.gen.ts';
import type { Finding } from './core/finding.ts';
import type { Text } from './core/secret.ts';
import type { ExportOptions } from './credentials/export.ts';
import type { Imported, ImportOptions } from './credentials/import.ts';
import type { Credential, CredentialStore } from './credentials/types.ts';
import type { Inputs } from './engine/connect.ts';
import type { Connection } from './engine/connection.ts';
import type { ConnectionStringOptions } from './engine/connection-string.ts';
import { type CatalogueOptions, type ConnectByNameOptions, connectByName, type StoredCredential } from './engine/connector.ts';
import type { Edit, Edited, EditOptions } from './engine/edit.ts';
import type { Verbosity } from './engine/event-log.ts';
import type { RunLog, RunLogOptions } from './engine/run-log.ts';
import type { RunRequest } from './engine/run-record.ts';
import type { ClientEvent } from './http/types.ts';
import type { LintOptions } from './spec/lint.ts';

export * from './connectors.gen.ts';
export type { Clock, Random } from './core/clock.ts';
export type { ErrorCode } from './core/error-table.ts';
export { type ErrorKind, FerruleError, isFerruleError } from './core/errors.ts';
export type { Finding, Position, Severity } from './core/finding.ts';
export type { PostgresServer } from './core/postgres-address.ts';
export { Secret, type Text } from './core/secret.ts';
export type {
  Batch,
  Sink,
  SinkChange,
  SinkOptions,
  SinkStream,
  SinkTotals,
  StateChange,
  StreamSink,
  StreamState,
  WriteMode,
} from './core/sink.ts';
export type { Json, JsonObject } from './core/value.ts';
export { type EncryptedFileStoreOptions, encryptedFileStore, storeFolder } from './credentials/encrypted-file.ts';
export type { ExportOptions } from './credentials/export.ts';
export type { Imported, ImportOptions } from './credentials/import.ts';
export type { KeyringLibrary } from './credentials/keyring.ts';
export { memoryStore } from './credentials/memory.ts';
export { type PostgresStoreOptions, postgresStore } from './credentials/postgres.ts';
export type { KeyRing } from './credentials/sealed.ts';
export { type StoreOptions, storeOf } from './credentials/store-address.ts';
export type { KeySource } from './credentials/store-key.ts';
export type {
  CaptureValue,
  Credential,
  CredentialStore,
  CredentialSummary,
  FieldValue,
  KeyPlace,
  PutOptions,
  Rekeyed,
  RekeyOptions,
  Use,
  UseAction,
  UsesFilter,
} from './credentials/types.ts';
export { useNow } from './credentials/use.ts';
export { type OpenSinkOptions, openSink, parseSinkAddress, type SinkAddress, type SinkType } from './destinations/index.ts';
export type { CheckOptions, CheckReport, CheckStep, CheckStepName } from './engine/check.ts';
export type { ConnectOptions, Consent, Inputs, ShowCode } from './engine/connect.ts';
export type { Connection, Reading, ReadOptions, StreamInfo } from './engine/connection.ts';
export type { ConnectionStringOptions } from './engine/connection-string.ts';
export {
  type CatalogueOptions,
  type ConnectByNameOptions,
  type Connector,
  loadConnector,
  type StoredCredential,
} from './engine/connector.ts';
export type { Edit, Edited, EditOptions } from './engine/edit.ts';
export type { Verbosity } from './engine/event-log.ts';
export type { ExplainRequest, Explanation } from './engine/explain.ts';
export type { ConnectionOptions, NetworkOptions, RetryOptions } from './engine/options.ts';
export type { RunOptions } from './engine/run.ts';
export type { RunEvent, StreamOutcome, StreamProgress } from './engine/run-events.ts';
export type { RunLog, RunLogOptions } from './engine/run-log.ts';
export { type RunRecord, type RunRequest, runFolder, type StreamRecord } from './engine/run-record.ts';
export type { ClientEvent, Http, HttpOptions, HttpPromise, HttpResponse } from './http/types.ts';
export { BUNDLED_FOLDER, bundledCatalogue, Catalogue, type CatalogueEntry } from './spec/catalogue.ts';
export type { LintOptions } from './spec/lint.ts';

/** What `connect` takes for a connector: the union of its auth methods where it is known, else anything of the shape of inputs. */
export type ConnectInputs<Name extends string> = Name extends keyof Connectors ? Connectors[Name]['inputs'] : Inputs;
/** The streams of a connector. */
export type StreamOf<Name extends string> = Name extends keyof Connectors ? Connectors[Name]['streams'] : string;

/**
 * Opens an authenticated connection by the connector's name: with inputs, or with a stored credential
 * (`{ credential: 'work' }` and `{ store }` in the options). Inputs given here touch no disk unless a store and a name are
 * given too. A field of another auth method does not compile.
 *
 * Throws FerruleError: connector_unknown, input_unknown, input_missing, input_malformed (all mistakes at once in
 * `findings`), reconnect_required where a person must consent first.
 */
export function connect<const Name extends string>(
  name: Name,
  inputs: ConnectInputs<Name> | StoredCredential,
  options?: ConnectByNameOptions,
): Promise<Connection<StreamOf<Name>>> {
  return connectByName(name, inputs as Inputs | StoredCredential, options);
}

/**
 * Opens a connection from one connection string, as the drivers of other products take it:
 * `Connector=jumpseller;AuthScheme=OAuth;InitiateOAuth=REFRESH;OAuthClientId=…;OAuthClientSecret=…;OAuthRefreshToken=…`.
 * What `options` say goes before it. A property that has no effect here is an error, never ignored.
 *
 * Throws FerruleError: connection_string_malformed or not_supported (all mistakes at once in `findings`), and what `connect` throws.
 */
export async function fromConnectionString(text: string, options?: ConnectionStringOptions): Promise<Connection> {
  return (await import('./engine/connection-string.ts')).connectString(text, options);
}

/** A credential (`connection.credential`) as one connection string. Secrets are masked unless `reveal`; a masked one cannot be read back. */
export async function connectionStringOf(credential: Credential, options?: { reveal?: boolean } & CatalogueOptions): Promise<string> {
  return (await import('./engine/connection-string.ts')).stringOf(credential, options);
}

/**
 * Credentials as one file, sealed with a passphrase of at least 12 characters: for a backup, or for another machine. A refresh token that
 * rotates may be used from one place only; `tokens: false` leaves tokens out.
 *
 * Throws FerruleError: credential_unknown, input_malformed.
 */
export async function exportCredentials(
  store: CredentialStore,
  names: readonly string[],
  passphrase: Text,
  options?: ExportOptions,
): Promise<Uint8Array> {
  return (await import('./credentials/export.ts')).exportCredentials(store, names, passphrase, options);
}

/**
 * Stores what `exportCredentials` gave: all of it or, when a name is there already and `replace` is not set, nothing.
 *
 * Throws FerruleError: export_unreadable, passphrase_wrong, store_conflict.
 */
export async function importCredentials(
  store: CredentialStore,
  bytes: Uint8Array,
  passphrase: Text,
  options?: ImportOptions,
): Promise<Imported> {
  return (await import('./credentials/import.ts')).importCredentials(store, bytes, passphrase, options);
}

/**
 * Changes fields, choices or the description of a stored credential, checked as if they were entered anew. A new secret keeps the grant and
 * makes the access token due; another account, host or choice drops what was granted for the old one.
 *
 * Throws FerruleError: credential_unknown; input_unknown, input_malformed, input_missing (all mistakes at once in `findings`).
 */
export async function editCredential(
  store: CredentialStore,
  name: string,
  edit: Edit,
  options?: EditOptions & CatalogueOptions,
): Promise<Edited> {
  return (await import('./engine/edit.ts')).editByName(store, name, edit, options);
}

/** Appends events to a file, one JSON object a line, secrets left out: `{ onEvent: await eventLog('ferrule.log', 4) }`. */
export async function eventLog(path: string, verbosity?: Verbosity): Promise<(event: ClientEvent) => void> {
  return (await import('./engine/event-log.ts')).eventLog(path, verbosity);
}

/**
 * Logs a run into a new folder under `folder` (`runFolder()` is the one that `ferrule runs` looks into): what was asked, what happened, how it
 * ended; neither secrets nor records. Pass `onHttp` as the connection's `onEvent`, `onEvent` to `readInto`, and call `end` when it is over.
 *
 * Throws FerruleError: output_failed.
 */
export async function runLog(folder: string, request: RunRequest, options?: RunLogOptions): Promise<RunLog> {
  return (await import('./engine/run-log.ts')).runLog(folder, request, options);
}

/** All findings of some spec files, rules included. The rules are loaded when this is called: a pipeline never needs them. */
export async function lint(files: readonly string[], options?: LintOptions): Promise<{ findings: Finding[]; files: number }> {
  return (await import('./spec/lint.ts')).lint(files, options);
}
