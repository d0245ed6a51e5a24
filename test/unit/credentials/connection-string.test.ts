import { inspect } from 'node:util';
import fc from 'fast-check';
import { Secret } from '../../../framework/core/secret.ts';
import { initiateEffect, type ParsedConnection } from '../../../framework/credentials/connection.ts';
import { connectorNamed, parseConnectionString, readConnectionString } from '../../../framework/credentials/connection-string.ts';
import { readPairs, writeValue } from '../../../framework/credentials/connection-syntax.ts';
import { connectionOf, toConnectionString } from '../../../framework/credentials/connection-write.ts';
import type { ConnectorShape, InputField } from '../../../framework/credentials/types.ts';
import { canary, plainCanary } from '../../canary.ts';
import { sampleCredential } from './store-contract.ts';

const field = (name: string, more: Partial<InputField> = {}): InputField => ({
  name,
  title: name,
  type: 'text',
  required: true,
  secret: false,
  ...more,
});
const secret = (name: string, more: Partial<InputField> = {}) => field(name, { secret: true, ...more });

const jumpseller: ConnectorShape = {
  name: 'jumpseller',
  methods: [
    {
      name: 'basic',
      type: 'basic',
      fields: [field('username', { aliases: ['User', 'Login'] }), secret('password', { aliases: ['AuthToken'] })],
    },
    { name: 'oauth', type: 'oauth2_authorization_code', fields: [field('client_id'), secret('client_secret')] },
    { name: 'open', type: 'none', fields: [] },
  ],
  fields: [field('start_date', { type: 'date', required: false })],
  choices: [],
};
const amazon: ConnectorShape = {
  name: 'amazon-ads',
  methods: [
    {
      name: 'oauth',
      type: 'oauth2_authorization_code',
      fields: [
        field('client_id', { aliases: ['AppId'] }),
        secret('client_secret'),
        field('scope', { aliases: ['Scope'] }),
        field('grant', { value: 'x' }),
      ],
    },
  ],
  fields: [field('profile_id', { title: 'Profile', after: 'auth' })],
  choices: [
    {
      name: 'region',
      options: [
        { id: 'na', attributes: { authorize: 'www.amazon.com', token: 'api.amazon.com', api: 'advertising-api.amazon.com' } },
        { id: 'eu', attributes: { authorize: 'eu.account.amazon.com', token: 'api.amazon.co.uk', api: 'advertising-api-eu.amazon.com' } },
        { id: 'fe', attributes: { authorize: 'apac.account.amazon.com', token: 'api.amazon.co.jp', api: 'advertising-api-fe.amazon.com' } },
      ],
    },
  ],
};
const jama: ConnectorShape = {
  name: 'jama-connect',
  methods: [
    { name: 'oauth', type: 'oauth2_client_credentials', fields: [field('client_id'), secret('client_secret')] },
    { name: 'basic', type: 'basic', fields: [field('username'), secret('password')] },
  ],
  fields: [field('site', { type: 'url' })],
  choices: [],
};
const keyed: ConnectorShape = {
  name: 'keyed',
  methods: [{ name: 'key', type: 'bearer', fields: [secret('token')] }],
  fields: [],
  choices: [],
};

/** Secrets opened, to compare. */
const opened = (value: unknown): unknown => {
  if (value instanceof Secret) return { secret: value.reveal() };
  if (Array.isArray(value)) return value.map(opened);
  return typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, opened(item)]))
    : value;
};
const read = (text: string, shape = jumpseller) => opened(parseConnectionString(text, shape)) as ParsedConnection;
/** `code property hint` of each finding. */
const wrong = (text: string, shape = jumpseller) =>
  readConnectionString(text, shape).findings.map(
    ({ rule, path, message, hint }) => `${rule === 'not_supported' ? 'NS' : 'CM'} ${path[0] ?? ''} | ${message} | ${hint ?? ''}`,
  );

