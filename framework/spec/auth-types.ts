import { FerruleError } from '../core/errors.ts';
import type { Decode, ResolvedAuthorize } from '../core/resolved.ts';
import type { AuthMethod, Capture, Field, Send } from '../core/spec-types.gen.ts';

/**
 * What each auth type fills in: the fields it implies, its built-in calls and its default send, all of it data in the
 * language itself. Nothing else in the project knows a type by name but the schema (schemas/auth/<type>), and a signer's own file.
 */
export interface AuthType {
  fields: Record<string, Field>;
  /** The built-in token request, laid under the author's `token:`. */
  token?: CallText;
  /** The built-in renewal, laid under the author's `refresh:`. */
  refresh?: CallText;
  /** The page on which a person consents first. */
  authorize?: AuthorizeText;
  /** The request for a code that the person enters on another device. */
  device?: CallText;
  steps: StepText[];
  send: Send;
  /** Keys of the method that its signer reads, by the names that the signer gives them. Present: each request is signed. */
  signer?: readonly string[];
  /** Keys whose map says what an assertion is made from. */
  assertion?: { key: string; make: 'jwt' | 'saml'; name: string };
  tls?: Tls;
  /** What is different where the method has this key. */
  where?: { key: string; type: Partial<AuthType> };
}

export type StepText = { type: 'token' } | { type: 'assertion' } | ({ type: 'call'; name: string; url: string } & CallText);

interface CallText {
  encode: 'form';
  body?: Record<string, string>;
  sign?: Record<string, string>;
  decode?: Decode;
  capture?: Record<string, Capture | null>;
}

interface AuthorizeText {
  query: Record<string, string>;
  /** The callback parameter that holds the code. */
  code: string;
  proof: ResolvedAuthorize['proof'];
}

type Tls = { certificate: string; key: string; passphrase: string };

const OAUTH_FIELDS: Record<string, Field> = {
  client_id: { title: 'Client ID', owner: 'app', aliases: ['OAuthClientId', 'ClientId'] },
  client_secret: { title: 'Client secret', secret: true, owner: 'app', aliases: ['OAuthClientSecret', 'ClientSecret'] },
};
const BEARER: Send = { headers: { Authorization: 'Bearer ${token.access_token}' } };
const CLIENT: Record<string, Field> = Object.fromEntries(
  Object.entries(OAUTH_FIELDS).map(([name, field]) => [name, { ...field, owner: 'person' }]),
);
const USER: Record<string, Field> = {
  username: { title: 'User name', aliases: ['User', 'UserName', 'Uid'] },
  password: { title: 'Password', secret: true, aliases: ['Password', 'Pwd'] },
};
/** RFC 6749 says scope is left out when there is none; `oauth.scope` is absent then. RFC 8707: so is resource. */
const ASKED = { scope: '${oauth.scope}', resource: '${oauth.resource}' };
/** RFC 6749, 6 */
const REFRESH: CallText = {
  encode: 'form',
  body: { grant_type: 'refresh_token', refresh_token: '${token.refresh_token}', resource: '${oauth.resource}' },
};

