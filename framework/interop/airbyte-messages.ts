import type { ErrorCode } from '../core/error-table.ts';
import { type ErrorKind, FerruleError, isFerruleError } from '../core/errors.ts';
import type { JsonObject } from '../core/value.ts';
import type { CheckReport } from '../engine/check.ts';
import { safeLines } from './record-text.ts';

/** One message on its line. */
export const line = (message: object): string => safeLines(`${JSON.stringify(message)}\n`);

export type LogLevel = 'INFO' | 'WARN' | 'ERROR';
export const logMessage = (level: LogLevel, message: string): object => ({ type: 'LOG', log: { level, message } });

export type StreamStatus = 'STARTED' | 'RUNNING' | 'COMPLETE' | 'INCOMPLETE';
export const statusMessage = (stream: string, status: StreamStatus, at: number): object => ({
  type: 'TRACE',
  trace: { type: 'STREAM_STATUS', emitted_at: at, stream_status: { stream_descriptor: { name: stream }, status } },
});

/** Who can mend it: whoever made the configuration, nobody but time, or whoever made the connector. */
const FAILURES: Record<ErrorKind, 'config_error' | 'transient_error' | 'system_error'> = {
  spec: 'system_error',
  input: 'config_error',
  auth: 'config_error',
  permission: 'config_error',
  rate_limit: 'transient_error',
  transient: 'transient_error',
  request: 'system_error',
  data: 'system_error',
  internal: 'system_error',
};

/** What to do there, where our own next step is one of the command line. */
const NEXT: Partial<Record<ErrorCode, string>> = {
  state_unusable: 'Clear (reset) the state of the stream, so that it is read anew.',
  reconnect_required: 'Consent again (`ferrule connect` goes through it) and put the new refresh_token into the configuration.',
  stream_unknown: 'Refresh the schema of the source and choose its streams again.',
};

/** Of what is not ours only the kind is told: its message may hold what nobody looked through. */
const ours = (error: unknown): FerruleError =>
  isFerruleError(error) ? error : new FerruleError('internal', `A bug in Ferrule (${error instanceof Error ? error.name : typeof error})`);

/** An error in a sentence or two, for a person at the platform. */
export function messageOf(error: unknown): string {
  const { message, provider, next, code } = ours(error);
  return sentence({ message, provider, next: NEXT[code] ?? next });
}

/** An error as Airbyte shows it. */
export function errorMessage(error: unknown, at: number, stream?: string): object {
  const own = ours(error);
  return {
    type: 'TRACE',
    trace: {
      type: 'ERROR',
      emitted_at: at,
      error: {
        message: messageOf(own),
        internal_message: [own.code, own.where, own.status === undefined ? undefined : `HTTP ${own.status}`].filter(Boolean).join(', '),
        failure_type: FAILURES[own.kind],
        ...(stream !== undefined && { stream_descriptor: { name: stream } }),
      },
    },
  };
}

/** What is wrong and what to do about it. */
export function sentence({ message, provider, next }: Pick<FerruleError, 'message' | 'next'> & { provider?: string | undefined }): string {
  const said = provider === undefined || message.includes(provider) ? '' : ` The provider said: "${provider}".`;
  return `${message.replace(/[.\s]*$/, '.')}${said} ${next}`.trim();
}

export const failedStatus = (message: string): object => ({ type: 'CONNECTION_STATUS', connectionStatus: { status: 'FAILED', message } });

/** The report of a check as CONNECTION_STATUS: the step that failed, the field to correct, what to do. */
export function statusOf({ ok, steps, account, code }: CheckReport): object {
  if (ok) {
    const message = account === undefined ? undefined : `Connected to ${account}`;
    return { type: 'CONNECTION_STATUS', connectionStatus: { status: 'SUCCEEDED', ...(message !== undefined && { message }) } };
  }
  const failed = steps.find((step) => !step.ok);
  const { message = 'The check failed', field, provider, next: own = '', choice } = failed ?? {};
  const next = NEXT[code as ErrorCode] ?? own;
  const others = choice === undefined ? '' : ` ${choice.name} is ${choice.option}; there is also ${choice.others.join(', ')}.`;
  const where = field === undefined ? '' : ` Look at: ${field}.`;
  return failedStatus(`${sentence({ message, provider, next })}${where}${others}`);
}

export const configMessage = (config: JsonObject, at: number): object => ({
  type: 'CONTROL',
  control: { type: 'CONNECTOR_CONFIG', emitted_at: at, connectorConfig: { config } },
});
