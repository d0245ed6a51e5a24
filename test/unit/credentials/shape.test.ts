import { Secret } from '../../../framework/core/secret.ts';
import { parseConnectionString } from '../../../framework/credentials/connection-string.ts';
import { toConnectionString } from '../../../framework/credentials/connection-write.ts';
import { readInputs } from '../../../framework/credentials/inputs.ts';
import { connectorShape } from '../../../framework/credentials/shape.ts';
import { loadConnector } from '../../../framework/spec/load.ts';

const shapeOf = async (name: string) => connectorShape(await loadConnector(`connectors/${name}.yaml`));

/** Each as a person would copy it from the seed's page, and what the bundled spec must make of it. */
const SEEDS: [connector: string, text: string, method: string, fields: string[], choices: Record<string, string>][] = [
  [
    'jumpseller',
    'Profile=C:\\profiles\\Jumpseller.apip;Authscheme=OAuth;InitiateOAuth=GETANDREFRESH;OAuthClientId=i;OAuthClientSecret=s;CallbackUrl=https://me.example/;',
    'oauth',
    ['client_id', 'client_secret'],
    {},
  ],
  ['jumpseller', 'AuthScheme=BASIC;User=u;Password=p', 'basic', ['password', 'username'], {}],
  [
    'amazon-ads',
    'Driver={ZappySys Api Driver};AppId=i;ClientSecret=s;AuthorizationUrl=https://apac.account.amazon.com/ap/oa;ReturnUrl=https://zappysys.com/oauth;Scope=advertising::campaign_management;Profile=1;RetryMode=RetryWhenStatusCodeMatch;InitiateOAuth=GETANDREFRESH',
    'oauth',
    ['client_id', 'client_secret', 'profile_id', 'scope'],
    { region: 'fe' },
  ],
  [
    'jama-connect',
    'AuthScheme=OAuth;ServiceUrl=https://acme.jamacloud.com/;ClientId=i;ClientSecret=s;InitiateOAuth=GETANDREFRESH',
    'oauth',
    ['client_id', 'client_secret', 'site'],
    {},
  ],
  ['jama-connect', 'AuthScheme=Basic;URL=https://acme.jamacloud.com/;User=u;Password=p', 'basic', ['password', 'site', 'username'], {}],
  [
    'jampp',
    'AuthScheme=OAUTH_CLIENT;OAuthClientId=i;OAuthClientSecret=s;InitiateOAuth=GETANDREFRESH',
    'oauth',
    ['client_id', 'client_secret'],
    {},
  ],
  ['uppromote', 'BearerToken=t', 'key', ['api_key'], {}],
];

it.each(SEEDS)('%s: %s', async (connector, text, method, fields, choices) => {
  const shape = await shapeOf(connector);
  const parsed = parseConnectionString(text, shape);
  expect([parsed.connector, parsed.method, parsed.choices]).toEqual([connector, method, choices]);
  expect(Object.keys(parsed.fields).sort()).toEqual(fields);
  const entered = shape.methods.find(({ name }) => name === parsed.method)!.fields;
  const { problems, values } = readInputs({ connector, fields: [...entered, ...shape.fields] }, [
    { name: 'connection string', values: parsed.fields },
  ]);
  expect(problems.filter(({ rule }) => rule !== 'input_missing' && rule !== 'input_warning')).toEqual([]);
  if (fields.includes('site')) expect(values.site).toBe('https://acme.jamacloud.com');
  for (const name of ['client_secret', 'password', 'api_key']) if (fields.includes(name)) expect(values[name]).toBeInstanceOf(Secret);
  const written = toConnectionString(parsed, shape, { reveal: true });
  expect(toConnectionString(parseConnectionString(written, shape), shape, { reveal: true })).toBe(written);
});
