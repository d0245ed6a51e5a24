import { reveal, Secret } from '../../../framework/core/secret.ts';
import { readConfig, rotatedConfig } from '../../../framework/interop/config.ts';
import { acme } from '../../acme.ts';
import { failureOf } from '../../failure.ts';

const SPEC = acme(`
choices: { region: { title: Region, options: { eu: {}, us: {} } } }
fields: { tags: { title: Tags, type: list, required: false } }
auth:
  key: bearer
  user: basic
  web:
    type: oauth2_authorization_code
    authorize_url: https://auth.acme.test/authorize
    token_url: https://auth.acme.test/token
    refresh: { rotates: true }
`);

describe('readConfig', () => {
  it('takes credentials apart and flat, choices by name, and tokens that a consent brought', () => {
    const nested = { region: 'eu', tags: ['a'], credentials: { method: 'web', client_id: 'c', refresh_token: 'r', expires_at: 5 } };
    const inputs = readConfig(SPEC, nested);
    expect(inputs).toMatchObject({ method: 'web', choices: { region: 'eu' }, fields: { tags: ['a'], client_id: 'c' } });
    expect(reveal(inputs.tokens?.refresh_token ?? '')).toBe('r');
    expect(inputs.tokens?.expires_at).toBe(5);
    const { credentials, ...beside } = nested;
    expect(readConfig(SPEC, { ...beside, ...credentials })).toEqual(inputs);
  });

  it.each([
    ['user', { username: 'a', password: 'b' }],
    ['web', { client_id: 'c', refresh_token: 'r' }],
    ['key', { token: 't' }],
    ['key', { nothing: 'known' }],
    // A form sends what was left empty, too.
    ['user', { token: null, client_id: '', username: 'a' }],
  ])('without a method it is the first that has all fields: %s', (method, config) => {
    expect(readConfig(SPEC, config).method).toBe(method);
  });

  it.each([
    ['a list', []],
    ['credentials that are a text', { credentials: 'x' }],
    ['a map for a field', { token: { a: 1 } }],
    ['a list of numbers', { tags: [1] }],
  ])('%s is refused', (_, config) => {
    expect(failureOf(() => readConfig(SPEC, config))).toMatchObject({ code: 'input_malformed' });
  });
});

describe('rotatedConfig', () => {
  const captures = { refresh_token: new Secret('r2'), access_token: new Secret('a2') };

  it('has the new refresh token where the old one stood, and an access token only where there was one', () => {
    const expires = { token: 99 };
    expect(rotatedConfig({ region: 'eu', credentials: { method: 'web', refresh_token: 'r1' } }, { captures, expires })).toEqual({
      region: 'eu',
      credentials: { method: 'web', refresh_token: 'r2' },
    });
    expect(rotatedConfig({ method: 'web', refresh_token: 'r1', access_token: 'a1', expires_at: 1 }, { captures, expires })).toEqual({
      method: 'web',
      refresh_token: 'r2',
      access_token: 'a2',
      expires_at: 99,
    });
  });

  it('is none while the refresh token stays', () => {
    expect(rotatedConfig({ refresh_token: 'r2', access_token: 'a1' }, { captures, expires: {} })).toBeUndefined();
    expect(rotatedConfig({ token: 'x' }, { captures: {}, expires: {} })).toBeUndefined();
  });
});
