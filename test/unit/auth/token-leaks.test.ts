import { inspect } from 'node:util';
import { connectSpec } from '../../../framework/engine/connect.ts';
import type { ClientEvent } from '../../../framework/http/types.ts';
import { acme, addresses } from '../../acme.ts';
import { canary, plainCanary } from '../../canary.ts';
import { type Answer, type LocalServer, serve } from '../../server.ts';

const CLIENT = `type: oauth2_client_credentials, token_url: 'https://auth.acme.test/token'`;
/** Tokens under names that say nothing. */
const ODD = `${CLIENT}, token: { capture: { access_token: data.value, ticket: 'data.id' } }`;
const CODE = `type: oauth2_authorization_code, authorize_url: 'https://auth.acme.test/authorize', token_url: 'https://auth.acme.test/token'`;

const secrets = {
  clientSecret: canary('token-leak client secret'),
  token: plainCanary('token-leak token'),
  other: plainCanary('token-leak other'),
  code: plainCanary('token-leak code'),
};

let server: LocalServer;
afterEach(() => server.close());

const all = (value: unknown) =>
  inspect(value, { showHidden: true, depth: 20, maxStringLength: null }) +
  JSON.stringify(value) +
  String((value as Error | undefined)?.stack);

const forms = (secret: string) => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), secret.slice(0, 24)];

/** Connects, asks once, and gives all that could be seen of it. */
async function trace(auth: string, answer: (body: string) => Answer) {
  server = await serve(({ path, body }) => (path === '/token' ? answer(body) : { json: {} }));
  const events: ClientEvent[] = [];
  let error: unknown;
  let verifier = '';
  try {
    const connection = await connectSpec(
      acme(`auth: { oauth: { ${auth} } }`),
      { fields: { client_id: 'app', client_secret: secrets.clientSecret } },
      {
        ...addresses(server.origin),
        retry: { mode: 'None' },
        onEvent: (event) => events.push(event),
        consent: async ({ authorizeUrl, redirectUri }) =>
          `${redirectUri}?${new URLSearchParams({ code: secrets.code, state: new URL(authorizeUrl).searchParams.get('state') ?? '' })}`,
      },
    );
    await connection.http.get('/me').catch((thrown: unknown) => {
      error = thrown;
    });
    await connection.close();
  } catch (thrown) {
    error = thrown;
  }
  verifier = new URLSearchParams(server.received[0]?.body).get('code_verifier') ?? '';
  const shown = all(events) + all(error);
  for (const secret of [...Object.values(secrets), ...(verifier === '' ? [] : [verifier])]) {
    for (const form of forms(secret)) expect(shown).not.toContain(form);
  }
  return { events, error };
}

const { token, other } = secrets;

it.each<[string, string, (body: string) => Answer, object | undefined]>([
  ['a token answer', CLIENT, () => ({ json: { access_token: token, refresh_token: other, expires_in: 60 } }), undefined],
  ['tokens under odd names', ODD, () => ({ json: { data: { value: token, id: other, list: [other] } } }), undefined],
  ['headers', CLIENT, () => ({ json: { access_token: token }, headers: { 'x-ticket': other, 'set-cookie': `s=${other}` } }), undefined],
  [
    'an answer that ends too early',
    ODD,
    () => ({ text: `{"data":{"value":"${token}","id":"${other}"`, headers: { 'content-type': 'application/json' } }),
    { code: 'token_malformed' },
  ],
  ['a bare text', ODD, () => ({ text: token }), { code: 'token_malformed' }],
  ['a number in the wrong place', CLIENT, () => ({ json: { access_token: token, expires_in: other } }), { code: 'token_malformed' }],
  [
    '200 with an error that repeats what was sent',
    CLIENT,
    (body) => ({ json: { error: 'invalid_client', error_description: `no ${body} ${secrets.clientSecret}` } }),
    { code: 'token_refused', providerCode: 'invalid_client' },
  ],
  ['200 with an error code that does', CLIENT, (body) => ({ json: { error: body } }), { code: 'token_refused' }],
  ['200 with an error object that does', CLIENT, (body) => ({ json: { error: { message: body } } }), { code: 'token_refused' }],
  [
    'a refused code',
    CODE,
    (body) => ({ json: { error: 'invalid_grant', error_description: body } }),
    { code: 'token_refused', providerCode: 'invalid_grant' },
  ],
])('%s shows no secret in events and errors', async (_, auth, answer, expected) => {
  const { error } = await trace(auth, answer);
  if (expected === undefined) expect(error).toBeUndefined();
  else expect(error).toMatchObject(expected);
});

it('still shows what a token answer was like', async () => {
  const { events } = await trace(CLIENT, () => ({
    json: { access_token: token, token_type: 'Bearer', expires_in: 3600, scope: 'read write', user: { id: 7, name: other } },
  }));
  const answered = events.find((event) => event.type === 'response');
  expect(JSON.parse((answered?.type === 'response' && answered.body) || '')).toEqual({
    access_token: '[secret]',
    token_type: 'Bearer',
    expires_in: 3600,
    scope: 'read write',
    user: { id: '[secret]', name: '[secret]' },
  });
});
