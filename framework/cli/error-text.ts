import { isFerruleError } from '../core/errors.ts';
import type { Finding } from '../core/finding.ts';
import type { Io } from './io.ts';
import { styleOf, visible } from './style.ts';

export interface ErrorTextOptions {
  /** Adds the stack: for reports of bugs. */
  debug?: boolean;
  /** One JSON object on one line, for programs. */
  json?: boolean;
}

/**
 * An error as a person meets it: what, where, the provider's own words, what to do next. A stack only with --debug; of
 * an error that is not ours the message too stays out until then, since it may hold what nobody looked through.
 */
export function errorText(error: unknown, io: Pick<Io, 'stderr' | 'env'>, { debug = false, json = false }: ErrorTextOptions = {}): string {
  const style = styleOf(io.stderr, io.env);
  const stack = debug && error instanceof Error ? `${error.stack ?? ''}\n` : '';
  if (!isFerruleError(error)) {
    const name = error instanceof Error ? error.name : typeof error;
    const next = 'Report it with the command; run it with --debug to see where it arose.';
    if (json)
      return `${JSON.stringify({ error: { code: 'internal', kind: 'internal', message: `A bug in Ferrule (${name}).`, next } })}\n${stack}`;
    return `${style.red('error[internal]')}: A bug in Ferrule (${name}).\n  next: ${next}\n${stack}`;
  }
  if (json) return `${JSON.stringify({ error: error.toJSON() })}\n${stack}`;
  const { code, message, where, provider, providerCode, status, next, findings } = error;
  const told = (text: string): boolean => message.includes(text);
  const lines = [`${style.red(`error[${code}]`)}: ${visible(message)}`];
  if (where !== undefined && !message.includes(where)) lines.push(`  where: ${visible(where)}`);
  const said = [
    status === undefined || told(String(status)) ? '' : `HTTP ${status}`,
    providerCode === undefined || told(providerCode) ? '' : providerCode,
    provider === undefined || told(provider) ? '' : `"${provider}"`,
  ].filter((part) => part !== '');
  if (said.length > 0) lines.push(`  the provider said: ${visible(said.join(' '))}`);
  if (findings.length > 1 || !told(findings[0]?.message ?? ''))
    lines.push(...findings.slice(0, MOST_FINDINGS).map((one) => findingLine(one, told(one.message))));
  if (findings.length > MOST_FINDINGS) lines.push(`  and ${findings.length - MOST_FINDINGS} more`);
  lines.push(`  ${style.cyan('next')}: ${visible(next)}`);
  return `${lines.join('\n')}\n${stack}`;
}

const MOST_FINDINGS = 20;

/** Findings of a file with their place; those of inputs by the field's name. What the error's own message says is not said again. */
function findingLine({ file, path, start, message, hint }: Finding, told: boolean): string {
  const place = /\.(ya?ml|json)$/i.test(file) ? `${file}:${start.line}:${start.column}` : path.join('.') || file;
  return `  ${place}: ${visible([told ? '' : message, hint ?? ''].filter((text) => text !== '').join(' '))}`;
}
