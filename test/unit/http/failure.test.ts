import { createPrivateKey } from 'node:crypto';
import { failureOf } from '../../../framework/http/failure.ts';
import { canary } from '../../canary.ts';
import { makeCertificate } from './certificate.ts';
import { clientFor, closeAll, json, rejection, serve } from './servers.ts';

afterEach(closeAll);

const acme = makeCertificate(['127.0.0.1']);
const mine = makeCertificate(['client']);

describe('a client certificate', () => {
  const passphrase = canary('tls passphrase');
  const sealed = createPrivateKey(mine.key).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }).toString();

  it.each([
    ['with a wrong passphrase', { key: sealed, passphrase: canary('tls wrong passphrase') }, 'does not open with this passphrase'],
    ['with the key of another', { key: acme.key }, 'is not the one of the client certificate'],
    ['with a text for a key', { key: canary('no key') }, 'cannot be read'],
    ['that is no PEM', { certificate: 'MIIB', key: mine.key }, 'cannot be read'],
  ])('%s is never sent', async (_, network, says) => {
    const server = await serve((_request, response) => json(response, 200, {}), { ...acme, requestCert: true, rejectUnauthorized: false });
    const { client } = clientFor(server.origin, {
      network: { ca: acme.cert, certificate: mine.cert, ...network },
      retry: { max_retries: 0 },
    });
    const error = await rejection(client.call({ method: 'GET', url: '/x' }));
    expect(error).toMatchObject({ code: 'tls_failed', message: expect.stringContaining(says), next: expect.stringContaining('PEM') });
    expect(String(error)).not.toContain('CANARY');
    expect(server.seen).toEqual([]);
  });

  // The codes with which Node 20 tells alerts of Apache 2.4 and OpenSSL 3.0 over TLS 1.3 and 1.2.
  it.each([
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'asks for a client certificate', 'auth method'],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'does not accept the client certificate', 'the provider knows'],
    ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', 'does not accept the client certificate', 'the provider knows'],
    ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'do not agree on TLS', 'Check the host name'],
  ])('%s', (code, says, next) => {
    const error = Object.assign(new Error('write EPROTO'), { code });
    const failure = failureOf(error, { where: 'GET https://api.acme.com/x', host: 'api.acme.com:443' });
    expect(failure).toMatchObject({
      code: 'tls_failed',
      kind: 'input',
      message: expect.stringContaining(says),
      next: expect.stringContaining(next),
    });
  });
});
