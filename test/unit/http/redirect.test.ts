import { Secret } from '../../../framework/core/secret.ts';
import type { Authenticator } from '../../../framework/http/types.ts';
import { canary } from '../../canary.ts';
import { clientFor, closeAll, json, rejection, serve } from './servers.ts';

afterEach(closeAll);

const key = canary('redirect key').slice(0, 30);
const auth: Authenticator = {
  renewable: false,
  apply: async (draft) => ({
    draft: { ...draft, headers: { ...draft.headers, 'X-Api-Key': new Secret(key) }, query: { ...draft.query, k: new Secret('q') } },
  }),
  renew: async () => {},
};

/** Answers every /from with a redirect, all else with what was seen. */
const redirecting = (status: number, location: () => string) =>
  serve((request, response) => {
    if (!request.url.startsWith('/from')) return json(response, 200, { ok: true });
    response.writeHead(status, { location: location() });
    response.end();
  });

it.each([
  [301, 'POST', 'GET', ''],
  [302, 'POST', 'GET', ''],
  [303, 'PUT', 'GET', ''],
  [307, 'POST', 'POST', '{"a":1}'],
  [308, 'POST', 'POST', '{"a":1}'],
  [302, 'DELETE', 'DELETE', '{"a":1}'],
] as const)('%i turns %s into %s; the credential goes on within the policy', async (status, method, becomes, body) => {
  const server = await redirecting(status, () => '/to?x=1&k=old');
  const { client } = clientFor(server.origin, { auth });
  expect((await client.call({ method, url: '/from', query: { page: '2' }, body: { a: 1 } })).body).toEqual({ ok: true });
  expect(server.seen[1]).toMatchObject({ method: becomes, url: '/to?x=1&k=q', body, headers: { 'x-api-key': key } });
  if (body === '') expect(server.seen[1]?.headers).not.toHaveProperty('content-type');
});

it('to another host that the spec names, the credential goes along', async () => {
  const other = await redirecting(302, () => '/');
  const server = await redirecting(302, () => `${other.origin}/to`);
  await clientFor(server.origin, { auth, credentialHosts: [other.origin] }).client.call({ method: 'GET', url: '/from' });
  expect(other.seen[0]?.headers['x-api-key']).toBe(key);
});

it('to a host that the spec does not name, it is refused and nothing is sent', async () => {
  const other = await redirecting(302, () => '/');
  const server = await redirecting(307, () => `${other.origin}/to?token=${key}`);
  const { client, events } = clientFor(server.origin, { auth });
  const error = await rejection(client.call({ method: 'GET', url: '/from' }));
  expect(error).toMatchObject({ code: 'redirect_refused', message: expect.stringContaining(other.origin) });
  expect(other.seen).toHaveLength(0);
  expect(JSON.stringify([error, events])).not.toContain(key);
});

it('a bare call follows anywhere, without its own secrets', async () => {
  const other = await redirecting(302, () => '/');
  const server = await redirecting(302, () => `${other.origin}/to?sig=1`);
  const { client } = clientFor('https://api.acme.com', { auth });
  await client.call(
    {
      method: 'GET',
      url: `${server.origin}/from`,
      headers: { 'X-Token': new Secret(key), Authorization: 'Basic eA==', 'X-Plain': '1' },
      cookies: { s: '1' },
    },
    { bare: true },
  );
  expect(server.seen[0]?.headers).toMatchObject({ 'x-token': key, authorization: 'Basic eA==' });
  expect(other.seen[0]).toMatchObject({ url: '/to?sig=1', headers: { 'x-plain': '1' } });
  for (const name of ['x-token', 'authorization', 'cookie']) expect(other.seen[0]?.headers).not.toHaveProperty(name);
});

it.each([307, 308])('%i: a bare call with a body (a token call) does not take it to another host', async (status) => {
  const other = await redirecting(302, () => '/');
  const server = await redirecting(status, () => `${other.origin}/to`);
  const { client } = clientFor('https://api.acme.com');
  const call = client.call(
    { method: 'POST', url: `${server.origin}/from`, body: { client_secret: new Secret(key) }, encode: 'form' },
    { bare: true },
  );
  expect(await rejection(call)).toMatchObject({ code: 'redirect_refused' });
  expect(other.seen).toHaveLength(0);
});

it.each(['http://u:p@127.0.0.1/x', 'ftp://127.0.0.1/x', 'http://169.254.169.254/latest', 'http://:::'])(
  'refuses the location %s',
  async (location) => {
    const server = await redirecting(302, () => location);
    expect(
      await rejection(clientFor(server.origin).client.call({ method: 'GET', url: `${server.origin}/from` }, { bare: true })),
    ).toMatchObject({
      code: expect.stringMatching(/^(redirect|host)_refused$/),
    });
  },
);

it('ends after so many', async () => {
  const server = await redirecting(302, () => '/from');
  const { client, events } = clientFor(server.origin, { maxRedirects: 3 });
  expect(await rejection(client.call({ method: 'GET', url: '/from' }))).toMatchObject({
    code: 'redirect_refused',
    message: expect.stringContaining('More than 3'),
  });
  expect(server.seen).toHaveLength(4);
  expect(events.filter(({ type }) => type === 'redirect')).toHaveLength(3);
});