const OK = 'AuthScheme=OAuth;InitiateOAuth=GETANDREFRESH;OAuthClientId=id;OAuthClientSecret=s';

describe('syntax', () => {
  it('quotes, doubled quotes, braces, spaces, empty parts', () => {
    const { pairs, problems } = readPairs(` A = x y ;;B="q; ""v""" ; C='it''s';D={Zappy {Sys}} Driver};E=a=b=;F=  ;G=a"b'c`);
    expect(problems).toEqual([]);
    expect(pairs.map(({ key, value }) => [key, value])).toEqual([
      ['A', 'x y'],
      ['B', 'q; "v"'],
      ['C', "it's"],
      ['D', 'Zappy {Sys} Driver'],
      ['E', 'a=b='],
      ['F', ''],
      ['G', `a"b'c`],
    ]);
  });

  it.each([
    ['Url', 0, 'There is no = here.'],
    ['A=1; =2', 5, 'There is no name before the =.'],
    ['A=1;B="x', 6, 'The " that opens here is not closed.'],
    ['A="x"y;B=1', 5, 'The value goes on behind its closing ".'],
  ])('%j fails at %i', (text, at, message) => {
    expect(readPairs(text).problems).toMatchObject([{ at, message }]);
  });

  it('goes on behind a mistake, and counts characters from 1, through nested strings', () => {
    const text = `AuthScheme=OAuth;nonsense;ProfileSettings='User=''x'';Zzzzzzz=1';OAuthClientId=id`;
    expect(text.indexOf('Zzzzzzz')).toBe(54);
    const { findings } = readConnectionString(text, jumpseller);
    expect(findings.map(({ message, start }) => [message.match(/\(character (\d+)\)/)?.[1], start.column])).toEqual([
      ['18', 18],
      ['44', 44],
      ['55', 55],
      ['1', 1],
    ]);
  });

  it('whatever is written is read back (2,000 cases)', () => {
    const hostile = fc.oneof(
      fc.string(),
      fc.array(fc.constantFrom(';', '=', '"', "'", '{', '}', ' ', '\n', 'a'), { maxLength: 9 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(hostile, hostile, (a, b) => {
        const { pairs, problems } = readPairs(`A=${writeValue(a)};B=${writeValue(b)}`);
        expect(problems).toEqual([]);
        expect(pairs.map(({ value }) => value)).toEqual([a, b]);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("the seeds' own strings", () => {
  const base = { choices: {}, tokens: {}, runtime: {} };

  it('CData: Jumpseller', () => {
    const text =
      'Profile=C:\\profiles\\Jumpseller.apip;Authscheme=OAuth;InitiateOAuth=GETANDREFRESH;OAuthClientId=your_client_id;OAuthClientSecret=your_client_secret;CallbackUrl=https://me.example/cb;';
    expect(read(text)).toEqual({
      ...base,
      connector: 'jumpseller',
      method: 'oauth',
      initiate: 'GETANDREFRESH',
      fields: { client_id: 'your_client_id', client_secret: { secret: 'your_client_secret' } },
      oauth: { redirect_uri: 'https://me.example/cb' },
    });
    expect(connectorNamed(text, ['jama-connect', 'jumpseller'])).toBe('jumpseller');
    expect(connectorNamed('profile="/opt/profiles/AmazonAds.apip"', ['amazon-ads'])).toBe('amazon-ads');
    expect(connectorNamed('Connector=jumpseller', ['jumpseller'])).toBe('jumpseller');
    expect(connectorNamed('Profile=1234', ['jumpseller'])).toBeUndefined();
  });

  it('ZappySys: Amazon Ads, where the authorize URL is the region', () => {
    const text =
      'Driver={ZappySys Api Driver};AppId=id;ClientSecret="s;1";AuthorizationUrl=https://eu.account.amazon.com/ap/oa;ReturnUrl=https://zappysys.com/oauth;Scope=advertising::campaign_management;Profile=9007199254740993;InitiateOAuth=GETANDREFRESH;RetryMode=RetryWhenStatusCodeMatch;RetryStatusCodeList=429|503;RetryCountMax=5;RetryMultiplyWaitTime=True';
    expect(read(text, amazon)).toEqual({
      ...base,
      connector: 'amazon-ads',
      method: 'oauth',
      initiate: 'GETANDREFRESH',
      choices: { region: 'eu' },
      fields: {
        client_id: 'id',
        client_secret: { secret: 's;1' },
        scope: 'advertising::campaign_management',
        profile_id: '9007199254740993',
      },
      oauth: { redirect_uri: 'https://zappysys.com/oauth' },
      runtime: { retry: { mode: 'RetryWhenStatusCodeMatch', statuses: [429, 503], countMax: 5, multiplyWaitTime: true } },
    });
    for (const [url, region] of [
      ['https://www.amazon.com/ap/oa', 'na'],
      ['https://apac.account.amazon.com/ap/oa', 'fe'],
    ]) {
      expect(read(`AppId=id;AuthorizationUrl=${url};InitiateOAuth=GETANDREFRESH`, amazon).choices).toEqual({ region });
    }
    expect(read('ServiceUrl=https://advertising-api-fe.amazon.com/;InitiateOAuth=GETANDREFRESH', amazon).choices).toEqual({ region: 'fe' });
    expect(
      wrong(
        'AuthorizationUrl=https://www.amazon.com/ap/oa;TokenUrl=https://api.amazon.co.uk/auth/o2/token;InitiateOAuth=GETANDREFRESH',
        amazon,
      ),
    ).toEqual([expect.stringContaining('asks for region eu, another property for na')]);
    expect(wrong('Region=na;AuthUrl=https://evil.example/ap/oa;InitiateOAuth=GETANDREFRESH', amazon)).toEqual([
      expect.stringMatching(/^NS AuthUrl/),
    ]);
  });

  it('Jama: "OAuth" is client credentials there; the service URL is the site', () => {
    expect(
      read('AuthScheme=OAuth;InitiateOAuth=GETANDREFRESH;ServiceUrl=https://acme.jamacloud.com;OAuthClientId=i;OAuthClientSecret=s', jama),
    ).toMatchObject({
      method: 'oauth',
      fields: { site: 'https://acme.jamacloud.com' },
    });
    expect(read('AuthScheme=OAUTH_CLIENT;InitiateOAuth=GETANDREFRESH', jama).method).toBe('oauth');
    expect(read('AuthScheme=Basic;User=u;Pwd=p', jama)).toMatchObject({
      method: 'basic',
      fields: { username: 'u', password: { secret: 'p' } },
    });
    expect(read('AuthScheme=APIKEY;APIKey=k', keyed)).toMatchObject({ method: 'key', fields: { token: { secret: 'k' } } });
  });

  it('nested ProfileSettings, other spellings, the method by name', () => {
    const text = `Auth Scheme=basic;profile_settings='User="x;y";AuthToken=t'`;
    expect(read(text)).toMatchObject({ method: 'basic', fields: { username: 'x;y', password: { secret: 't' } } });
    expect(read('AuthMethod=open').method).toBe('open');
    expect(read('AuthScheme=NONE').method).toBe('open');
    expect(read('OAuthGrantType=CODE;OAuthVersion=2.0;InitiateOAuth=GETANDREFRESH').method).toBe('oauth');
    // The first method is the default.
    expect(read('fields.start_date=2026-01-01')).toMatchObject({ method: 'basic', fields: { start_date: '2026-01-01' } });
  });
});

describe('InitiateOAuth', () => {
  it('does what the reference says', () => {
    expect(initiateEffect('OFF')).toEqual({ obtain: false, refresh: false });
    expect(initiateEffect('REFRESH')).toEqual({ obtain: false, refresh: true });
    expect(initiateEffect('GETANDREFRESH')).toEqual({ obtain: true, refresh: true });
    // OFF is the default, and needs the person's own token.
    expect(wrong('AuthScheme=OAuth;OAuthClientId=i')).toEqual([expect.stringMatching(/^CM InitiateOAuth .*needs OAuthAccessToken/)]);
    expect(read('AuthScheme=OAuth;OAuthAccessToken=t')).toMatchObject({ initiate: 'OFF', tokens: { access_token: { secret: 't' } } });
    expect(wrong('AuthScheme=OAuth;InitiateOAuth=REFRESH')).toEqual([expect.stringContaining('needs a first token')]);
    expect(read('AuthScheme=OAuth;InitiateOAuth=refresh;OAuthRefreshToken=r').tokens).toEqual({ refresh_token: { secret: 'r' } });
    expect(read('AuthScheme=OAuth;InitiateOAuth=REFRESH;OAuthSettingsLocation=memory://a').storage).toEqual({ type: 'memory', id: 'a' });
    expect(wrong('AuthScheme=OAuth;OAuthAccessToken=t;OAuthVerifier=v')).toEqual([
      expect.stringContaining('needs InitiateOAuth=GETANDREFRESH'),
    ]);
    expect(read(`${OK};OAuthVerifier=v`).oauth).toEqual({ code: { secret: 'v' } });
  });

  it('a lifetime and its timestamp, in seconds or milliseconds', () => {
    const tokens = (stamp: string) =>
      read(`AuthScheme=OAuth;OAuthAccessToken=t;OAuthExpiresIn=3600;OAuthTokenTimestamp=${stamp}`).tokens.expires_at;
    expect([tokens('1700000000'), tokens('1700000000500')]).toEqual([1_700_003_600_000, 1_700_003_600_500]);
    expect(wrong(`${OK};OAuthExpiresIn=3600`)).toEqual([expect.stringContaining('without OAuthTokenTimestamp')]);
    expect(wrong(`${OK};OAuthTokenTimestamp=1`)).toEqual([expect.stringContaining('without OAuthExpiresIn')]);
  });
});

it('runtime options', () => {
  const text = `${OK};Timeout=60;MaxRows=100;ProxyServer=Proxy.example;ProxyPort=3128;ProxyUser=me@x;ProxyPassword="p:w";ProxyExceptions=a.example; "b";`;
  expect(wrong(text)).toHaveLength(1);
  const runtime = read(
    `${OK};Timeout=60;MaxRows=100;ProxyServer=Proxy.example;ProxyPort=3128;ProxyUser=me@x;ProxyPassword="p:w";ProxyExceptions="a.example; b";CustomHeaders="X-A: 1\nX-B: two words";CustomUrlParams="a=1&b=%26";AuthorizationHeaderPrefix=Token;SSLServerCert=/etc/ca.pem;Logfile=/var/log/f.log;Verbosity=3`,
  ).runtime;
  expect(runtime).toEqual({
    timeout: 60_000,
    limit: 100,
    network: {
      proxy: { secret: 'http://me%40x:p%3Aw@proxy.example:3128' },
      noProxy: 'a.example,b',
      headers: { 'X-A': { secret: '1' }, 'X-B': { secret: 'two words' } },
      query: { a: { secret: '1' }, b: { secret: '&' } },
      authorizationPrefix: 'Token ',
      caFile: '/etc/ca.pem',
    },
    log: { file: '/var/log/f.log', verbosity: 3 },
  });
  // What asks for nothing but what is done anyway.
  expect(
    read(`${OK};MaxRows=-1;AutoCache=False;IgnoreSSLCertificateErrors=false;EnableCodeVerifier=True;ProxyAutoDetect=0;RetryMode=`).runtime,
  ).toEqual({});
  for (const [bad, why] of [
    ['Timeout=0', 'NS'],
    ['Timeout=soon', 'CM'],
    ['MaxRows=0', 'CM'],
    ['RetryMode=Sometimes', 'CM'],
    ['RetryStatusCodeList=429;x', 'CM'],
    ['RetryCountMax=-1', 'CM'],
    ['CustomHeaders="X: a\nno header"', 'CM'],
    ['CustomHeaders="X: a\u0000b"', 'CM'],
    ['AuthorizationHeaderPrefix="a b"', 'CM'],
    ['SSLServerCert=*', 'NS'],
    ['IgnoreSSLCertificateErrors=True', 'NS'],
    ['ProxyPort=8080', 'CM'],
    ['ProxyServer=evil.com/', 'CM'],
    ['OAuthVersion=1.0', 'NS'],
  ]) {
    expect([bad, wrong(`${OK};${bad}`).map((one) => one.slice(0, 2))[0]]).toEqual([bad, why]);
  }
});

describe('nothing is ignored', () => {
  // Written down from the reference, B1 and B2, not from our table.
  const B2 =
    'OAuthPasswordGrantMode OAuthRequestTokenURL OAuthParams AuthToken AuthKey SSLClientCert SSLClientCertType SSLClientCertPassword SSLClientCertSubject FirewallType FirewallServer FirewallPort FirewallUser FirewallPassword LogModules MaxLogFileSize MaxLogFileCount Location BrowsableSchemas Tables Views CacheLocation CacheDriver CacheConnection CacheMetadata CacheTolerance Pagesize Readonly PseudoColumns Other ConnectionLifeTime PoolIdleTimeout PoolMaxSize PoolMinSize PoolWaitTime UseConnectionPooling RTK SupportEnhancedSQL UserDefinedViews OAuthAuthorizationURL OAuthAccessTokenURL OAuthRefreshTokenURL';
  const B1 =
    'DSN ConnectionStringFile TrustedDomains ExtraAttributesForAuthRequest ExtraAttributesForTokenRequest DoNotIncludeCredentialsInHeader DoNotIncludeCredentialsInBody RenewBeforeSec ExtraHeaders ContentType CustomAuthHeader SslVersion CachingMode CacheStorage CacheEntryTtl CacheFileLocation AuthUrl TokenUrl ServiceUrl Url Method Body Headers IsMultiPart Filter';
  const plain = { ...amazon, name: 'plain', choices: [], fields: [] };

  it.each([...B2.split(' '), ...B1.split(' ')])('%s is known and not supported', (name) => {
    const found = readConnectionString(`InitiateOAuth=GETANDREFRESH;${name}=https://x.example/1`, plain).findings;
    expect(found.map(({ rule, path }) => [rule, path[0]])).toEqual([['not_supported', name]]);
    expect(found[0]!.hint!.length).toBeGreaterThan(10);
    expect(() => parseConnectionString(`InitiateOAuth=GETANDREFRESH;${name}=https://x.example/1`, plain)).toThrow(
      expect.objectContaining({ code: 'not_supported', where: name }),
    );
  });

  it('AuthScheme: NTLM is not supported, typos and other schemes say what there is', () => {
    expect(wrong('AuthScheme=NTLM')).toEqual([expect.stringMatching(/^NS AuthScheme .*NTLM comes.*basic \(basic\), oauth/)]);
    expect(wrong('AuthScheme=OAUHT')[0]).toContain('Did you mean OAUTH?');
    expect(wrong('AuthScheme=APIKEY')[0]).toContain('names a way to sign in that jumpseller does not have');
    expect(wrong('AuthScheme=Basic;GrantType=CODE')[0]).toContain('asks for another auth method than AuthScheme');
  });

  it('unknown, doubled, foreign, fixed, masked, without meaning', () => {
    expect(wrong(`${OK};CallbakURL=x`)[0]).toContain('Did you mean CallbackURL?');
    expect(wrong(`${OK};Unheard=`)).toHaveLength(1);
    expect(wrong(`${OK};oauth_client_id=y`)[0]).toContain('is given twice');
    expect(wrong(`${OK};ClientId=y`)[0]).toContain('is client_id, which is given already');
    expect(wrong(`${OK};User=y`)[0]).toContain('belongs to the auth method basic');
    expect(wrong('AuthScheme=Basic;InitiateOAuth=GETANDREFRESH')[0]).toContain('has no meaning for the auth method basic');
    expect(wrong('Profile=/x/Jama.apip')[0]).toContain('is not for jumpseller');
    expect(wrong('grant=y;InitiateOAuth=GETANDREFRESH', amazon)[0]).toContain('has a fixed value');
    expect(wrong('Region=ue;InitiateOAuth=GETANDREFRESH', amazon)[0]).toContain('The options are: na, eu, fe.');
    expect(wrong('AuthScheme=OAuth;OAuthAccessToken=••••').some((one) => one.includes('is masked'))).toBe(true);
    expect(wrong(`${OK};APIKey=k`)[0]).toContain('is nothing that jumpseller asks for');
  });

  it('malformed wins over not supported; all are told, and no value is', () => {
    const typed = canary('connection-string');
    const text = `AuthScheme=Basic;Password=${typed};Secretive${plainCanary('property')}=1;SSLClientCert=${typed};User=a;RetryMode=${typed};${plainCanary('property')}`;
    let error: unknown;
    try {
      parseConnectionString(text, jumpseller);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: 'connection_string_malformed', findings: { length: 4 } });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(
      new RegExp(`${typed.slice(0, 25)}|${plainCanary('property').slice(6)}`),
    );
  });

  it('words that objects know of themselves are no schemes, headers or parameters', () => {
    for (const word of ['constructor', 'toString', '__proto__'])
      expect(wrong(`AuthScheme=${word};InitiateOAuth=GETANDREFRESH`)[0]).toContain('has a value that it cannot have');
    expect(wrong(`${OK};CustomHeaders=__proto__: x`)).toEqual([expect.stringContaining('has a name that nothing can have')]);
    expect(wrong(`${OK};CustomUrlParams=__proto__=x`)).toEqual([expect.stringContaining('has a name that nothing can have')]);
  });

  it('half of a character is refused, wherever it stands', () => {
    expect(wrong(`${OK};ProxyServer=p.example;ProxyUser=\ud800`)).toEqual([expect.stringContaining('half of a character')]);
  });

  it('a list without anything in it', () => {
    expect(wrong(`${OK};ProxyExceptions=","`)).toEqual([expect.stringContaining('names no host')]);
    expect(wrong(`${OK};CustomUrlParams=&`)).toEqual([expect.stringContaining('names nothing')]);
  });

  it('counts characters of a nested string behind an emoji', () => {
    const text = `${OK};ProfileSettings='State=👩;Zzzzzzz=1'`;
    expect(readConnectionString(text, jumpseller).findings.map(({ start }) => start.offset)).toEqual([text.indexOf('Zzzzzzz')]);
    // What is not quoted is mapped back, too.
    expect(readPairs('a=👩b').pairs[0]?.offsets).toEqual([2, 3, 4]);
  });

  it('nor when nothing stands behind it, or the secret belongs to nothing here', () => {
    for (const text of ['AuthScheme=Basic;User=u;Password=ab;hunter2=', `${OK};APIKey=ab;hunter2=x`, `${OK};Password=ab;hunter2=x`]) {
      const found = wrong(text);
      expect(found.join()).not.toContain('hunter2');
      expect(found.at(-1)).toContain('in quotes');
    }
  });

  it("the end of an unquoted secret is not taken for a property's name", () => {
    const [found] = wrong('AuthScheme=Basic;User=u;Password=ab;hunter2hunter2=x');
    expect(found).not.toContain('hunter2');
    expect(found).toContain('in quotes');
  });
});

describe('writing', () => {
  it("in CData's words, secrets masked unless asked", () => {
    const connection = parseConnectionString(
      `${OK};CallbackURL=http://localhost:8765/callback;ProxyServer=p.example;ProxyUser=u;ProxyPassword=w`,
      jumpseller,
    );
    expect(toConnectionString(connection, jumpseller)).toBe(
      'Connector=jumpseller;AuthScheme=OAUTH;OAuthClientId=id;OAuthClientSecret=••••;InitiateOAuth=GETANDREFRESH;CallbackURL=http://localhost:8765/callback;ProxyServer=p.example;ProxyPort=80;ProxyUser=u;ProxyPassword=••••',
    );
    expect(toConnectionString(connection, jumpseller, { reveal: true })).toContain('OAuthClientSecret=s;');
  });

  it('a stored credential', () => {
    const shape = {
      ...jama,
      name: 'acme',
      fields: [field('site'), field('tags'), field('on'), field('ratio'), field('id')],
      choices: [{ name: 'region', options: [{ id: 'eu', attributes: {} }] }],
    };
    const credential = sampleCredential('x');
    const text = toConnectionString(connectionOf(credential, shape), shape, { reveal: true });
    const back = read(text, shape);
    expect(back).toMatchObject({ method: 'oauth', initiate: 'GETANDREFRESH', choices: { region: 'eu' } });
    expect(back.fields).toEqual({
      site: 'https://acme.example',
      client_secret: { secret: canary('store-secret') },
      tags: 'a,b',
      on: 'true',
      ratio: '0.5',
      id: '9007199254740993',
    });
    expect(back.tokens).toEqual({ access_token: { secret: canary('store-access') }, expires_at: 1_700_000_000_000 });
    expect(toConnectionString(connectionOf({ ...credential, method: 'basic', fields: {} }, shape), shape)).toBe(
      'Connector=acme;AuthScheme=BASIC;region=eu',
    );
  });

  it.each([
    ['0', '1'],
    ['1', '99999999999'],
    ['0', '100000000000'],
    ['10000000000', '999999999999999'],
  ])('a lifetime of %s seconds from %s is written so that it can be read', (lifetime, from) => {
    const connection = parseConnectionString(`${OK};OAuthAccessToken=t;OAuthExpiresIn=${lifetime};OAuthTokenTimestamp=${from}`, jumpseller);
    const back = parseConnectionString(toConnectionString(connection, jumpseller, { reveal: true }), jumpseller);
    expect(back.tokens.expires_at).toBe((from.length < 12 ? Number(from) * 1000 : Number(from)) + Number(lifetime) * 1000);
  });

  it('whatever is written is read back to the same (3,000 cases)', () => {
    // Names that collide with properties, with each other but for case and separators, and with methods' words.
    const names = [
      'client_id',
      'client_secret',
      'user',
      'username',
      'profile',
      'driver',
      'timeout',
      'scope',
      'a_b',
      'ab',
      'region',
      'auth_scheme',
      'connector',
      'url',
    ];
    const text = fc
      .oneof(fc.string({ minLength: 1 }), fc.constantFrom('x.apip', '{a}', '"', "''", ';', ' a ', 'a=b;c', 'false', '\n', 'é"+/=&<'))
      .filter((value) => value !== '••••');
    const hidden = text.map((value) => new Secret(value));
    const part = <T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(shape, { requiredKeys: [] });
    const whole = (max: number) => fc.integer({ min: 1, max });
    const token = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,8}$/);
    const cases = fc.record({
      method: fc.constantFrom('one', 'two', 'three', 'basic'),
      fields: fc.dictionary(fc.constantFrom(...names), text),
      region: fc.option(fc.constantFrom('na', 'eu'), { nil: undefined }),
      tokens: part({ refresh_token: hidden, expires_at: fc.integer({ min: 2e11, max: 4e12 }) }),
      access: hidden,
      oauth: part({ redirect_uri: text, state: text, code: hidden }),
      storage: fc.option(fc.constantFrom({ type: 'memory' as const, id: 'm;1' }, { type: 'file' as const, path: 'C:\\a b\\t.txt' }), {
        nil: undefined,
      }),
      retry: part({
        mode: fc.constantFrom('None' as const, 'RetryAny' as const, 'RetryWhenStatusCodeMatch' as const),
        statuses: fc.array(fc.integer({ min: 100, max: 599 }), { minLength: 1, maxLength: 3 }),
        countMax: fc.integer({ min: 0, max: 100 }),
        multiplyWaitTime: fc.boolean(),
      }),
      network: part({
        proxy: fc
          .record({ user: text, password: text, port: whole(65_535), tls: fc.boolean() })
          .map(
            ({ user, password, port, tls }) =>
              new Secret(`${tls ? 'https' : 'http'}://${encodeURIComponent(user)}:${encodeURIComponent(password)}@p.example:${port}`),
          ),
        noProxy: fc.constantFrom('a.example', 'a,b'),
        authorizationPrefix: token.map((word) => `${word} `),
        headers: fc.dictionary(
          token,
          fc.stringMatching(/^[!-~]([ -~]{0,8}[!-~])?$/).map((value) => new Secret(value)),
          { minKeys: 1, maxKeys: 3 },
        ),
        query: fc.dictionary(token, hidden, { minKeys: 1, maxKeys: 3 }),
      }),
      timeout: fc.option(whole(86_400), { nil: undefined }),
      limit: fc.option(whole(1e9), { nil: undefined }),
    });
    const shape: ConnectorShape = {
      name: 'acme',
      methods: [
        { name: 'one', type: 'oauth2_authorization_code', fields: [field('client_id'), secret('client_secret'), field('user')] },
        { name: 'two', type: 'oauth2_authorization_code', fields: [field('client_id'), secret('client_secret'), field('user')] },
        {
          name: 'three',
          type: 'oauth2_authorization_code',
          fields: [field('client_id', { aliases: ['Scope'] }), secret('client_secret'), field('user')],
        },
        { name: 'basic', type: 'basic', fields: [field('client_id'), secret('client_secret'), field('user')] },
      ],
      fields: names.filter((name) => !['client_id', 'client_secret', 'user'].includes(name)).map((name) => field(name)),
      choices: [{ name: 'region', options: ['na', 'eu'].map((id) => ({ id, attributes: {} })) }],
    };
    fc.assert(
      fc.property(cases, ({ method, fields, region, tokens, access, oauth, storage, retry, network, timeout, limit }) => {
        const oauthMethod = method !== 'basic';
        const connection: ParsedConnection = {
          connector: 'acme',
          method,
          initiate: oauthMethod ? 'GETANDREFRESH' : 'OFF',
          choices: region === undefined ? {} : { region },
          fields: Object.fromEntries(
            Object.entries(fields).map(([name, value]) => [name, name === 'client_secret' ? new Secret(value) : value]),
          ),
          tokens: oauthMethod ? { ...tokens, access_token: access } : {},
          oauth: oauthMethod ? oauth : {},
          ...(oauthMethod && storage && { storage }),
          runtime: {
            ...(Object.keys(retry).length > 0 && { retry }),
            ...(Object.keys(network).length > 0 && { network }),
            ...(timeout !== undefined && { timeout: timeout * 1000 }),
            ...(limit !== undefined && { limit }),
          },
        };
        const written = toConnectionString(connection, shape, { reveal: true });
        const { connection: back, findings } = readConnectionString(written, shape);
        expect(findings).toEqual([]);
        expect(opened(back)).toEqual(opened(connection));
      }),
      { numRuns: 3000 },
    );
  });
});
