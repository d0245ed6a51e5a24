import { Secret } from '../core/secret.ts';
import {
  type ConnectionDraft,
  FALSE,
  type Given,
  headers,
  parameters,
  prefix,
  serverCertificate,
  set,
  statuses,
  storage,
  TRUE,
  timestamp,
  truth,
  whole,
  word,
} from './connection-readers.ts';
import { checkHost } from './host-value.ts';

/** Which methods a property says something about: any, those of OAuth 2.0, or those where a person consents. */
export type Extent = 'any' | 'oauth' | 'consent';

export type Property = {
  /** As its vendor writes it. */
  name: string;
  secret?: boolean;
} & (
  | { kind: 'option'; extent: Extent; read: (given: Given, draft: ConnectionDraft) => void }
  /** A field of the method, by the first of these names that it has. */
  | { kind: 'field'; fields: readonly string[] }
  /** An address that chooses an option (a region) or fills a field of type url or host. */
  | { kind: 'address'; fills: boolean }
  /** Read before all others: connector, method, driver, a connection string inside. */
  | { kind: 'frame' }
  | { kind: 'unsupported'; instead: string }
);

const option = (name: string, read: (given: Given, draft: ConnectionDraft) => void, extent: Extent = 'any', secret = false): Property => ({
  name,
  kind: 'option',
  extent,
  read,
  ...(secret && { secret }),
});
const field = (name: string, fields: readonly string[], secret = false): Property => ({
  name,
  kind: 'field',
  fields,
  ...(secret && { secret }),
});
const frame = (name: string): Property => ({ name, kind: 'frame' });
const address = (name: string, fills = false): Property => ({ name, kind: 'address', fills });
const unsupported = (instead: string, ...names: string[]): Property[] => names.map((name) => ({ name, kind: 'unsupported', instead }));

/** A property with one value that asks for nothing but what is done anyway. */
const only = (name: string, accepted: RegExp, instead: string): Property =>
  option(name, (given) => {
    if (!accepted.test(given.text)) given.notSupported(`${name} is not supported with this value.`, instead);
  });

const OAUTH_IN_SPEC = 'The spec says how tokens are asked for: leave it out, or change the auth method there.';
const NO_CACHE = 'Ferrule keeps no copy of the data: leave it out.';
const NO_SQL = 'Ferrule has no SQL: read streams, or send requests with the credential.';
const POOL = 'Connections to the provider are kept and closed by themselves: leave it out.';
const LOG = 'Only Logfile and Verbosity are supported.';
const CLIENT_CERTIFICATE = 'Pass --certificate and --key, or certificate and key as network options of the connection.';
const FIREWALL = 'Only HTTP proxies are supported: use ProxyServer.';
const REQUEST = 'That is part of one request: use `ferrule request`, or `.http` of the connection.';

/**
 * Every property that the documentation of the two products knows, in the reference's order (B2, then B1), and the few that are
 * ours. None is ever ignored: it has an effect, or it is refused with what to do instead.
 */
