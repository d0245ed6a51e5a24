// Grants that oidc-provider leaves to whoever runs it: password (RFC 6749, 4.3), jwt-bearer (RFC 7523, 2.1; the assertion
// is verified by jose), token-exchange (RFC 8693). Its own token endpoint, client authentication and tokens are around them.
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

/** users: { name: password }; assertionKey: the public JWK of those who may assert, ES256. */
export function registerGrants(provider, { errors, jose, users, assertionKey }) {
  const issue = async (context, gty, accountId) => {
    const { client } = context.oidc;
    const token = new provider.AccessToken({ client, accountId, gty, scope: 'api:read' });
    context.oidc.entity('AccessToken', token);
    context.body = { access_token: await token.save(), expires_in: token.expiration, token_type: token.tokenType, scope: token.scope };
  };
  const grant = (name, parameters, who) =>
    provider.registerGrantType(
      name,
      async (context) => {
        const account = await who(context.oidc.params, context).catch((error) => {
          throw new errors.InvalidGrant(error.message);
        });
        await issue(context, name, account);
      },
      [...parameters, 'scope'],
    );

  grant('password', ['username', 'password'], async ({ username, password }) => {
    if (typeof password !== 'string' || users[username] !== password) throw new Error('unknown user or wrong password');
    return username;
  });

  const seen = new Set();
  grant(JWT_BEARER, ['assertion'], async ({ assertion }, { oidc }) => {
    const { payload } = await jose.jwtVerify(assertion, await jose.importJWK(assertionKey, 'ES256'), {
      algorithms: ['ES256'],
      audience: oidc.urlFor('token'),
      issuer: oidc.client.clientId,
      requiredClaims: ['exp', 'iat', 'jti', 'sub'],
    });
    if (seen.has(payload.jti)) throw new Error('this assertion was used before');
    seen.add(payload.jti);
    return payload.sub;
  });

  grant(TOKEN_EXCHANGE, ['subject_token', 'subject_token_type'], async ({ subject_token, subject_token_type }) => {
    if (subject_token_type !== ACCESS_TOKEN) throw new Error('only access tokens are exchanged');
    const token = await provider.AccessToken.find(subject_token);
    if (!token?.isValid) throw new Error('the subject token is unknown or has ended');
    return token.accountId;
  });
}
