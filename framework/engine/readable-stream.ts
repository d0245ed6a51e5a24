import { FerruleError, isFerruleError } from '../core/errors.ts';
import { compileOrThrow, evaluateCondition } from '../core/expression/index.ts';
import type { ResolvedStream } from '../core/resolved.ts';
import { suggest } from '../core/suggest.ts';
import type { Session } from './session.ts';

/** A stream that can be read now. @throws FerruleError stream_unknown, input_missing */
export function readableStream(session: Session, name: string): ResolvedStream {
  const { resolved } = session;
  const stream = Object.hasOwn(resolved.streams, name) ? resolved.streams[name] : undefined;
  if (stream === undefined) throw unknownStream(name, session);
  if (!offered(stream, session)) {
    throw new FerruleError('stream_unknown', `${resolved.name} does not offer "${name}" under these choices (${stream.when})`, {
      where: `streams.${name}.when`,
    });
  }
  requireFields(session);
  return stream;
}

/** Whether a stream and all its parents are offered under these choices. */
export function offered(stream: ResolvedStream, session: Session): boolean {
  const { scopes, resolved, variables } = session;
  const { streams } = resolved;
  const way = new Set<string>();
  for (let at: ResolvedStream | undefined = stream; at !== undefined; ) {
    // Lint finds it, and a spec may run that nobody has linted.
    if (way.has(at.name)) {
      const message = `The parents go round in a circle: ${[...way, at.name].join(' → ')}`;
      throw new FerruleError('spec_invalid', message, { where: `streams.${stream.name}.parent` });
    }
    way.add(at.name);
    if (at.when !== undefined && !evaluateCondition(compileOrThrow(at.when, 'condition', 'data', scopes.connection), variables()))
      return false;
    // A parent that is not there is told when it is read.
    at = at.parent !== undefined && Object.hasOwn(streams, at.parent) ? streams[at.parent] : undefined;
  }
  return true;
}

function unknownStream(name: string, { resolved }: Session): FerruleError {
  const names = Object.keys(resolved.streams);
  const meant = suggest(name, names);
  return new FerruleError('stream_unknown', `${resolved.name} has no stream "${name}"`, {
    where: name,
    next: `${meant === undefined ? '' : `Did you mean "${meant}"? `}It has: ${names.join(', ')}.`,
  });
}

/** A field that is asked for after the token is optional until then and required from here on. */
function requireFields({ resolved, tokens, variables, scopes }: Session): void {
  const { fields } = tokens.credential;
  for (const field of resolved.fields) {
    if (field.after !== 'auth' || !field.required || field.default !== undefined || fields[field.name] !== undefined) continue;
    if (field.when !== undefined && !evaluateCondition(compileOrThrow(field.when, 'condition', 'data', scopes.connection), variables()))
      continue;
    throw new FerruleError('input_missing', `${field.title} is not chosen yet`, {
      where: `fields.${field.name}`,
      next: `connection.options('${field.name}') lists the values; connect again with one of them.`,
    });
  }
}

/** What is said of an answer's data names its keys, and a provider may have put anything there. */
export function redacted(error: unknown, { redactor }: Session): unknown {
  if (!isFerruleError(error)) return error;
  const [message, where] = [redactor.redact(error.message), error.where && redactor.redact(error.where)];
  if (message === error.message && where === error.where) return error;
  return new FerruleError(error.code, message, { ...error, findings: [...error.findings], where });
}