const LIST: readonly Property[] = [
  // Ferrule
  frame('Connector'),
  frame('AuthMethod'),
  // CData: connecting
  frame('Profile'),
  frame('ProfileSettings'),
  frame('AuthScheme'),
  option('InitiateOAuth', (given, draft) => set(draft, 'initiate', word(given, ['OFF', 'GETANDREFRESH', 'REFRESH'])), 'oauth'),
  field('OAuthClientId', ['client_id']),
  field('OAuthClientSecret', ['client_secret'], true),
  option('OAuthAccessToken', (given, { tokens }) => set(tokens, 'access_token', new Secret(given.text)), 'oauth', true),
  option('OAuthRefreshToken', (given, { tokens }) => set(tokens, 'refresh_token', new Secret(given.text)), 'oauth', true),
  option('OAuthExpiresIn', (given, draft) => set(draft, 'expiresIn', whole(given, 0, 10_000_000_000)), 'oauth'),
  option('OAuthTokenTimestamp', (given, draft) => set(draft, 'tokenTimestamp', timestamp(given)), 'oauth'),
  option('OAuthSettingsLocation', storage, 'oauth'),
  option('OAuthVerifier', (given, { oauth }) => set(oauth, 'code', new Secret(given.text)), 'consent', true),
  option('CallbackURL', (given, { oauth }) => set(oauth, 'redirect_uri', given.text), 'consent'),
  option('Scope', (given, { oauth }) => set(oauth, 'scope', given.text), 'oauth'),
  option('State', (given, { oauth }) => set(oauth, 'state', given.text), 'consent'),
  only('OAuthVersion', /^2(?:\.0)?$/, 'OAuth 1.0 comes with a later version of Ferrule.'),
  frame('OAuthGrantType'),
  ...unsupported(OAUTH_IN_SPEC, 'OAuthPasswordGrantMode', 'OAuthParams'),
  only('OAuthIncludeCallbackURL', TRUE, 'The redirect URI is always sent with the code, as RFC 6749 (4.1.3) wants.'),
  ...['OAuthAuthorizationURL', 'OAuthAccessTokenURL', 'OAuthRefreshTokenURL'].map((name) => address(name)),
  ...unsupported('OAuth 1.0 comes with a later version of Ferrule.', 'OAuthRequestTokenURL', 'AuthToken', 'AuthKey'),
  field('User', ['username', 'user']),
  field('Password', ['password'], true),
  field('APIKey', ['api_key', 'token'], true),
  // CData: TLS, firewall, proxy
  option('SSLServerCert', serverCertificate),
  ...unsupported(CLIENT_CERTIFICATE, 'SSLClientCert', 'SSLClientCertType', 'SSLClientCertPassword', 'SSLClientCertSubject'),
  ...unsupported(FIREWALL, 'FirewallType', 'FirewallServer', 'FirewallPort', 'FirewallUser', 'FirewallPassword'),
  only('ProxyAutoDetect', FALSE, 'Set HTTPS_PROXY and NO_PROXY, or ProxyServer.'),
  option('ProxyServer', (given, { proxy }) => {
    const host = checkHost(given.text);
    if ('problem' in host) given.wrong(host.problem, 'Write the host name only; ProxyPort has the port.');
    else proxy.server = host.value;
  }),
  option('ProxyPort', (given, { proxy }) => set(proxy, 'port', whole(given, 1, 65_535))),
  option('ProxyAuthScheme', (given) => {
    const scheme = word(given, ['BASIC', 'NONE', 'DIGEST', 'NEGOTIATE', 'NTLM', 'PROPRIETARY', 'AUTO']);
    if (scheme && !['BASIC', 'NONE', 'AUTO'].includes(scheme))
      given.notSupported('A proxy is only asked with Basic.', 'Use BASIC or NONE.');
  }),
  option('ProxyUser', (given, { proxy }) => set(proxy, 'user', given.text)),
  option('ProxyPassword', (given, { proxy }) => set(proxy, 'password', new Secret(given.text)), 'any', true),
  option('ProxySSLType', (given, { proxy }) => {
    const type = word(given, ['AUTO', 'ALWAYS', 'NEVER', 'TUNNEL']);
    if (type === 'ALWAYS') proxy.tls = true;
  }),
  option('ProxyExceptions', (given, { network }) => {
    const hosts = given.text
      .split(/[;,]/)
      .map((host) => host.trim())
      .filter((host) => host !== '');
    if (hosts.length === 0) given.wrong('names no host');
    else network.noProxy = hosts.join(',');
  }),
  // CData: log, schema, cache, rest
  option('Logfile', (given, { log }) => set(log, 'file', given.text)),
  option('Verbosity', (given, { log }) => set(log, 'verbosity', whole(given, 1, 5))),
  ...unsupported(LOG, 'LogModules', 'MaxLogFileSize', 'MaxLogFileCount'),
  ...unsupported('The streams of the spec are what can be read: leave it out.', 'Location', 'BrowsableSchemas', 'Tables', 'Views'),
  only('AutoCache', FALSE, NO_CACHE),
  only('Offline', FALSE, NO_CACHE),
  ...unsupported(NO_CACHE, 'CacheLocation', 'CacheDriver', 'CacheConnection', 'CacheMetadata', 'CacheTolerance'),
  option('Timeout', (given, draft) => {
    const seconds = whole(given, 0, 86_400);
    if (seconds === 0) given.notSupported('Waiting without an end is not supported.', 'Give seconds, up to 86400.');
    else if (seconds !== undefined) draft.timeout = seconds * 1000;
  }),
  option('MaxRows', (given, draft) => {
    if (given.text !== '-1') set(draft, 'limit', whole(given, 1, 999_999_999_999_999));
  }),
  ...unsupported('The spec sets the page size.', 'Pagesize'),
  ...unsupported('Ferrule reads; grant the credential read rights only.', 'Readonly'),
  ...unsupported(NO_SQL, 'PseudoColumns', 'SupportEnhancedSQL', 'UserDefinedViews'),
  ...unsupported('Nothing is known of what it would mean here: leave it out.', 'Other'),
  option('CustomHeaders', (given, { network }) => set(network, 'headers', headers(given)), 'any', true),
  option('CustomUrlParams', (given, { network }) => set(network, 'query', parameters(given)), 'any', true),
  option('AuthorizationHeaderPrefix', prefix),
  ...unsupported(POOL, 'ConnectionLifeTime', 'PoolIdleTimeout', 'PoolMaxSize', 'PoolMinSize', 'PoolWaitTime', 'UseConnectionPooling'),
  ...unsupported('Ferrule needs no licence key: leave it out.', 'RTK'),
  // ZappySys
  frame('Driver'),
  address('ServiceUrl', true),
  ...unsupported('Write here what stands in it.', 'DSN', 'ConnectionStringFile'),
  field('Uid', ['username', 'user']),
  field('Pwd', ['password'], true),
  ...unsupported("The spec's http.hosts names the hosts that may have the credential.", 'TrustedDomains'),
  frame('GrantType'),
  field('ClientId', ['client_id']),
  field('AppId', ['client_id']),
  field('ClientSecret', ['client_secret'], true),
  field('UserName', ['username', 'user']),
  ...['AuthUrl', 'AuthorizationUrl', 'TokenUrl'].map((name) => address(name)),
  option('ReturnUrl', (given, { oauth }) => set(oauth, 'redirect_uri', given.text), 'consent'),
  ...unsupported(OAUTH_IN_SPEC, 'ExtraAttributesForAuthRequest', 'ExtraAttributesForTokenRequest'),
  ...unsupported(OAUTH_IN_SPEC, 'DoNotIncludeCredentialsInHeader', 'DoNotIncludeCredentialsInBody', 'ExtraHeaders', 'ContentType'),
  ...unsupported('A token is renewed a minute before it expires; expires.margin in the spec changes that.', 'RenewBeforeSec'),
  only('EnableCodeVerifier', TRUE, 'PKCE is used unless the spec says pkce: false.'),
  only('RemoveAuthHeader', FALSE, 'The spec says what is sent: see send of its auth method.'),
  ...unsupported('The spec says what is sent: see send of its auth method.', 'CustomAuthHeader'),
  option('CustomTokenPrefix', prefix),
  only('IgnoreSSLCertificateErrors', FALSE, "Give the provider's own CA with SSLServerCert."),
  ...unsupported('TLS 1.2 or newer is used: leave it out.', 'SslVersion'),
  option('RetryMode', (given, { retry }) => set(retry, 'mode', word(given, ['None', 'RetryAny', 'RetryWhenStatusCodeMatch']))),
  option('RetryStatusCodeList', (given, { retry }) => set(retry, 'statuses', statuses(given))),
  option('RetryCountMax', (given, { retry }) => set(retry, 'countMax', whole(given, 0, 100))),
  option('RetryMultiplyWaitTime', (given, { retry }) => set(retry, 'multiplyWaitTime', truth(given))),
  ...unsupported(NO_CACHE, 'CachingMode', 'CacheStorage', 'CacheEntryTtl', 'CacheFileLocation'),
  ...unsupported(REQUEST, 'Url', 'Method', 'Body', 'Headers', 'IsMultiPart', 'Filter'),
];

/** Case, spaces and separators do not count in names: `Auth Scheme`, `authscheme`, `auth_scheme`. */
export const plainName = (name: string): string => name.toLowerCase().replace(/[\s_-]/g, '');

/** All properties, by `plainName`. */
export const PROPERTIES: ReadonlyMap<string, Property> = new Map(LIST.map((property) => [plainName(property.name), property]));
