import type { Clock } from '../core/clock.ts';
import type { Grant } from './grants.ts';

/** Seconds between two polls (RFC 8628, 3.2). */
export const POLL_INTERVAL = 5;

export interface Device {
  userCode: string;
  grant: Grant;
  expires: number;
  /** Undefined: nobody has decided yet. */
  accepted: boolean | undefined;
  interval: number;
  polled: number | undefined;
  used: boolean;
}

/** Device codes that were given out (RFC 8628). */
export class Devices {
  readonly #clock: Clock;
  readonly #byCode = new Map<string, Device>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  issue(code: string, userCode: string, grant: Grant, lifetime: number, accepted: boolean | undefined): void {
    const expires = this.#clock.now() + lifetime * 1000;
    this.#byCode.set(code, { userCode, grant, expires, accepted, interval: POLL_INTERVAL * 1000, polled: undefined, used: false });
  }

  /** People leave out the dash, and write small letters (RFC 8628, 6.1). */
  waiting(userCode: string): Device | undefined {
    const plain = (text: string): string => text.toUpperCase().replaceAll(/[^A-Z]/g, '');
    return [...this.#byCode.values()].find(
      (device) => plain(device.userCode) === plain(userCode) && device.accepted === undefined && this.#clock.now() < device.expires,
    );
  }

  /** RFC 8628, 3.5: the grant, or the error of whoever asks too early, too often or too late. */
  poll(
    code: string,
    clientId: string,
  ): Grant | 'invalid_grant' | 'expired_token' | 'slow_down' | 'access_denied' | 'authorization_pending' {
    const device = this.#byCode.get(code);
    if (device === undefined || device.used || device.grant.clientId !== clientId) return 'invalid_grant';
    const now = this.#clock.now();
    if (now >= device.expires) return 'expired_token';
    const early = device.polled !== undefined && now - device.polled < device.interval;
    device.polled = now;
    if (early) {
      device.interval += POLL_INTERVAL * 1000;
      return 'slow_down';
    }
    if (device.accepted === undefined) return 'authorization_pending';
    if (!device.accepted) return 'access_denied';
    device.used = true;
    return device.grant;
  }
}
