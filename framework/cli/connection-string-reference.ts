import { PROPERTIES } from '../credentials/connection-properties.ts';
import { code, markdownTable } from '../docs/markdown.ts';

/** What each property does; those that do the same thing share a row. A test compares with what the parser knows. */
const MEANINGS: readonly (readonly [names: string, means: string])[] = [
  ['Connector', 'The connector; not needed where a command names it.'],
  ['Profile', 'The same, by the file name: `Profile=C:\\profiles\\Jumpseller.apip`.'],
  ['ProfileSettings', 'A connection string inside this one, in quotes.'],
  ['Driver', '`{ZappySys Api Driver}` or one of CData’s: this is what takes its place. Another is refused.'],
  ['AuthMethod', 'The auth method by its own name.'],
  ['AuthScheme OAuthGrantType GrantType', 'The auth method by what it is: `NONE`, `BASIC`, `APIKEY`, `TOKEN`, `OAUTH`, `OAUTH_CLIENT`.'],
  [
    'InitiateOAuth',
    '`OFF` (default): OAuthAccessToken is used as long as it lasts. `REFRESH`: the first token is given, Ferrule renews it. `GETANDREFRESH`: Ferrule also asks for the first one.',
  ],
  ['OAuthClientId ClientId AppId', 'Client ID.'],
  ['OAuthClientSecret ClientSecret', 'Client secret.'],
  ['OAuthAccessToken OAuthRefreshToken', 'Tokens that are there already.'],
  ['OAuthExpiresIn OAuthTokenTimestamp', "The access token's lifetime in seconds, and when it was issued (Unix time)."],
  [
    'OAuthSettingsLocation',
    'Where tokens are kept from one connection to the next: a folder, sealed as the credential store is, or `memory://<any id>`. Not with `connect`, which has a store.',
  ],
  ['OAuthVerifier', 'The code that the provider showed in a browser elsewhere; with `InitiateOAuth=GETANDREFRESH`, once.'],
  ['CallbackURL ReturnUrl', 'Redirect URL.'],
  ['Scope', "Scopes to ask for in place of the spec's."],
  ['User UserName Uid', 'User name.'],
  ['Password Pwd', 'Password.'],
  ['APIKey', 'API key or token.'],
  [
    'OAuthAuthorizationURL OAuthAccessTokenURL OAuthRefreshTokenURL AuthUrl AuthorizationUrl TokenUrl',
    'Chooses the option (a region) that has this address; another address is refused.',
  ],
  ['ServiceUrl', 'The same, or the site where the person enters one.'],
  ['RetryMode', '`None`, `RetryAny` (default), `RetryWhenStatusCodeMatch`.'],
  ['RetryStatusCodeList', 'Statuses for the last, as in `429|503`.'],
  ['RetryCountMax', 'How often at most; it only lowers what the spec says.'],
  ['RetryMultiplyWaitTime', 'Whether waits grow.'],
  ['Timeout', 'Seconds for one call with its retries.'],
  ['MaxRows', 'Records of each stream at most; -1: all.'],
  ['ProxyServer ProxyPort ProxyUser ProxyPassword ProxySSLType', 'Proxy.'],
  ['ProxyAuthScheme', '`BASIC`, `NONE` or `AUTO`.'],
  ['ProxyExceptions', 'Hosts that are reached without it.'],
  ['SSLServerCert', 'PEM text or file of a further certificate authority.'],
  ['CustomHeaders', 'Headers on every call, `Name: value`, one a line.'],
  ['CustomUrlParams', 'Query parameters on every call, `a=1&b=2`.'],
  ['AuthorizationHeaderPrefix CustomTokenPrefix', 'In place of `Bearer`.'],
  ['Logfile Verbosity', 'As `--log` and `--verbosity`.'],
  [
    'OAuthVersion OAuthIncludeCallbackURL EnableCodeVerifier RemoveAuthHeader IgnoreSSLCertificateErrors ProxyAutoDetect AutoCache Offline',
    'Only with the value that asks for what is done anyway.',
  ],
  ['State', 'Refused when a connection is opened: Ferrule makes one for each consent and compares it.'],
];

/** The section of docs/cli.md on connection strings. */
export function connectionStringSection(): string {
  const refused = [...PROPERTIES.values()].filter(({ kind }) => kind === 'unsupported').map(({ name }) => code(name));
  return [
    '## Connection strings\n',
    "`--connection-string`, and `fromConnectionString` in TypeScript, take a configuration as the drivers of other products do: `Name=value` pairs with `;` between them. Case, spaces, `_` and `-` do not count in names. A value with `;` or quotes in it stands in `'…'` or `\"…\"`, with its own quotes doubled. A connector's page has an example for each of its auth methods; `ferrule credentials show NAME --connection-string` writes one.\n",
    '```text\nConnector=jumpseller;AuthScheme=OAuth;InitiateOAuth=GETANDREFRESH;OAuthClientId=…;OAuthClientSecret=…;CallbackURL=http://localhost:8765/callback\n```\n',
    "A name is first looked for among the connector's own fields, their aliases and its choices (`region=eu`); `fields.x`, `choices.x` and `options.X` say which is meant. Then these:\n",
    markdownTable(
      ['Property', 'Does'],
      MEANINGS.map(([names, means]) => [names.split(' ').map(code).join(', '), means]),
    ),
    `Nothing is ignored. These are known by name and refused, with what to do instead: ${refused.join(', ')}. Any other name is an error.\n`,
  ].join('\n');
}

/** All names that the section explains. */
export const EXPLAINED: readonly string[] = MEANINGS.flatMap(([names]) => names.split(' '));
