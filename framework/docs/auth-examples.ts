/** What a page says of an auth type beyond its schema: a method as one writes it, where it is specified, what proves it. */
export interface AuthExample {
  /** One entry of `auth`; loaded and linted by a test. */
  example: string;
  /** Fields of the connection that the example names. */
  fields?: string;
  standards: readonly [title: string, url: string][];
  /** Published vectors and programs that are not ours. */
  proof: readonly string[];
  /** What an author should know. */
  notes?: readonly string[];
}

const rfc = (number: number, title: string): [string, string] => [`RFC ${number}: ${title}`, `https://www.rfc-editor.org/rfc/rfc${number}`];
const OAUTH = rfc(6749, 'The OAuth 2.0 Authorization Framework');
const OIDC_PROVIDER = 'oidc-provider (npm), an OAuth server of its own';

export const AUTH_EXAMPLES: Readonly<Record<string, AuthExample>> = {
  none: { example: 'open: none', standards: [], proof: ['the sandbox'] },
  api_key: {
    example: "key: { type: api_key, send: { headers: { X-API-Key: '${fields.api_key}' } } }",
    standards: [],
    proof: ['the sandbox'],
    notes: ['It goes where `send` says: header, query, cookie or body.'],
  },
  basic: {
    example: 'basic: { type: basic, fields: { password: null, username: { title: API key, secret: true } } }',
    standards: [rfc(7617, 'The Basic HTTP Authentication Scheme')],
    proof: ['Apache mod_auth_basic'],
    notes: ['A half that is dropped with null is blank; one with `value` is fixed.'],
  },
  bearer: { example: 'token: bearer', standards: [rfc(6750, 'Bearer Token Usage')], proof: ['the sandbox'] },
  session: {
    example: `login:
  type: session
  steps:
    - name: login
      post: https://api.acme.com/Login
      body: { UserName: '\${fields.username}', Password: '\${fields.password}' }
      capture: { cookies: { path: '\${response.cookies}', type: map } }
      expires: { default: 28m }
  logout: { post: https://api.acme.com/Logout, cookies: { SID: '\${token.cookies.SID}' } }
  send: { headers: { Authorization: null }, cookies: { SID: '\${token.cookies.SID}' } }`,
    standards: [rfc(6265, 'HTTP State Management Mechanism')],
    proof: ['the sandbox'],
    notes: ['Steps run in order; each may name what the ones before it captured, from body, header or cookie.'],
  },
  custom: {
    example: `signed:
  type: custom
  fields: { key_id: {}, secret: { secret: true } }
  vars:
    date: \${http_date(now)}
    covered: '\${[vars.date, request.method, request.host, request.path, request.params, request.body_sha256].join("\\n")}'
  send:
    headers:
      Date: \${vars.date}
      Authorization: 'HMAC \${fields.key_id}:\${base64(hmac("sha256", fields.secret, vars.covered))}'`,
    standards: [],
    proof: ['azurite, whose Shared Key is signed so', 'Duo’s, Avanan’s and other providers’ documented signatures (test/auth/tricky)'],
    notes: ['`request.…` is the request as it leaves, so `send` can sign it. `now` and `uuid` are one value for the whole attempt.'],
  },
  jwt: {
    example: `key:
  type: jwt
  fields: { private_key: { type: pem }, key_id: {} }
  jwt: { alg: ES256, key: '\${fields.private_key}', header: { kid: '\${fields.key_id}' }, claims: { iss: acme, aud: api }, lifetime: 15m }`,
    standards: [rfc(7519, 'JSON Web Token'), rfc(7515, 'JSON Web Signature'), rfc(7518, 'JSON Web Algorithms'), rfc(8037, 'EdDSA in JOSE')],
    proof: ['the RFCs’ own examples', 'jose (npm) verifies every algorithm with PEM and JWK keys'],
    notes: [
      'Keys: PEM (also encrypted, also with its line breaks lost), JWK, or a shared secret; bytes of an expression, as `${unhex(…)}`, are a key too.',
      '`iat`, `exp` and `jti` are put in; null leaves one out.',
    ],
  },
  digest: {
    example: 'login: digest',
    standards: [rfc(7616, 'HTTP Digest Access Authentication')],
    proof: ['the examples of RFC 7616, 2617 and 2069', 'Apache mod_auth_digest, with nonces that go stale', 'curl against the sandbox'],
    notes: [
      'The strongest algorithm that is offered is taken. The first request asks for the challenge; later ones bring the answer at once.',
    ],
  },
  ntlm: {
    example: 'windows: ntlm',
    standards: [
      ['MS-NLMP', 'https://learn.microsoft.com/openspecs/windows_protocols/ms-nlmp'],
      ['MS-NTHT', 'https://learn.microsoft.com/openspecs/windows_protocols/ms-ntht'],
    ],
    proof: [
      'the vectors of MS-NLMP 4.2.4',
      'pyspnego 0.12.4 (PyPI) as the server that checks the password, MIC included',
      'pyspnego and curl as clients of the sandbox',
    ],
    notes: [
      'NTLMv2 with a MIC; NTLMv1 is never sent. No channel binding, so a server that demands Extended Protection refuses it.',
      'Each request has a connection for itself while it is under way, and the proof is kept with that connection.',
    ],
  },
  wsse: {
    example: 'api: wsse',
    standards: [['UsernameToken Profile 1.0', 'https://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0.pdf']],
    proof: ['the sandbox'],
  },
  mutual_tls: {
    example: 'certificate: mutual_tls',
    standards: [rfc(8446, 'TLS 1.3'), rfc(8705, 'OAuth 2.0 Mutual-TLS')],
    proof: ['Apache with SSLVerifyClient', OIDC_PROVIDER],
    notes: ['`tls` puts a client certificate beside any other type, on token calls too. The server’s certificate is checked all the same.'],
  },
  oauth1: {
    example: `account:
  type: oauth1
  signature_method: HMAC-SHA256
  request_url: https://api.acme.com/oauth/request_token
  authorize_url: https://api.acme.com/oauth/authorize
  token_url: https://api.acme.com/oauth/access_token`,
    standards: [rfc(5849, 'The OAuth 1.0 Protocol')],
    proof: ['the examples of RFC 5849 and of OAuth Core 1.0a', 'oauthlib’s values for each method'],
    notes: ['Without the URLs token and token secret are fields (token-based authentication, as NetSuite’s).'],
  },
  aws_sigv4: {
    example: `role:
  type: aws_sigv4
  service: execute-api
  region: eu-west-1
  fields: { role: { title: Role ARN } }
  steps:
    - name: assume
      post: https://sts.amazonaws.com/
      encode: form
      body: { Action: AssumeRole, Version: '2011-06-15', RoleArn: '\${fields.role}', RoleSessionName: ferrule }
      sign: { service: sts, region: us-east-1 }
      capture:
        access_key_id: { path: AssumeRoleResponse.AssumeRoleResult.Credentials.AccessKeyId, secret: false }
        secret_access_key: AssumeRoleResponse.AssumeRoleResult.Credentials.SecretAccessKey
        session_token: AssumeRoleResponse.AssumeRoleResult.Credentials.SessionToken
      expires: { at: AssumeRoleResponse.AssumeRoleResult.Credentials.Expiration, as: iso }`,
    standards: [
      ['Create a signed AWS API request', 'https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html'],
    ],
    proof: [
      'the 38 cases (76 signatures) that AWS publishes',
      'moto 5.2.5 (PyPI) with authentication on: iam, s3, dynamodb and an assumed role, wrong keys refused; it cannot check a signature in the query, which botocore covers against the sandbox',
      'curl against the sandbox',
    ],
    notes: ['Captures of the names of its fields stand over the fields; a step that says `sign` is signed by the fields.'],
  },
  http_signature: {
    example: "signed: { type: http_signature, alg: ed25519, components: ['@method', '@target-uri', content-digest], lifetime: 1m }",
    standards: [rfc(9421, 'HTTP Message Signatures'), rfc(9530, 'Digest Fields')],
    proof: ['the examples of RFC 9421, B.2', 'http-message-signatures (PyPI), by hand'],
    notes: ['For hmac-sha256: `fields: { private_key: null, key: { secret: true } }`.'],
  },
  oauth2_client_credentials: {
    example: 'app: { type: oauth2_client_credentials, issuer: https://auth.acme.com, client_auth: basic, scopes: [read] }',
    standards: [OAUTH, rfc(7523, 'JWT Profile for Client Authentication'), rfc(8414, 'Authorization Server Metadata')],
    proof: [OIDC_PROVIDER],
  },
  oauth2_authorization_code: {
    example: `oauth:
  type: oauth2_authorization_code
  authorize_url: https://auth.acme.com/authorize
  token_url: https://auth.acme.com/token
  scopes: [read]
  authorize: { capture: { shop_id: { path: '\${callback.shop_id}', pattern: '^[0-9]+$', secret: false } } }
  refresh: { rotates: true }
  revoke: { post: https://auth.acme.com/revoke, encode: form, body: { token: '\${token.access_token}' } }`,
    standards: [
      OAUTH,
      rfc(7636, 'PKCE'),
      rfc(9700, 'Best Current Practice for OAuth 2.0 Security'),
      rfc(8707, 'Resource Indicators'),
      rfc(7591, 'Dynamic Client Registration'),
      rfc(9728, 'Protected Resource Metadata'),
    ],
    proof: [OIDC_PROVIDER],
    notes: [
      'As the Model Context Protocol wants it: `discovery: resource`, `resource: https://…/mcp`, `registration: { client_name: … }`, `client_auth: none`.',
      'What comes with the callback is checked (pattern, hosts) before anything is done with it.',
    ],
  },
  oauth2_password: {
    example:
      '# ferrule-ignore password-grant: Acme has no other way in.\nlogin: { type: oauth2_password, token_url: https://auth.acme.com/token }',
    standards: [OAUTH],
    proof: ['the sandbox'],
    notes: ['RFC 9700, 2.4 forbids it; some providers have nothing else, and then the spec says so.'],
  },
  oauth2_device: {
    example:
      'tv: { type: oauth2_device, device_authorization_url: https://auth.acme.com/device, token_url: https://auth.acme.com/token, client_auth: none }',
    standards: [rfc(8628, 'OAuth 2.0 Device Authorization Grant')],
    proof: [OIDC_PROVIDER],
  },
  oauth2_jwt_bearer: {
    example: `service:
  type: oauth2_jwt_bearer
  token_url: https://auth.acme.com/token
  fields: { user: {}, private_key: { type: pem } }
  jwt: { alg: RS256, key: '\${fields.private_key}', claims: { sub: '\${fields.user}' } }`,
    standards: [rfc(7523, 'JWT Profile for OAuth 2.0')],
    proof: ['jose (npm) verifies each assertion'],
    notes: ['Each token request has an assertion of its own: a `jti` is good once.'],
  },
  oauth2_token_exchange: {
    example:
      'exchange: { type: oauth2_token_exchange, token_url: https://auth.acme.com/token, subject_token_type: urn:ietf:params:oauth:token-type:jwt }',
    standards: [rfc(8693, 'OAuth 2.0 Token Exchange')],
    proof: ['the sandbox'],
  },
  oauth2_saml2_bearer: {
    example: `saml:
  type: oauth2_saml2_bearer
  token_url: https://api.acme.com/oauth/token
  fields: { user: {}, private_key: { type: pem } }
  assertion: { issuer: acme, subject: '\${fields.user}', audience: www.acme.com, key: '\${fields.private_key}', attributes: { api_key: '\${fields.client_id}' } }`,
    standards: [rfc(7522, 'SAML 2.0 Profile for OAuth 2.0')],
    proof: ['xmlsec1 makes the same digest and signature'],
    notes: ['`encoding: base64` and `authn_context` for servers that follow SAP’s sample rather than the RFC.'],
  },
};
