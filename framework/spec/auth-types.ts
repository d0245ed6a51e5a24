import type { Field, Send } from '../core/spec-types.gen.ts';

/**
 * What each auth type fills in: the fields it implies, its built-in calls and its default send, all of it data in the
 * language itself. Nothing else in the project knows a type by name but the schema (schemas/auth/<type>).
 */
export interface AuthType {
  fields: Record<string, Field>;
  /** The built-in token request, laid under the author's `token:`. */
  token?: CallText;
  /** The built-in renewal, laid under the author's `refresh:`. */
  refresh?: CallText;
  /** Whether a person consents in a browser first. */
  consent?: boolean;
  steps: { type: 'token' }[];
  send: Send;
}

interface CallText {
  encode: 'form';
  body: Record<string, string>;
}

const OAUTH_FIELDS: Record<string, Field> = {
  client_id: { title: 'Client ID', owner: 'app', aliases: ['OAuthClientId', 'ClientId'] },
  client_secret: { title: 'Client secret', secret: true, owner: 'app', aliases: ['OAuthClientSecret', 'ClientSecret'] },
};
const BEARER: Send = { headers: { Authorization: 'Bearer ${token.access_token}' } };
const CLIENT: Record<string, Field> = Object.fromEntries(
  Object.entries(OAUTH_FIELDS).map(([name, field]) => [name, { ...field, owner: 'person' }]),
);
/** RFC 6749, 6 */
export const REFRESH: CallText = {
  encode: 'form',
  body: { grant_type: 'refresh_token', refresh_token: '${token.refresh_token}' },
};
/** RFC 6749 says scope is left out when there is none; `token_scope` is absent then. */
const SCOPE = '${oauth.scope}';

export const AUTH_TYPES: Readonly<Record<string, AuthType>> = Object.freeze({
  none: { fields: {}, steps: [], send: {} },
  api_key: { fields: { api_key: { title: 'API key', secret: true, aliases: ['APIKey', 'ApiKey'] } }, steps: [], send: {} },
  bearer: {
    fields: { token: { title: 'Token', secret: true, aliases: ['Token', 'OAuthAccessToken'] } },
    steps: [],
    send: { headers: { Authorization: 'Bearer ${fields.token}' } },
  },
  basic: {
    fields: {
      username: { title: 'User name', aliases: ['User', 'UserName', 'Uid'] },
      password: { title: 'Password', secret: true, aliases: ['Password', 'Pwd'] },
    },
    steps: [],
    // RFC 7617; a half that the spec drops (null) is blank: resolve puts "" in its place.
    send: { headers: { Authorization: 'Basic ${base64(fields.username + ":" + fields.password)}' } },
  },
  oauth2_client_credentials: {
    fields: CLIENT,
    // RFC 6749, 4.4.2
    token: { encode: 'form', body: { grant_type: 'client_credentials', scope: SCOPE } },
    steps: [{ type: 'token' }],
    send: BEARER,
  },
  oauth2_authorization_code: {
    fields: OAUTH_FIELDS,
    consent: true,
    // RFC 6749, 4.1.3; RFC 7636, 4.5
    token: {
      encode: 'form',
      body: {
        grant_type: 'authorization_code',
        code: '${oauth.code}',
        redirect_uri: '${oauth.redirect_uri}',
        code_verifier: '${oauth.code_verifier}',
      },
    },
    refresh: REFRESH,
    steps: [{ type: 'token' }],
    send: BEARER,
  },
});
