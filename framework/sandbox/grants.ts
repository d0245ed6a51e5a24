import type { Clock } from '../core/clock.ts';
import { Devices } from './devices.ts';
import { digest } from './seeded.ts';

/** Sets remembered: a sandbox may stand for days, and each request looks for its own. */
const KEPT = 1000;

/** What a person, or a client for itself, has allowed. Ends as a whole when a code or a rotated refresh token is used twice. */
export interface Grant {
  method: string;
  clientId: string;
  scope: string;
  revoked: boolean;
}

export interface AccessToken {
  grant: Grant;
  /** Name of the capture: `access_token`, or what a spec calls another one. */
  name: string;
  expires: number;
  revoked: boolean;
}

interface RefreshToken {
  grant: Grant;
  /** A newer one has taken its place. */
  spent: boolean;
}

export interface Client {
  method: string;
  id: string;
  /** Undefined: a public client. */
  secret: string | undefined;
  redirectUris: readonly string[];
}

export interface Code {
  grant: Grant;
  redirectUri: string;
  challenge: string | undefined;
  expires: number;
  used: boolean;
}

/** What one answer brought together: a token and its secret, a key of short life and its session. */
export interface Issued {
  method: string;
  /** By the capture's name. */
  values: Record<string, string>;
  /** What a consent has added to it (RFC 5849, 2.2: the verifier). */
  code?: string;
  redirectUri?: string;
  used?: boolean;
}

export type Standing = 'good' | 'unknown' | 'expired' | 'revoked';

/** Every token, code and revoked secret that the sandbox knows. */
export class Grants {
  readonly #clock: Clock;
  readonly #seed: string;
  readonly #lifetime: number;
  readonly #codeLifetime: number;
  readonly #access = new Map<string, AccessToken>();
  readonly #refresh = new Map<string, RefreshToken>();
  readonly #codes = new Map<string, Code>();
  readonly #revoked = new Set<string>();
  readonly #sets: Issued[] = [];
  readonly #used = new Set<string>();
  readonly devices: Devices;
  /** Clients that have registered themselves, by ID (RFC 7591). */
  readonly clients = new Map<string, Client>();
  #issued = 0;

  constructor(clock: Clock, seed: string, lifetimes: { token: number; code: number }) {
    this.#clock = clock;
    this.devices = new Devices(clock);
    this.#seed = seed;
    this.#lifetime = lifetimes.token * 1000;
    this.#codeLifetime = lifetimes.code * 1000;
  }

  get now(): number {
    return this.#clock.now();
  }

  get codeLifetime(): number {
    return this.#codeLifetime / 1000;
  }

  /** Fresh text for whatever else is given out. */
  text(kind: string): string {
    return this.#text(kind);
  }

