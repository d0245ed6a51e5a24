import { FerruleError } from '../core/errors.ts';
import { isSensitiveName } from '../core/redact.ts';
import { Secret } from '../core/secret.ts';
import type { RequestDraft } from '../core/value.ts';
import type { HostPolicy } from './hosts.ts';

/** Where a redirect leads and with what request. */
export interface Hop {
  url: URL;
  draft: RequestDraft;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export const isRedirect = (status: number, location: string | undefined): location is string =>
  REDIRECTS.has(status) && location !== undefined;

/**
 * RFC 9110 section 15.4: 303 becomes a GET (a HEAD stays one), 301 and 302 turn a POST into a GET as all clients do, 307 and 308 keep
 * method and body. With a credential the target must be one that the spec names; without one, any https host.
 */
export function followRedirect(
  from: URL,
  draft: RequestDraft,
  status: number,
  location: string,
  policy: HostPolicy,
  credential: boolean,
): Hop {
  let url: URL;
  try {
    url = new URL(location, from);
  } catch {
    throw refused(`${from.origin} redirects (${status}) to something that is no URL.`, from);
  }
  url.hash = '';
  if (url.username !== '' || url.password !== '')
    throw refused(`${from.origin} redirects (${status}) to a URL with a user name in it.`, from);
  if (url.protocol !== 'https:' && url.protocol !== from.protocol) {
    throw refused(`${from.origin} redirects (${status}) from ${from.protocol.slice(0, -1)} to ${url.protocol.slice(0, -1)}.`, from);
  }
  if (credential && !policy.mayHaveCredential(url)) {
    throw refused(`${from.origin} redirects (${status}) to ${url.origin}, which the spec does not name.`, from);
  }
  policy.check(url, credential);
  const toGet = (status === 303 && draft.method !== 'HEAD') || ((status === 301 || status === 302) && draft.method === 'POST');
  const { body, ...rest } = draft;
  // The location has its own query; the request's is not put on it again.
  const next: RequestDraft = { ...rest, url: url.href, query: {} };
  if (toGet) next.method = 'GET';
  else if (body !== undefined) next.body = body;
  return { url, draft: credential || url.origin === from.origin ? next : stripped(next, from, url) };
}

/** A call that brings its own secrets (a token call, a signed download) is bound to its origin: elsewhere goes what is nobody's secret. */
function stripped(draft: RequestDraft, from: URL, to: URL): RequestDraft {
  if (draft.body !== undefined) throw refused(`${from.origin} redirects a request with a body to ${to.origin}.`, from);
  const headers = Object.entries(draft.headers).filter(([name, value]) => !(value instanceof Secret) && !isSensitiveName(name));
  return { ...draft, headers: Object.fromEntries(headers), cookies: {} };
}

export const tooManyRedirects = (from: URL, max: number) => refused(`More than ${max} redirects, the last one by ${from.origin}.`, from);

const refused = (message: string, from: URL) =>
  new FerruleError('redirect_refused', message, {
    where: from.origin,
    next: 'Check the URL in the spec; if the other host is right, add it under http.hosts.',
  });
