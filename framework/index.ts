/** The public API. Nothing outside imports deeper. */

export type { ErrorCode } from './core/error-table.ts';
export { type ErrorKind, FerruleError, isFerruleError } from './core/errors.ts';
export type { Finding, Position, Severity } from './core/finding.ts';
export { Secret, type Text } from './core/secret.ts';
export type { SpecDocument } from './core/spec-types.gen.ts';
export type { Json, JsonObject } from './core/value.ts';
export type { CheckReport, CheckStep } from './engine/check.ts';
export { type ConnectOptions, type Consent, connectSpec, connectStored, type Inputs } from './engine/connect.ts';
export type { Connection, Reading, ReadOptions, StreamInfo } from './engine/connection.ts';
export type { ConnectionOptions, NetworkOptions, RetryOptions } from './engine/options.ts';
export { BUNDLED_FOLDER, bundledCatalogue, type CatalogueOptions, type Connector, loadConnector, type StoredCredential } from './engine/connector.ts';