export const AUTH_TYPES: Readonly<Record<string, AuthType>> = Object.freeze({
  none: { fields: {}, steps: [], send: {} },
  api_key: { fields: { api_key: { title: 'API key', secret: true, aliases: ['APIKey', 'ApiKey'] } }, steps: [], send: {} },
  bearer: {
    fields: { token: { title: 'Token', secret: true, aliases: ['Token', 'OAuthAccessToken'] } },
    steps: [],
    send: { headers: { Authorization: 'Bearer ${fields.token}' } },
  },
  basic: {
    fields: USER,
    steps: [],
    // RFC 7617; a half that the spec drops (null) is blank: resolve puts "" in its place.
    send: { headers: { Authorization: 'Basic ${base64(fields.username + ":" + fields.password)}' } },
  },
  session: { fields: USER, steps: [], send: BEARER },
  custom: { fields: {}, steps: [], send: {} },
  jwt: {
    fields: {},
    assertion: { key: 'jwt', make: 'jwt', name: 'jwt' },
    steps: [{ type: 'assertion' }],
    send: { headers: { Authorization: 'Bearer ${token.jwt}' } },
  },
  digest: { fields: USER, steps: [], send: {}, signer: [] },
  ntlm: { fields: { ...USER, domain: { title: 'Domain', required: false } }, steps: [], send: {}, signer: [] },
  wsse: {
    fields: USER,
    steps: [],
    // OASIS Web Services Security UsernameToken Profile 1.0, 3.1, in the header form that Atom gave it.
    send: {
      headers: {
        Authorization: 'WSSE profile="UsernameToken"',
        'X-WSSE':
          'UsernameToken Username="${fields.username}", PasswordDigest="${base64(hash("sha1", uuid + format(now, "iso") + fields.password))}", Nonce="${base64(uuid)}", Created="${format(now, "iso")}"',
      },
    },
  },
  mutual_tls: {
    fields: {
      certificate: { title: 'Client certificate (PEM)', type: 'pem', secret: false },
      private_key: { title: 'Private key (PEM)', type: 'pem' },
      passphrase: { title: "The key's passphrase", secret: true, required: false },
    },
    steps: [],
    send: {},
    tls: { certificate: '${fields.certificate}', key: '${fields.private_key}', passphrase: '${fields.passphrase}' },
  },
  oauth1: {
    fields: {
      consumer_key: { title: 'Consumer key' },
      consumer_secret: { title: 'Consumer secret', secret: true },
      token: { title: 'Token' },
      token_secret: { title: 'Token secret', secret: true },
    },
    steps: [],
    send: {},
    signer: ['signature_method', 'realm', 'placement'],
    where: {
      key: 'authorize_url',
      type: {
        fields: {
          consumer_key: { title: 'Consumer key', owner: 'app' },
          consumer_secret: { title: 'Consumer secret', secret: true, owner: 'app' },
        },
        // RFC 5849, 2.1 to 2.3
        steps: [
          {
            type: 'call',
            name: 'temporary',
            url: 'request_url',
            encode: 'form',
            sign: { callback: '${oauth.redirect_uri}', token: '', token_secret: '' },
            decode: 'form',
            capture: { temporary_token: { path: 'oauth_token', secret: false }, temporary_secret: { path: 'oauth_token_secret' } },
          },
          { type: 'token' },
        ],
        authorize: {
          query: { oauth_token: '${token.temporary_token}' },
          code: 'oauth_verifier',
          proof: { parameter: 'oauth_token', value: '${token.temporary_token}' },
        },
        token: {
          encode: 'form',
          sign: { token: '${token.temporary_token}', token_secret: '${token.temporary_secret}', verifier: '${oauth.code}' },
          decode: 'form',
          capture: {
            ...{ access_token: null, refresh_token: null, token_type: null, scope: null, id_token: null },
            ...{ token: { path: 'oauth_token' }, token_secret: { path: 'oauth_token_secret' } },
          },
        },
      },
    },
  },
  aws_sigv4: {
    fields: {
      access_key_id: { title: 'Access key ID' },
      secret_access_key: { title: 'Secret access key', secret: true },
      session_token: { title: 'Session token', secret: true, required: false },
    },
    steps: [],
    send: {},
    signer: ['service', 'region', 'placement', 'expires', 'signed_body'],
  },
  http_signature: {
    fields: { key_id: { title: 'Key ID' }, private_key: { title: 'Private key', type: 'pem' } },
    steps: [],
    send: {},
    signer: ['alg', 'components', 'label', 'lifetime', 'nonce', 'tag'],
  },
  oauth2_client_credentials: {
    fields: CLIENT,
    // RFC 6749, 4.4.2
    token: { encode: 'form', body: { grant_type: 'client_credentials', ...ASKED } },
    steps: [{ type: 'token' }],
    send: BEARER,
  },
  oauth2_authorization_code: {
    fields: OAUTH_FIELDS,
    // RFC 6749, 4.1.1; RFC 7636, 4.3
    authorize: {
      query: {
        response_type: 'code',
        client_id: '${oauth.client_id}',
        redirect_uri: '${oauth.redirect_uri}',
        ...ASKED,
        state: '${oauth.state}',
        code_challenge: '${oauth.code_challenge}',
      },
      code: 'code',
      proof: 'state',
    },
    // RFC 6749, 4.1.3; RFC 7636, 4.5
    token: {
      encode: 'form',
      body: {
        grant_type: 'authorization_code',
        code: '${oauth.code}',
        redirect_uri: '${oauth.redirect_uri}',
        code_verifier: '${oauth.code_verifier}',
        resource: '${oauth.resource}',
      },
    },
    refresh: REFRESH,
    steps: [{ type: 'token' }],
    send: BEARER,
  },
  oauth2_password: {
    fields: { ...CLIENT, ...USER },
    // RFC 6749, 4.3.2
    token: {
      encode: 'form',
      body: { grant_type: 'password', username: '${fields.username}', password: '${fields.password}', ...ASKED },
    },
    refresh: REFRESH,
    steps: [{ type: 'token' }],
    send: BEARER,
  },
  oauth2_device: {
    fields: OAUTH_FIELDS,
    // RFC 8628, 3.1 and 3.4
    device: { encode: 'form', body: { ...ASKED } },
    token: {
      encode: 'form',
      body: {
        grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
        device_code: '${oauth.device_code}',
        resource: '${oauth.resource}',
      },
    },
    refresh: REFRESH,
    steps: [{ type: 'token' }],
    send: BEARER,
  },
  oauth2_jwt_bearer: {
    fields: { client_id: { title: 'Client ID', aliases: ['OAuthClientId', 'ClientId'] } },
    assertion: { key: 'jwt', make: 'jwt', name: 'jwt' },
    // RFC 7523, 2.1
    token: {
      encode: 'form',
      body: { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: '${token.jwt}', ...ASKED },
    },
    steps: [{ type: 'assertion' }, { type: 'token' }],
    send: BEARER,
  },
  oauth2_token_exchange: {
    fields: { subject_token: { title: 'Subject token', secret: true }, ...CLIENT },
    // RFC 8693, 2.1
    token: {
      encode: 'form',
      body: {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: '${fields.subject_token}',
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        ...ASKED,
      },
    },
    steps: [{ type: 'token' }],
    send: BEARER,
  },
  oauth2_saml2_bearer: {
    fields: { client_id: { title: 'Client ID', aliases: ['OAuthClientId', 'ClientId'] } },
    assertion: { key: 'assertion', make: 'saml', name: 'assertion' },
    // RFC 7522, 2.1
    token: {
      encode: 'form',
      body: { grant_type: 'urn:ietf:params:oauth:grant-type:saml2-bearer', assertion: '${token.assertion}', ...ASKED },
    },
    steps: [{ type: 'assertion' }, { type: 'token' }],
    send: BEARER,
  },
});

