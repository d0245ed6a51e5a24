import { createHash, createPrivateKey, createPublicKey, createVerify, generateKeyPairSync } from 'node:crypto';
import { SignedXml } from 'xml-crypto';
import { type SamlAssertionOptions, samlAssertion } from '../../../framework/auth/saml-assertion.ts';
import { parseXml } from '../../../framework/core/xml.ts';
import { canary } from '../../canary.ts';
import { failureOf } from '../../failure.ts';
import { RSA_JWK } from './rfc7515.ts';

const privateKey = createPrivateKey({ key: RSA_JWK, format: 'jwk' });
const publicKey = createPublicKey(privateKey);

// Self-signed for that key: openssl req -new -x509 -key key.pem -subj /CN=ferrule-test -set_serial 1 -days 36500
const CERTIFICATE =
  'MIIC/jCCAeagAwIBAgIBATANBgkqhkiG9w0BAQsFADAXMRUwEwYDVQQDDAxmZXJydWxlLXRlc3QwIBcNMjYxMTI0MDEzMjE3WhgPMjEyNjEwMzEwMTMyMTdaMBcxFTATBgNVBAMMDGZlcnJ1bGUtdGVzdDCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBAKH4Fgri48m0Zc6NLWViYzYrkn2+KeHwJHf8FiXMkKE244vZNJfFtupj3XcR5nx0KflWsPuKjwia3EtpiTzBMz9T7dAZuHeEJS/skU/khXdpWUvqQoDTLA9Vv2KUTxMDlrxum99uvdK9o2eO7KDGaPcBs42/+zjINCzi/m0n+t5KWkh0l53Uuc+a3sTHWwWFLCwPXvilwXUDkvlE6O1kwRDGtkdgmqR4OuucbJrXVTEwUGOLg2Zcb296gqOWcCofZBuC0+vyOSIZSR+2hocsVxb1Cvg1jZqLnRfDQHKPf4fYmhjY/KtnrYRZDC7PdZM5NjwHA01vYG+eIeBUVsrl6aECAwEAAaNTMFEwHQYDVR0OBBYEFDMYiI+nv4OQzd7TXVSJ6VFjGdrZMB8GA1UdIwQYMBaAFDMYiI+nv4OQzd7TXVSJ6VFjGdrZMA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQELBQADggEBADbYw0BNaWwilzWO7UNgCad4nGsh/045bsd4xBD391G3//aGjVKqvSaqHPK1gPAW76MtdMh/a9W7rpO85BF6xZXqnEHx1XPB3/sdKtBCNchaO9vDd46WmyM+qj8ztH5iZnllRLXPcCM/4FZih5HygDUjOUMqdt9MU0l8YZHEjk42kRrl83rhr0JyMAyrVjMOmiDDE/ypWOKqh7lzagqbzinqlu9fbdM1BB/4an5+PEWBNKw2gxka9zUzljeTkSoVCvLE8G39aQ7w0zQqXawiTSzlbKWKwFMqGwZP+3iQcJ+j50anpHUgbr+yhlXFAzjT6fL1fFqME2u0dQTUc63PB8s=';

const UUID = '0b1f9a6e-0000-4000-8000-000000000001';
const plain: SamlAssertionOptions = {
  issuer: 'local.example.com',
  subject: 'sfadmin',
  audience: 'www.successfactors.com',
  recipient: 'https://api.example.com/oauth/token',
  lifetimeSeconds: 600,
  now: Date.UTC(2026, 0, 2, 3, 4, 5),
  uuid: UUID,
  key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
};
const full: SamlAssertionOptions = {
  ...plain,
  subject: 'Ann "A" <a&b> é\r\n\t',
  recipient: 'https://api.example.com/oauth/token?a=1&b="2"\n',
  nameIdFormat: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
  certificate: `-----BEGIN CERTIFICATE-----\n${CERTIFICATE}\n-----END CERTIFICATE-----\n`,
  attributes: { api_key: 'client & <1>\r\n', 'a"b': '' },
  authnContext: 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport',
};

const xmlOf = (options: SamlAssertionOptions): string => Buffer.from(samlAssertion(options), 'base64url').toString();
const within = (xml: string, name: string): string => new RegExp(`<ds:${name}>([^<]*)<`).exec(xml)?.[1] ?? '';

