/** One thing that providers want of whoever authenticates, and how a spec says it. */
export interface Primitive {
  name: string;
  means: string;
  /** Top-level keys of a spec; linted by a test. Undefined: no spec can say it. */
  yaml: string | undefined;
  /** Specs in test/auth/tricky that show it on the wire. */
  shown: readonly string[];
}

const OAUTH = 'type: oauth2_authorization_code, authorize_url: https://auth.acme.com/authorize, token_url: https://auth.acme.com/token';

/** In the order of how many providers need them (measured over a thousand), P1 first. */
export const PRIMITIVES: readonly Primitive[] = [
  {
    name: 'Placement',
    means: 'Keys in header, query, body or path, with prefixes and fixed headers.',
    yaml: `auth: { key: { type: api_key, send: { headers: { X-Key: 'Key \${fields.api_key}' } } } }`,
    shown: ['telegram', 'coros', 'walmart'],
  },
  {
    name: 'Fields in URLs',
    means: "A host or path of the person: typed, checked, never somebody else's host.",
    yaml: `fields: { site: { type: subdomain } }\nhttp: { base_url: 'https://\${fields.site}.acme.com' }`,
    shown: ['snowflake-jwt', 'cisco-duo-admin', 'shopline'],
  },
  {
    name: 'Basic with a half',
    means: 'HTTP Basic in which one half is blank, fixed or a token.',
    yaml: 'auth: { basic: { type: basic, fields: { password: null } } }',
    shown: ['tripletex', 'cisco-duo-admin'],
  },
  {
    name: 'Code flow',
    means: 'OAuth 2.0 authorization code: extra parameters, PKCE or not, scopes, a code of another name.',
    yaml: `auth: { oauth: { ${OAUTH}, scope_separator: ',', authorize: { query: { prompt: consent }, code: auth_code } } }`,
    shown: ['amazon-selling-partner', 'shopline', 'slack'],
  },
  {
    name: 'One token request',
    means: 'Method, encoding, client authentication, parameters, success test, captures and expiry of any token call.',
    yaml: `auth:
  app:
    type: oauth2_client_credentials
    token_url: https://auth.acme.com/token
    client_auth: basic
    token: { encode: json, expect: '\${response.body.ok}', capture: { access_token: data.token }, expires: { at: data.ends, as: epoch } }`,
    shown: ['sentry', 'walmart', 'coros', 'shopline'],
  },
  {
    name: 'Captured values',
    means: 'What the token answer or the callback brings: hosts, ids, more tokens.',
    yaml: `auth: { oauth: { ${OAUTH}, token: { capture: { site: { path: api_domain, type: url, hosts: ['*.acme.com'] } } } } }\nhttp: { base_url: '\${token.site}/v1' }`,
    shown: ['zoho', 'amazon-selling-partner', 'salesforce-cdp'],
  },
  {
    name: 'Look-up after connecting',
    means: 'A call with the new token whose answer is kept, or offered to the person.',
    yaml: `fields: { account: { after: auth, options: { get: /accounts, value: id, label: '\${item.name}' } } }\nhttp: { headers: { X-Account: '\${fields.account}' } }`,
    shown: ['docusign', 'xero', 'jira', 'one-drive'],
  },
  {
    name: 'Chained steps, cookies',
    means: 'Several calls in order, each using what came before; sessions as cookies.',
    yaml: `auth:
  login:
    type: session
    steps:
      - { name: find, get: https://auth.acme.com/find, capture: { host: { path: host, type: host, hosts: ['*.acme.com'] } } }
      - name: login
        post: https://\${token.host}/login
        body: { user: '\${fields.username}', password: '\${fields.password}' }
        capture: { cookies: { path: '\${response.cookies}', type: map } }
    send: { headers: { Authorization: null }, cookies: { sid: '\${token.cookies.sid}' } }`,
    shown: ['sap-business-one', 'docuware', 'sellercloud', 'bullhorn', 'workday-adaptive', 'veeva-vault'],
  },
  {
    name: 'JWT signed here',
    means: "As the token itself, as a grant, as the client's proof, or as one step.",
    yaml: `auth:
  key:
    type: jwt
    fields: { private_key: { type: pem } }
    jwt: { alg: ES256, key: '\${fields.private_key}', header: { kid: k1 }, claims: { iss: acme }, lifetime: 15m }`,
    shown: ['snowflake-jwt', 'ghost-admin', 'heymarket', 'apple-app-store', 'epic', 'revolut-business', 'github-app'],
  },
  {
    name: 'Time and fresh ids',
    means: 'One instant and one id, the same in all that is made of one attempt.',
    yaml: `http: { headers: { X-Request-Id: '\${uuid}', X-Date: '\${format(now, "iso_ms")}' } }`,
    shown: ['avanan', 'walmart', 'emarsys'],
  },
  {
    name: 'Signed requests',
    means: 'A proof over the final request, in the language itself or by RFC 9421.',
    yaml: `auth:
  key:
    type: custom
    fields: { secret: { secret: true } }
    vars: { signed: '\${[request.method, request.path, request.params].join("\\n")}' }
    send: { headers: { X-Signature: '\${hex(hmac("sha256", fields.secret, vars.signed))}' } }`,
    shown: ['cisco-duo-admin', 'avanan', 'streamline-ai', 'shopline'],
  },
  {
    name: 'AWS SigV4 and roles',
    means: "Signature Version 4, with keys of one's own or of a role that they assume.",
    yaml: 'auth: { keys: { type: aws_sigv4, service: execute-api, region: eu-central-1 } }',
    shown: ['aws-services', 'aws-assume-role'],
  },
  {
    name: 'Client certificate',
    means: 'Mutual TLS on API and token calls.',
    yaml: `auth:
  app:
    type: oauth2_client_credentials
    token_url: https://auth.acme.com/token
    fields: { certificate: { type: pem, secret: false }, private_key: { type: pem } }
    tls: { certificate: '\${fields.certificate}', key: '\${fields.private_key}' }`,
    shown: ['adp'],
  },
  {
    name: 'OAuth 1.0a',
    means: "Each request signed; with or without a person's consent.",
    yaml: 'auth: { tba: { type: oauth1, signature_method: HMAC-SHA256, realm: ACME } }',
    shown: ['netsuite-tba'],
  },
  {
    name: 'Second tokens',
    means: 'Tokens for another resource or user beside the main one, each with its own end.',
    yaml: `auth:
  oauth:
    ${OAUTH.replaceAll(', ', '\n    ')}
    steps:
      - token
      - name: files
        post: https://auth.acme.com/token
        encode: form
        body: { grant_type: refresh_token, refresh_token: '\${token.refresh_token}', resource: https://files.acme.com }
        capture: { files_token: access_token }
        expires: { in: expires_in }
    send: { headers: { Authorization: 'Bearer \${request.host == "files.acme.com" ? token.files_token : token.access_token}' } }`,
    shown: ['one-drive', 'sharepoint-online', 'microsoft-teams-bot', 'slack', 'github-app'],
  },
  {
    name: 'Expiry by introspection',
    means: "The token's end is asked for, where its own answer does not say it.",
    yaml: `auth:
  oauth:
    ${OAUTH.replaceAll(', ', '\n    ')}
    steps:
      - token
      - name: introspect
        post: https://auth.acme.com/introspect
        encode: form
        body: { token: '\${token.access_token}' }
        expires: { at: exp, as: epoch, of: token }`,
    shown: ['salesforce-introspect'],
  },
  {
    name: "The product's own values",
    means: 'Set once by whoever runs the product, not by each person.',
    yaml: `auth: { key: { type: api_key, fields: { partner_key: { secret: true, owner: app } }, send: { headers: { X-Partner: '\${fields.partner_key}', X-Key: '\${fields.api_key}' } } } }`,
    shown: ['sage-intacct', 'epic', 'tripletex'],
  },
  {
    name: 'Installation pages',
    means: "The person installs on the provider's side; ids and codes come with the callback.",
    yaml: `auth:
  app:
    type: custom
    install: { url: https://acme.com/install, capture: { installation: { path: '\${callback.id}', pattern: '^[0-9]+$', secret: false } } }
    fields: { key: { secret: true } }
    steps: [{ name: installed, post: 'https://acme.com/installations/\${token.installation}/token', capture: { access_token: token } }]`,
    shown: ['github-app', 'sentry'],
  },
  {
    name: 'SAML assertion',
    means: 'A SAML 2.0 assertion made and signed here, for the grant of RFC 7522.',
    yaml: `auth:
  saml:
    type: oauth2_saml2_bearer
    token_url: https://auth.acme.com/token
    fields: { private_key: { type: pem } }
    assertion: { issuer: acme, subject: ann, audience: www.acme.com, key: '\${fields.private_key}' }`,
    shown: ['sap-success-factors'],
  },
  { name: 'WSSE', means: 'UsernameToken in X-WSSE.', yaml: 'auth: { wsse: wsse }', shown: ['emarsys'] },
  {
    name: 'XML',
    means: 'Logins that are XML both ways; what is put in is escaped.',
    yaml: `auth:
  login:
    type: session
    steps:
      - name: login
        post: https://api.acme.com/login
        encode: xml
        body: <login><user>\${fields.username}</user><password>\${fields.password}</password></login>
        decode: xml
        capture: { access_token: login.token }`,
    shown: ['sage-intacct', 'aws-assume-role'],
  },
  {
    name: 'Discovery, registration',
    means: 'Endpoints and client found by themselves: OpenID Connect, RFC 8414, RFC 9728, RFC 7591.',
    yaml: `auth:
  oauth:
    type: oauth2_authorization_code
    discovery: resource
    resource: https://api.acme.com/mcp
    issuer_hosts: [auth.acme.com]
    registration: { client_name: Acme sync }
    client_auth: none`,
    shown: ['mcp'],
  },
  {
    name: 'No authentication',
    means: 'Open APIs, and whatever URL the caller has.',
    yaml: `fields: { site: { type: url } }\nauth: { open: none }\nhttp: { base_url: '\${fields.site}' }`,
    shown: ['caller-url'],
  },
  { name: "Code of the provider's own", means: "A vendor's SDK that hides its protocol.", yaml: undefined, shown: [] },
];
