import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { compactVerify, decodeProtectedHeader, jwtVerify } from 'jose';
import { jwtExpiry, signJws, signJwt } from '../../../framework/auth/jwt.ts';
import { canary } from '../../canary.ts';
import { failureOf } from '../../failure.ts';
import { RSA_JWK } from './rfc7515.ts';

// RFC 7515 appendix A.1.1.
const HMAC_JWK = { kty: 'oct', k: 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow' };
// RFC 7515 appendix A.3.1.
const EC_JWK = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
  d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
};
// RFC 8037 appendix A.1.
const ED_JWK = {
  kty: 'OKP',
  crv: 'Ed25519',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
};
const PAYLOAD = 'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ';

const claims = { iss: 'joe', aud: 'é', n: 1 };
const rsa = createPrivateKey({ key: RSA_JWK, format: 'jwk' });
const curve = (namedCurve: string): KeyObject => generateKeyPairSync('ec', { namedCurve }).privateKey;
const p256 = curve('P-256');
const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

describe('signJws', () => {
  it.each([
    // RFC 7515 appendix A.1 (whose header has a line break), A.2; RFC 8037 appendix A.4.
    ['HS256', HMAC_JWK, `eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.${PAYLOAD}`, 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'],
    [
      'RS256',
      RSA_JWK,
      `eyJhbGciOiJSUzI1NiJ9.${PAYLOAD}`,
      'cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw',
    ],
    [
      'EdDSA',
      ED_JWK,
      'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc',
      'hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
    ],
  ])('signs the published %s example', (alg, jwk, input, signature) => {
    expect(signJws(input, { alg, key: JSON.stringify(jwk) })).toBe(signature);
  });

  it('signs the ES256 example (RFC 7515 appendix A.3) with R and S side by side', async () => {
    const input = `eyJhbGciOiJFUzI1NiJ9.${PAYLOAD}`;
    const signature = signJws(input, { alg: 'ES256', key: JSON.stringify(EC_JWK) });
    expect(Buffer.from(signature, 'base64url')).toHaveLength(64);
    const { d, ...jwk } = EC_JWK;
    await expect(compactVerify(`${input}.${signature}`, jwk)).resolves.toMatchObject({ protectedHeader: { alg: 'ES256' } });
  });
});

describe('signJwt', () => {
  it.each<[KeyObject, string[]]>([
    [rsa, ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']],
    [p256, ['ES256']],
    [curve('P-384'), ['ES384']],
    [curve('P-521'), ['ES512']],
    [generateKeyPairSync('ed25519').privateKey, ['EdDSA']],
  ])('satisfies another verifier, for PEM, bytes and JWK', async (key, algs) => {
    const forms = [
      pem(key),
      Buffer.from(pem(key)),
      key.export({ type: 'pkcs8', format: 'der' }),
      JSON.stringify(key.export({ format: 'jwk' })),
    ];
    for (const alg of algs) {
      for (const form of forms) {
        const { payload, protectedHeader } = await jwtVerify(signJwt({ alg, key: form, claims }), createPublicKey(key), {
          algorithms: [alg],
        });
        expect(payload).toEqual(claims);
        expect(protectedHeader).toEqual({ alg, typ: 'JWT' });
      }
    }
  });

  it.each(['HS256', 'HS384', 'HS512'])('satisfies another verifier with %s, for text, bytes and JWK', async (alg) => {
    const text = canary('jwt-shared');
    const bytes = Buffer.from(text, 'utf8');
    const jwk = JSON.stringify({ kty: 'oct', k: bytes.toString('base64url') });
    for (const key of [text, bytes, jwk]) {
      await expect(jwtVerify(signJwt({ alg, key, claims }), new Uint8Array(bytes))).resolves.toMatchObject({ payload: claims });
    }
    expect(signJwt({ alg, key: '{short', claims })).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  });

  it.each([
    ['PKCS#1', rsa, 'RS256', 'pkcs1'],
    ['SEC1', p256, 'ES256', 'sec1'],
    ['PKCS#8', p256, 'ES256', 'pkcs8'],
  ] as const)('reads %s, plain and encrypted, with its line breaks lost in any way', async (_, key, alg, type) => {
    const passphrase = canary('jwt-passphrase');
    const plain = String(key.export({ type: type as 'pkcs8', format: 'pem' }));
    const locked = String(key.export({ type: type as 'pkcs8', format: 'pem', cipher: 'aes-128-cbc', passphrase }));
    for (const text of [plain, locked]) {
      const oneLine = text.trim().replaceAll('\n', ' ');
      const forms = [text, text.replaceAll('\n', '\\n'), text.replaceAll('\n', '\r\n'), oneLine, `"${oneLine}"`, `notes\n${text}`];
      if (!text.includes('DEK-Info')) forms.push(text.replaceAll('\n', ''));
      for (const form of forms) {
        await expect(jwtVerify(signJwt({ alg, key: form, passphrase, claims }), createPublicKey(key))).resolves.toBeTruthy();
      }
    }
  });

  it('reads PKCS#8 without its first and last line, and as SAP SuccessFactors hands it out', async () => {
    const base64 = rsa.export({ type: 'pkcs8', format: 'der' }).toString('base64');
    const twice = Buffer.from(`${base64}###${canary('jwt-alias')}`).toString('base64');
    const forms = [
      base64,
      base64.replaceAll(/.{64}/g, '$&\n'),
      twice,
      `-----BEGIN ENCRYPTED PRIVATE KEY-----${twice}-----END ENCRYPTED PRIVATE KEY-----`,
    ];
    for (const key of forms) await expect(jwtVerify(signJwt({ alg: 'RS256', key, claims }), createPublicKey(rsa))).resolves.toBeTruthy();
  });

  it('takes kid from the JWK unless the header names one, and never lets the header change alg', () => {
    const key = JSON.stringify({ ...HMAC_JWK, kid: 'of-the-key' });
    expect(decodeProtectedHeader(signJwt({ alg: 'HS256', key, claims }))).toEqual({ alg: 'HS256', typ: 'JWT', kid: 'of-the-key' });
    const header = { alg: 'none', typ: 'at+jwt', kid: 'mine', x5t: 'a' };
    expect(decodeProtectedHeader(signJwt({ alg: 'HS256', key, header, claims }))).toEqual({ ...header, alg: 'HS256' });
  });

  const locked = String(p256.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-128-cbc', passphrase: canary('jwt-passphrase') }));
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  it.each<[string, string, string | Uint8Array, string | undefined, string]>([
    ['another curve', 'ES384', pem(p256), undefined, 'needs a P-384 key'],
    ['another kind', 'RS256', pem(p256), undefined, 'needs an RSA key'],
    ['an RSA key too short for the hash', 'PS512', pem(small), undefined, 'too short'],
    ['a certificate', 'RS256', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', undefined, 'is a certificate'],
    ['a public key', 'ES256', String(createPublicKey(p256).export({ type: 'spki', format: 'pem' })), undefined, 'is a public key'],
    ["OpenSSH's format", 'ES256', '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n', undefined, 'OpenSSH'],
    ['a PEM cut off', 'ES256', pem(p256).slice(0, 120), undefined, 'cut off'],
    ['a PEM with a hole', 'ES256', pem(p256).replace(/\n.{20}/, '\n'), undefined, 'does not hold a private key'],
    ['a public JWK', 'RS256', JSON.stringify({ ...RSA_JWK, d: undefined }), undefined, 'JWK'],
    ['no key at all', 'RS256', canary('jwt-not-a-key'), undefined, 'neither PEM nor a JWK'],
    [
      'base64 of something else',
      'RS256',
      Buffer.from(canary('jwt-not-a-key').repeat(3)).toString('base64'),
      undefined,
      'does not hold a private key',
    ],
    ['foreign bytes', 'RS256', Buffer.from(canary('jwt-not-a-key')), undefined, 'neither PEM nor PKCS#8'],
    ['no passphrase', 'ES256', locked, undefined, 'there is no passphrase'],
    ['a wrong passphrase', 'ES256', locked, canary('jwt-wrong'), 'does not open'],
    ['an empty secret', 'HS256', '', undefined, 'empty'],
    ['an oct JWK without a value', 'HS256', '{"kty":"oct"}', undefined, 'empty'],
    ['a key pair for HS', 'HS256', pem(p256), undefined, 'one half of a key pair'],
    ['a pair JWK for HS', 'HS256', JSON.stringify(EC_JWK), undefined, 'one half of a key pair'],
  ])('refuses %s, without a word of the key', (_, alg, key, passphrase, message) => {
    const failure = failureOf(() =>
      signJwt({ alg, key, ...(passphrase !== undefined && { passphrase }), claims, where: 'auth.private_key' }),
    );
    expect(failure).toMatchObject({ code: 'input_malformed', where: 'auth.private_key' });
    expect(failure.cause).toBeUndefined();
    expect(failure.message).toContain(message);
    const said = JSON.stringify(failure) + failure.stack;
    for (const part of String(key).match(/[\w/+-]{16,}/g) ?? []) expect(said).not.toContain(part);
    if (passphrase) expect(said).not.toContain(passphrase.slice(0, 20));
  });

  it.each(['none', 'ES256K', '__proto__', ''])('refuses alg %j', (alg) => {
    expect(failureOf(() => signJwt({ alg, key: 'x', claims }))).toMatchObject({ code: 'input_malformed', where: 'jwt.alg' });
  });

  it('names jwt.key where the caller names no field', () => {
    expect(failureOf(() => signJwt({ alg: 'HS256', key: '', claims })).where).toBe('jwt.key');
  });
});

describe('jwtExpiry', () => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

  it('reads exp of the published example, and of fractions of a second', () => {
    expect(jwtExpiry(`eyJhbGciOiJub25lIn0.${PAYLOAD}.`)).toBe(1_300_819_380_000);
    expect(jwtExpiry(`e30.${part({ exp: 1.5 })}.AA`)).toBe(1500);
  });

  it.each([
    '',
    'opaque',
    'a.b',
    'a.b.c',
    `e30.${part(null)}.`,
    `e30.${part({})}.`,
    `e30.${part({ exp: '1' })}.`,
    `e30.${part([])}.`,
    'a.b.c.d.e',
  ])('has nothing to say of %j', (token) => expect(jwtExpiry(token)).toBeUndefined());
});