describe('samlAssertion', () => {
  it("says what RFC 7522 section 3 asks for, in SAP SuccessFactors' form", () => {
    const assertion = parseXml(xmlOf({ ...plain, attributes: { api_key: 'client-1' } }))['saml2:Assertion'];
    expect(assertion).toEqual({
      '@xmlns:saml2': 'urn:oasis:names:tc:SAML:2.0:assertion',
      '@ID': `_${UUID}`,
      '@IssueInstant': '2026-01-02T03:04:05.000Z',
      '@Version': '2.0',
      'saml2:Issuer': 'local.example.com',
      'ds:Signature': expect.anything(),
      'saml2:Subject': {
        'saml2:NameID': { '@Format': 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified', '#text': 'sfadmin' },
        'saml2:SubjectConfirmation': {
          '@Method': 'urn:oasis:names:tc:SAML:2.0:cm:bearer',
          'saml2:SubjectConfirmationData': {
            '@NotOnOrAfter': '2026-01-02T03:14:05.000Z',
            '@Recipient': 'https://api.example.com/oauth/token',
          },
        },
      },
      'saml2:Conditions': {
        '@NotBefore': '2026-01-02T03:03:05.000Z',
        '@NotOnOrAfter': '2026-01-02T03:14:05.000Z',
        'saml2:AudienceRestriction': { 'saml2:Audience': 'www.successfactors.com' },
      },
      'saml2:AttributeStatement': {
        'saml2:Attribute': {
          '@Name': 'api_key',
          'saml2:AttributeValue': {
            '@xmlns:xs': 'http://www.w3.org/2001/XMLSchema',
            '@xmlns:xsi': 'http://www.w3.org/2001/XMLSchema-instance',
            '@xsi:type': 'xs:string',
            '#text': 'client-1',
          },
        },
      },
    });
    // The schema's order: the signature stands behind the issuer.
    expect(Object.keys(assertion as object).indexOf('ds:Signature')).toBe(5);
  });

  it('carries every character, the certificate and the way of authentication', () => {
    const assertion = parseXml(xmlOf(full))['saml2:Assertion'];
    expect(assertion).toMatchObject({
      'ds:Signature': { 'ds:KeyInfo': { 'ds:X509Data': { 'ds:X509Certificate': CERTIFICATE } } },
      'saml2:Subject': {
        'saml2:NameID': { '@Format': full.nameIdFormat, '#text': full.subject },
        'saml2:SubjectConfirmation': { 'saml2:SubjectConfirmationData': { '@Recipient': full.recipient } },
      },
      'saml2:AuthnStatement': {
        '@AuthnInstant': '2026-01-02T03:04:05.000Z',
        'saml2:AuthnContext': { 'saml2:AuthnContextClassRef': full.authnContext },
      },
      'saml2:AttributeStatement': {
        'saml2:Attribute': [{ 'saml2:AttributeValue': { '#text': 'client & <1>\r\n' } }, { '@Name': 'a"b' }],
      },
    });
  });

  // Made by xmlsec1 1.2.37 --sign over the same assertion with these two values taken out.
  it.each([
    [
      'plain',
      plain,
      'EhmDjOsp0nl1yboosFJ4Nc8YKHchGvaslcFU4hff3wE=',
      'IyPlJr8T2xHRJy8j4ocealj0rLExXFveB6S8C3oxMP8ja2SG9hTrsPx/9VV/3yyNhTO5PLD+x3oHAXJIRnkO05vcbkqv7eD5NI2xUsI0ZrQiBf3WG4ty6Sbs+YO6NT+xMX3KGwD1cMqXZjA0XFApp4aJ1koUnuNAB4KwCk8nQVeQWHS3qVzrj6+TcktfnYb/kFkeGzGDrCN6Yl2BmDruUmyle/4S/DzxRDfnt+nGANf2ciNqspj9cU/ZDy3C/1KSAuUsOF2m4g2fqo57pSNAylM9YzrgCfj23rRhDISdWcQOlBnqG8vFfPODrzvqc83Q7usOu3ZrgkZGG75z0+WQLw==',
    ],
    [
      'full',
      full,
      'befgaOZpiH+nHjEGeHCnX46tjkMBmO7kXVEVwZvPtEU=',
      'H1XI4mMQpR5/OwE/TILRS+s+rkfY9caeGubY/xL7uRN6WEbLhv3kipgHk/pzz+7a8b7OIDYmbhFj1qh31VzLtcgV+yYj/pukDEBMSd7uUXOm+7IrUc0k8tDWJH5o2EXwbGF02qhvwGa3+01CqwlIDzJD3VuqLG6y7CoGvy1B5uOAJkd9wGirCLR+5SvzT8dEXOJQOhF71PeAOr3rwSOfdA3J2YRjUzbW3feKvQn/dZuLz6uQxvBM8xkQhdPe0Q42IgGGmcLxvcqYnS20OA2Vjg3CE7pOTaW0h8XX0HzzXO1nuCSqSI/7j7p2cpAkoEmGfO16Fw2067stGpk9SkhgIA==',
    ],
  ])('signs the %s one as another program does', (_, options, digest, signature) => {
    const xml = xmlOf(options);
    expect(within(xml, 'DigestValue')).toBe(digest);
    expect(within(xml, 'SignatureValue')).toBe(signature);
  });

  it('signs the whole assertion, as node:crypto and the library find', () => {
    const xml = xmlOf({ ...plain, issuer: canary('saml-issuer'), subject: canary('saml-subject') });
    const [signature = ''] = /<ds:Signature .*<\/ds:Signature>/s.exec(xml) ?? [];
    // What canonicalisation does to these texts: elements without content get an end tag, and the namespace comes down to its first use.
    const canonical = (text: string): string => text.replaceAll(/<([\w:]+)([^>]*)\/>/g, '<$1$2></$1>');
    const [signedInfo = ''] = /<ds:SignedInfo>.*<\/ds:SignedInfo>/s.exec(signature) ?? [];
    const spaced = canonical(signedInfo).replace('<ds:SignedInfo>', '<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">');
    expect(createVerify('sha256').update(spaced).verify(publicKey, within(xml, 'SignatureValue'), 'base64')).toBe(true);
    const digest = createHash('sha256')
      .update(canonical(xml.replace(signature, '')))
      .digest('base64');
    expect(within(xml, 'DigestValue')).toBe(digest);

    const library = new SignedXml({ publicCert: publicKey.export({ type: 'spki', format: 'pem' }) });
    library.loadSignature(signature);
    expect(library.checkSignature(xml)).toBe(true);
    expect(library.getReferences()[0]?.uri).toBe(`#_${UUID}`);
  });

  it('is base64url without padding, or base64 where asked', () => {
    const xml = Buffer.from(xmlOf(plain));
    expect(samlAssertion(plain)).toBe(xml.toString('base64url'));
    expect(samlAssertion({ ...plain, encoding: 'base64' })).toBe(xml.toString('base64'));
  });

  it('reads the certificate as base64 alone, and with lost line breaks', () => {
    for (const certificate of [CERTIFICATE, full.certificate!.replaceAll('\n', '\\n'), full.certificate!.replaceAll('\n', ' ')]) {
      expect(samlAssertion({ ...full, certificate })).toBe(samlAssertion(full));
    }
  });

  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const otherRsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  it.each<[string, Partial<SamlAssertionOptions>, string, string]>([
    ['no issuer', { issuer: '' }, 'input_missing', 'assertion.issuer'],
    ['no subject', { subject: '' }, 'input_missing', 'assertion.subject'],
    ['no audience', { audience: '' }, 'input_missing', 'assertion.audience'],
    ['no recipient', { recipient: '' }, 'input_missing', 'assertion.recipient'],
    ['a control character', { subject: `${canary('saml')}\u0000` }, 'input_malformed', 'assertion.subject'],
    ['half a character', { attributes: { a: '\ud800' } }, 'input_malformed', 'assertion.attributes.a'],
    ['no key', { key: canary('saml-key') }, 'input_malformed', 'assertion.key'],
    ['a key of another kind', { key: other }, 'input_malformed', 'assertion.key'],
    ['no certificate', { certificate: canary('saml-certificate') }, 'input_malformed', 'assertion.certificate'],
    ['the certificate of another key', { certificate: CERTIFICATE, key: otherRsa }, 'input_malformed', 'assertion.certificate'],
  ])('refuses %s', (_, wrong, code, where) => {
    const failure = failureOf(() => samlAssertion({ ...plain, ...wrong }));
    expect(failure).toMatchObject({ code, where });
    expect(JSON.stringify(failure) + failure.stack).not.toContain('CANARY');
  });
});
