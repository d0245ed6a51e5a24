import { FerruleError, isFerruleError } from '../core/errors.ts';

/** Where a request was when it failed, for the message; nothing in it is secret. */
export interface FailurePlace {
  /** Method and URL without query, redacted. */
  where: string;
  /** `host:port`. */
  host: string;
  /** `host:port` of the proxy in between. */
  proxy?: string;
}

const TLS = /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO$|ERR_OSSL)/;

/**
 * What the transport threw, as one of ours. Its message, options, request, response and cause are left behind: a message may hold the
 * query string, an inspected request the Authorization header.
 */
export function failureOf(error: unknown, place: FailurePlace): FerruleError {
  const own = ownError(error);
  if (own) return own;
  const code = codeOf(error);
  const { where } = place;
  const to = place.proxy === undefined ? place.host : `${place.host} through the proxy ${place.proxy}`;
  const proxyStatus = /^Bad response: (\d{3})$/.exec(messageOf(error))?.[1];
  if (place.proxy !== undefined && proxyStatus !== undefined) return proxyFailure(place.proxy, proxyStatus, place);
  if (code === 'ENOTFOUND' || code.startsWith('EAI_') || code === 'ENODATA') {
    // A name that does not exist will not exist in a second either; a name server that does not answer may.
    const kind = code === 'EAI_AGAIN' ? 'transient' : 'input';
    return new FerruleError('name_not_resolved', `The name ${place.proxy ?? place.host} does not resolve (${code}).`, { where, kind });
  }
  if (TLS.test(code)) {
    const [reason, next] = tlsReason(code);
    return new FerruleError('tls_failed', `TLS with ${to} failed (${code}): ${reason}.`, { where, ...(next !== undefined && { next }) });
  }
  if (code.startsWith('HPE_')) {
    return new FerruleError('response_malformed', `The answer of ${to} is not HTTP as it should be (${code}).`, {
      where,
      next: 'Check host and port: does an HTTP server answer there?',
    });
  }
  return new FerruleError('connection_failed', `The connection to ${to} failed${code === '' ? '' : ` (${code})`}.`, { where });
}

function proxyFailure(proxy: string, status: string, { where }: FailurePlace): FerruleError {
  const refused = status === '407' || status === '403';
  return new FerruleError('connection_failed', `The proxy ${proxy} answered ${status} when asked for a tunnel.`, {
    where,
    ...(refused && { kind: 'input', next: "Check the proxy's user name and password, and whether it allows this host." }),
  });
}

/** A timeout of ours, by phase. */
export function timeoutError(
  phase: 'connect' | 'response' | 'total' | 'idle' | 'slow',
  ms: number,
  { where, host }: FailurePlace,
): FerruleError {
  const message = {
    connect: `No connection to ${host} within ${ms} ms (connect timeout).`,
    response: `${host} did not begin to answer within ${ms} ms (response timeout).`,
    total: `The call took longer than ${ms} ms with its retries (total timeout).`,
    idle: `${host} sent nothing for ${ms} ms in the middle of the answer (response timeout).`,
    slow: `${host} sent less than 1 KiB in ${ms} ms of the answer (response timeout).`,
  }[phase];
  return new FerruleError('timeout', message, { where });
}

/** The answer is beyond what is held in memory. */
export const tooLarge = (maxBytes: number, where: string) =>
  new FerruleError('response_malformed', `The answer is larger than ${maxBytes} bytes.`, {
    where,
    next: 'Ask for smaller pages, or read it as a stream.',
  });

/** An error and what caused it, in turn. Told by shape, not by class: an error may come from another realm. */
function* chain(error: unknown): Generator<object> {
  for (let at = error, depth = 0; typeof at === 'object' && at !== null && depth < 5; depth++) {
    yield at;
    at = 'cause' in at ? at.cause : undefined;
  }
}

function ownError(error: unknown): FerruleError | undefined {
  for (const at of chain(error)) if (isFerruleError(at)) return at;
  return undefined;
}

/** The first code that says something (ECONNRESET, CERT_HAS_EXPIRED); empty when there is none. */
export function codeOf(error: unknown): string {
  for (const at of chain(error)) {
    const code = 'code' in at && typeof at.code === 'string' ? at.code : '';
    // A code is an identifier; got's own words for "something" say nothing.
    if (/^[A-Z][A-Z0-9_]{2,60}$/.test(code) && !/^ERR_(GOT_|ABORTED|READING|BODY|UPLOAD)/.test(code)) return code;
    // Several addresses of one name were tried.
    const inner = 'errors' in at && Array.isArray(at.errors) ? at.errors.map(codeOf).find((found) => found !== '') : undefined;
    if (inner !== undefined) return inner;
  }
  return '';
}

const messageOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string' ? error.message : '';

/** What to do where the table's own words about the server's certificate would lead astray. */
const NO_CERTIFICATE = 'Choose an auth method with a client certificate, or set one in the network options.';
const NOT_ACCEPTED =
  'Check that it is the one the provider knows and has not expired; put the certificates between it and its authority behind it.';
const NOT_USABLE = 'Give the certificate and its own key as PEM, and the passphrase if the key has one.';

/** Alerts (RFC 8446, 6.2) are the server's word about our certificate, ERR_OSSL_ what OpenSSL says of it before anything is sent. */
function tlsReason(code: string): [reason: string, next?: string] {
  if (code.startsWith('DEPTH_ZERO') || code.startsWith('SELF_SIGNED')) return ['the certificate is self-signed'];
  if (code.startsWith('UNABLE_TO_')) return ['the certificate is of no known authority'];
  if (code === 'CERT_HAS_EXPIRED') return ['the certificate has expired'];
  if (code === 'CERT_NOT_YET_VALID') return ['the certificate is not valid yet'];
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || code === 'HOSTNAME_MISMATCH') return ['the certificate is for another host'];
  if (code.endsWith('_ALERT_CERTIFICATE_REQUIRED')) return ['the server asks for a client certificate', NO_CERTIFICATE];
  if (/_ALERT_(.*CERTIFICATE.*|UNKNOWN_CA)$/.test(code)) return ['the server does not accept the client certificate', NOT_ACCEPTED];
  if (code.endsWith('BAD_DECRYPT')) return ["the client certificate's key does not open with this passphrase", NOT_USABLE];
  if (code.endsWith('KEY_VALUES_MISMATCH')) return ['the key is not the one of the client certificate', NOT_USABLE];
  if (code.startsWith('ERR_OSSL_')) return ['the client certificate or its key cannot be read', NOT_USABLE];
  return ['the two sides do not agree on TLS'];
}
