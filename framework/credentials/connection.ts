import type { Secret, Text } from '../core/secret.ts';

/** Which part of the OAuth flow is Ferrule's: see `initiateEffect`. */
export type InitiateOAuth = 'OFF' | 'REFRESH' | 'GETANDREFRESH';

/** Where tokens are kept between connections. */
export type TokenStorage = { type: 'memory'; id: string } | { type: 'file'; path: string };

/** How this one connection behaves; never part of a stored credential. */
export interface RuntimeOptions {
  retry?: {
    mode?: 'None' | 'RetryAny' | 'RetryWhenStatusCodeMatch';
    statuses?: number[];
    countMax?: number;
    multiplyWaitTime?: boolean;
  };
  network?: {
    /** `http://user:password@host:port`. */
    proxy?: Secret;
    /** Hosts that are reached without it, separated by commas. */
    noProxy?: string;
    /** Further certificate authorities, PEM. */
    ca?: string;
    /** A file with them: whoever uses the options reads it. */
    caFile?: string;
    headers?: Record<string, Secret>;
    query?: Record<string, Secret>;
    /** In place of `Bearer `, with the space behind it. */
    authorizationPrefix?: string;
  };
  /** For one call with its retries. Milliseconds. */
  timeout?: number;
  /** Records a stream. */
  limit?: number;
  /** Verbosity 1 (errors) to 5 (everything). */
  log?: { file?: string; verbosity?: number };
}

/** What one connection string says. */
export interface ParsedConnection {
  connector: string;
  method: string;
  initiate: InitiateOAuth;
  choices: Record<string, string>;
  /** As written, `Secret` where the field is one; not yet checked against their types: see `readInputs`. */
  fields: Record<string, Text>;
  /** Tokens that the person brings. `expires_at` in milliseconds since the epoch. */
  tokens: { access_token?: Secret; refresh_token?: Secret; expires_at?: number };
  /** For a consent: `code` is what the provider showed on another machine. */
  oauth: { redirect_uri?: string; scope?: string; state?: string; code?: Secret };
  storage?: TokenStorage;
  runtime: RuntimeOptions;
}

/** The scopes that a string asks for in place of the spec's, as `Inputs` take them. */
export function scopesIn({ oauth: { scope } }: ParsedConnection): { scopes?: string[] } {
  return scope === undefined ? {} : { scopes: scope.split(/[\s,]+/).filter((word) => word !== '') };
}

/** What `InitiateOAuth` allows (providers' own words, reference B2). */
export interface InitiateEffect {
  /** Ferrule gets the first token by itself, asking the person in a browser where the method needs that. */
  obtain: boolean;
  /** Ferrule renews a token that has expired. */
  refresh: boolean;
}

/**
 * OFF: the person does the whole flow and gives OAuthAccessToken, which is used until it expires. REFRESH: the person
 * brings the first token, Ferrule renews it. GETANDREFRESH: Ferrule does all of it.
 */
export const initiateEffect = (initiate: InitiateOAuth): InitiateEffect => ({
  obtain: initiate === 'GETANDREFRESH',
  refresh: initiate !== 'OFF',
});
