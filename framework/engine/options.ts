import type { LookupFunction } from 'node:net';
import type { Clock, Random } from '../core/clock.ts';
import type { Text } from '../core/secret.ts';
import type { CredentialStore, FieldValue } from '../credentials/types.ts';
import type { ClientEvent, RetryPolicy, Timeouts } from '../http/types.ts';

/** Settings of the network that one connection lives in: the word of whoever runs Ferrule, never a spec's. */
export interface NetworkOptions {
  /** `http://user:password@proxy:3128`. Default: HTTPS_PROXY and NO_PROXY of the environment; null: none. */
  proxy?: Text | null;
  noProxy?: string;
  /** Further certificate authorities, PEM. */
  ca?: string;
  /** Client certificate and key, PEM. */
  certificate?: string;
  key?: Text;
  /** Put on every call of this connection. */
  headers?: Record<string, Text>;
  query?: Record<string, Text>;
  userAgent?: string;
  /** Hosts that resolve to private addresses: a self-hosted provider in one's own network. */
  allowPrivateAddresses?: boolean;
  /** Hosts that resolve to this machine. */
  allowLoopbackAddresses?: boolean;
  /** How names become addresses; default the system's. What it gives is checked as any other answer. */
  lookup?: LookupFunction;
  /** Instead of `Bearer ` in Authorization; a trailing space is part of it. */
  authorizationPrefix?: string;
}

/** The seed products' four retry settings, per connection; they narrow what the spec says. */
export interface RetryOptions {
  mode?: NonNullable<RetryPolicy['mode']>;
  statuses?: readonly number[];
  countMax?: number;
  multiplyWaitTime?: boolean;
}

export interface ConnectionOptions {
  /** Values of the fields of `owner: app`, for every account alike; a value of the credential's own stands over them. Never stored. */
  app?: Readonly<Record<string, FieldValue>>;
  network?: NetworkOptions;
  retry?: RetryOptions;
  /** Milliseconds. */
  timeout?: Partial<Timeouts>;
  /** At most so many requests in any `per` milliseconds, besides the spec's limits. */
  throttle?: { requests: number; per: number };
  /** Whether the spec's rate limits are kept from this side. Default true; a sandbox of one's own needs none. */
  rateLimits?: boolean;
  /** Real origin → loopback origin, as a sandbox gives it. The credential that is made is marked and goes nowhere else. */
  sandbox?: { addresses: Record<string, string> };
  /** InitiateOAuth of connection strings: `obtain` a first token, `refresh` one that ends. Default: both. */
  oauth?: { obtain?: boolean; refresh?: boolean };
  /** Records of each stream at most, where a read says nothing. */
  limit?: number;
  /** Keeps tokens across connections and processes. */
  store?: CredentialStore;
  /** Sees every request, answer, wait and retry, redacted. */
  onEvent?: (event: ClientEvent) => void;
  /** Whether those have headers and bodies, which takes a tenth of a millisecond a request. Default true. */
  eventDetails?: boolean;
  /** Where proxy settings are looked for (default: process.env), and FERRULE_APP_<CONNECTOR>_<FIELD> for what `app` leaves out (default: nowhere). */
  environment?: Readonly<Record<string, string | undefined>>;
  clock?: Clock;
  random?: Random;
  signal?: AbortSignal;
}