/** A type as it is for one method. */
export function authTypeOf(method: AuthMethod): AuthType {
  const found = AUTH_TYPES[method.type];
  if (found === undefined) throw new FerruleError('internal', `auth type ${method.type} has no entry in AUTH_TYPES`);
  const { where, ...type } = found;
  const own = where !== undefined && where.key in method ? { ...type, ...where.type } : type;
  return 'resource' in method ? own : withoutResource(own);
}

/** The call that renews a token of a type that knows of none. */
export const renewalOf = (method: AuthMethod): CallText => ('resource' in method ? REFRESH : bodyWithout(REFRESH));

/** Where no resource is named the parameter does not exist, for client and sandbox alike. */
function withoutResource(type: AuthType): AuthType {
  const { token, refresh, device, authorize } = type;
  return {
    ...type,
    ...(token && { token: bodyWithout(token) }),
    ...(refresh && { refresh: bodyWithout(refresh) }),
    ...(device && { device: bodyWithout(device) }),
    ...(authorize && { authorize: { ...authorize, query: without(authorize.query) } }),
  };
}

const bodyWithout = (call: CallText): CallText => ({ ...call, ...(call.body && { body: without(call.body) }) });

function without({ resource: _resource, ...rest }: Record<string, string>): Record<string, string> {
  return rest;
}

/** Whether a person opens a page first, whose callback comes back to a redirect URI. */
export const redirects = (method: AuthMethod): boolean => authTypeOf(method).authorize !== undefined || 'install' in method;
/** Whether a person takes part at all. */
export const consents = (method: AuthMethod): boolean => redirects(method) || authTypeOf(method).device !== undefined;
