import type { LookupFunction } from 'node:net';
import { connectSpec } from '../../../framework/engine/connect.ts';
import { specOf } from '../../acme.ts';
import { canary, plainCanary } from '../../canary.ts';
import { makeCertificate } from '../http/certificate.ts';
import { clientFor, closeAll, json, rejection, serve } from '../http/servers.ts';

const connections: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(connections.splice(0).map((connection) => connection.close()));
  await closeAll();
});

const certificate = makeCertificate(['api.acme.test']);
const TOKEN = plainCanary('changing name token');

/**
 * A server, and a name server that waits for the check to be over: the first look-up gives an address that is allowed here, each later one
 * an address that is not. Who checks with one look-up and connects with another is led there by the second.
 */
async function changing(later: string) {
  const server = await serve((_, response) => {
    response.setHeader('connection', 'close'); // each request is a connection, and each connection a look-up
    json(response, 200, { access_token: TOKEN, expires_in: 0 });
  }, certificate);
  const asked: string[] = [];
  const lookup: LookupFunction = (name, _options, callback) => {
    asked.push(name);
    const address = asked.length === 1 ? '127.0.0.1' : later;
    callback(null, [{ address, family: address.includes(':') ? 6 : 4 }]);
  };
  return { server, asked, lookup, base: `https://api.acme.test:${server.port}` };
}

const spec = (base: string, auth: string) =>
  specOf(`spec: 1
name: acme
title: Acme
version: 1.0.0
http: { base_url: '${base}' }
check: { get: /me }
auth: { one: { ${auth} } }`);

async function opened(base: string, lookup: LookupFunction, auth: string, fields: Record<string, string>) {
  const network = { proxy: null, ca: certificate.cert, allowLoopbackAddresses: true, lookup };
  const connection = await connectSpec(spec(base, auth), { fields }, { environment: {}, retry: { countMax: 0 }, network });
  connections.push(connection);
  return connection;
}

type Ask = (base: string, lookup: LookupFunction) => Promise<() => Promise<unknown>>;

const aCall: Ask = async (base, lookup) => {
  const { http } = await opened(base, lookup, API_KEY, { api_key: TOKEN });
  return () => http.get('/x').text();
};
const API_KEY = "type: api_key, send: { headers: { X-Key: '${fields.api_key}' } }";
const WAYS: [string, Ask][] = [
  ['a call', aCall],
  [
    'a stream',
    async (base, lookup) => {
      const { http } = await opened(base, lookup, API_KEY, { api_key: TOKEN });
      return async () => {
        for await (const _ of http.stream('/x'));
      };
    },
  ],
  [
    'a token, then a call with it',
    async (base, lookup) => {
      const fields = { client_id: 'app', client_secret: canary('changing name client') };
      const { http } = await opened(base, lookup, `type: oauth2_client_credentials, token_url: '${base}/token'`, fields);
      // The token is asked for at the first look-up; what is refused is the call that would carry it.
      let first = true;
      return async () => {
        const error = await rejection(http.get('/x').text());
        if (!first) throw error;
        first = false;
      };
    },
  ],
  [
    'a download',
    async (base, lookup) => {
      const { client } = clientFor(base, { network: { ca: certificate.cert, lookup }, retry: { max_retries: 0 } });
      return () => client.call({ method: 'GET', url: `${base}/x` }, { bare: true });
    },
  ],
];

describe.each(WAYS)('%s', (_way, prepare) => {
  it.each(['10.0.0.7', '169.254.169.254', 'fd00::7', '0.0.0.0'])(
    'goes to the address that was checked; a name that turns to %s is refused',
    async (later) => {
      const { server, asked, lookup, base } = await changing(later);
      const ask = await prepare(base, lookup);
      await ask();
      const before = asked.length;
      expect(await rejection(ask())).toMatchObject({ code: 'address_refused', kind: 'input', where: 'api.acme.test' });
      // One connection, made with the one look-up that allowed it; no other was made however often the name was looked up afterwards.
      expect(server.seen).toHaveLength(1);
      expect(asked.length).toBeGreaterThan(before);
    },
  );
});

it('a connection is made with the look-up that was checked', async () => {
  const { server, asked, lookup, base } = await changing('127.0.0.1');
  const ask = await aCall(base, lookup);
  for (let count = 1; count <= 3; count++) {
    await ask();
    expect([server.seen.length, asked.length]).toEqual([count, count]);
  }
});