  /** base64 with its `+`, `/` and `=` (legal in a bearer token, RFC 6750, 2.1), so that a client that does not encode them in a form fails. */
  #text(kind: string): string {
    this.#issued++;
    return `${digest(this.#seed, kind, this.#issued).toString('base64').slice(0, 38)}+/=`;
  }

  /** `text`: what it must look like instead; `jwt`: it says its own end (RFC 7519, 4.1.4); `lasting`: it has none. */
  issueAccess(
    grant: Grant,
    name = 'access_token',
    { text, jwt, lasting }: { text?: (seed: number) => string | undefined; jwt?: boolean; lasting?: boolean } = {},
  ): string {
    const plain = this.#text(name);
    const token = text?.(this.#issued) ?? (jwt === true ? this.#jwt(plain) : plain);
    this.#access.set(token, { grant, name, expires: lasting === true ? Number.POSITIVE_INFINITY : this.ends, revoked: false });
    return token;
  }

  /** Nobody but the sandbox reads it, and it knows its tokens by heart: the signature is no more than looks. */
  #jwt(signature: string): string {
    const parts = [{ alg: 'HS256', typ: 'JWT' }, { exp: Math.floor(this.ends / 1000) }, signature];
    return parts.map((part) => Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')).join('.');
  }

  /** True for the first use of something that is good once. */
  once(what: string): boolean {
    const first = !this.#used.has(what);
    this.#used.add(what);
    return first;
  }

  /** Keeps together what one answer brought. */
  issueSet(method: string, values: Record<string, string>): Issued {
    const set: Issued = { method, values };
    this.#sets.push(set);
    if (this.#sets.length > KEPT) this.#sets.shift();
    return set;
  }

  /** The newest set of the method, one of whose values is `shown`. */
  issuedFor(method: string, shown: (value: string) => boolean): Issued | undefined {
    return this.#sets.findLast((set) => set.method === method && Object.values(set.values).some(shown));
  }

  /** How its tokens stand; what is no token is good. */
  standingOf({ values }: Issued): Exclude<Standing, 'unknown'> {
    const standings = Object.entries(values).map(([name, value]) => this.standing(value, name));
    return standings.includes('revoked') ? 'revoked' : standings.includes('expired') ? 'expired' : 'good';
  }

  issueRefresh(grant: Grant): string {
    const token = this.#text('refresh');
    this.#refresh.set(token, { grant, spent: false });
    return token;
  }

  issueCode(grant: Grant, redirectUri: string, challenge: string | undefined): string {
    const code = this.#text('code');
    this.#codes.set(code, { grant, redirectUri, challenge, expires: this.#clock.now() + this.#codeLifetime, used: false });
    return code;
  }

  standing(token: string, name = 'access_token'): Standing {
    const refresh = name === 'refresh_token' ? this.#refresh.get(token) : undefined;
    if (refresh !== undefined) return refresh.grant.revoked || refresh.spent ? 'revoked' : 'good';
    const found = this.#access.get(token);
    if (found === undefined || found.name !== name) return 'unknown';
    if (found.revoked || found.grant.revoked) return 'revoked';
    return this.#clock.now() >= found.expires ? 'expired' : 'good';
  }

  grantOf(token: string): Grant | undefined {
    return (this.#access.get(token) ?? this.#refresh.get(token))?.grant;
  }

  /** RFC 6749, 4.1.2: a code that is used twice ends every token that came from it. */
  useCode(text: string): Code | 'unknown' | 'expired' | 'used' {
    const code = this.#codes.get(text);
    if (code === undefined) return 'unknown';
    if (code.used) {
      code.grant.revoked = true;
      return 'used';
    }
    code.used = true;
    return this.#clock.now() >= code.expires ? 'expired' : code;
  }

  /** RFC 9700, 4.14.2: a rotated refresh token that comes again ends the grant, since one of two holders has stolen it. */
  useRefresh(text: string, rotates: boolean): Grant | 'unknown' | 'revoked' | 'spent' {
    const token = this.#refresh.get(text);
    if (token === undefined) return 'unknown';
    if (token.grant.revoked) return 'revoked';
    if (token.spent) {
      token.grant.revoked = true;
      return 'spent';
    }
    token.spent = rotates;
    return token.grant;
  }

  /** When a token ends that is issued now. */
  get ends(): number {
    return this.#clock.now() + this.#lifetime;
  }

  get lifetime(): number {
    return this.#lifetime / 1000;
  }

  expire(): void {
    for (const token of this.#access.values())
      if (token.expires !== Number.POSITIVE_INFINITY) token.expires = Math.min(token.expires, this.#clock.now());
  }

  revoke(text: string): boolean {
    const access = this.#access.get(text);
    const refresh = this.#refresh.get(text);
    if (access !== undefined) access.revoked = true;
    if (refresh !== undefined) refresh.grant.revoked = true;
    return access !== undefined || refresh !== undefined;
  }

  /** A key, password or client secret that a person has withdrawn at the provider. */
  withdraw(secret: string): void {
    this.#revoked.add(secret);
  }

  withdrawn(secret: string): boolean {
    return this.#revoked.has(secret);
  }

  get live(): { access: string[]; refresh: string[] } {
    const access = [...this.#access].filter(([token, { name }]) => this.standing(token, name) === 'good').map(([token]) => token);
    const refresh = [...this.#refresh].filter(([, { grant, spent }]) => !grant.revoked && !spent).map(([token]) => token);
    return { access, refresh };
  }
}
