import type { Clock } from '../core/clock.ts';
import { FerruleError, isFerruleError } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';
import { urlOf } from '../core/url.ts';
import type { Json, JsonObject } from '../core/value.ts';
import type { OauthVariables } from './steps.ts';

/** What the person is shown (RFC 8628, 3.2). */
export interface DeviceCode {
  userCode: string;
  /** The page on which it is entered; `complete` has it filled in. */
  verificationUri: string;
  complete: string | undefined;
  /** Milliseconds since the epoch. */
  ends: number;
  /** Milliseconds between two requests. */
  interval: number;
  code: Secret;
}

/** Seconds, where the answer says nothing (RFC 8628, 3.2 and 3.5). */
const INTERVAL = 5;
const LIFETIME = 1800;
/** Nobody waits longer for a person at another device. */
const LONGEST = 24 * 3600;

/** @throws FerruleError token_malformed when a required parameter is missing */
export function deviceCode(body: Json, now: number): DeviceCode {
  const answer = (typeof body === 'object' && body !== null && !Array.isArray(body) ? body : {}) as JsonObject;
  const text = (name: string): string => {
    const value = answer[name];
    if (typeof value === 'string' && value !== '') return value;
    throw new FerruleError('token_malformed', `device: the answer has no ${name}`, { where: name });
  };
  const { verification_uri_complete: complete } = answer;
  // A wait that is no number, or no wait, would ask without end.
  const seconds = (name: string, missing: number): number => {
    const value = Number(answer[name] ?? missing);
    if (value >= 0) return Math.min(value, LONGEST);
    throw new FerruleError('token_malformed', `device: ${name} is no number of seconds`, { where: name });
  };
  // Google and others wrote verification_url before the RFC was one.
  const verificationUri = 'verification_uri' in answer ? text('verification_uri') : text('verification_url');
  return {
    userCode: text('user_code'),
    verificationUri: onWeb(verificationUri),
    complete: typeof complete === 'string' ? onWeb(complete) : undefined,
    ends: now + seconds('expires_in', LIFETIME) * 1000,
    interval: Math.max(1, seconds('interval', INTERVAL)) * 1000,
    code: new Secret(text('device_code')),
  };
}

/** It is opened by a person: nothing but a page. */
function onWeb(uri: string): string {
  const loopback = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(\/|$)/.test(uri);
  const url = urlOf(uri);
  if (url !== undefined && (url.protocol === 'https:' || loopback)) return uri;
  throw new FerruleError('token_malformed', 'device: verification_uri is no https URL', { where: 'verification_uri' });
}

export interface Polling {
  clock: Clock;
  /** One token request with the device code. */
  ask: (oauth: OauthVariables) => Promise<void>;
  signal: AbortSignal | undefined;
}

/** Asks until the person has decided (RFC 8628, 3.4 and 3.5). */
export async function pollForToken(device: DeviceCode, { clock, ask, signal }: Polling): Promise<void> {
  let { interval } = device;
  let outage: unknown;
  for (;;) {
    await clock.sleep(interval, signal);
    if (clock.now() >= device.ends) throw outage ?? ended('The code was not entered in time');
    outage = undefined;
    try {
      return await ask({ device_code: device.code });
    } catch (error) {
      const code = isFerruleError(error) ? error.providerCode : undefined;
      if (code === 'slow_down') interval += 5000;
      else if (code === 'access_denied') throw ended('Consent was not given');
      else if (code === 'expired_token') throw ended('The code was not entered in time');
      else if (code === undefined && isFerruleError(error) && error.kind === 'transient') {
        // The person may be at it all the same: asked again, at half the pace.
        outage = error;
        interval *= 2;
      } else if (code !== 'authorization_pending') throw error;
    }
  }
}

const ended = (what: string): FerruleError =>
  new FerruleError('consent_denied', `${what}.`, { where: 'device_code', next: 'Connect again, and enter the new code.' });
