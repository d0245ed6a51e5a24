import { type KeyObject, X509Certificate } from 'node:crypto';
import { createRequire } from 'node:module';
import { FerruleError } from '../core/errors.ts';
import { privateKey } from './private-key.ts';

export interface SamlAssertionOptions {
  issuer: string;
  /** The user that the token is for. */
  subject: string;
  /** Default: urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified. */
  nameIdFormat?: string;
  /** What the authorization server calls itself: its entity ID or its token URL. */
  audience: string;
  /** The token URL. */
  recipient: string;
  lifetimeSeconds: number;
  /** Milliseconds since the epoch. */
  now: number;
  /** Of this assertion alone. */
  uuid: string;
  /** RSA, in any form that `privateKey` reads. */
  key: string | Uint8Array;
  passphrase?: string;
  /** Of the key, as PEM or its base64 alone; it goes along, for servers that look the key up by it. */
  certificate?: string;
  /** Attributes of the subject, all text. */
  attributes?: Readonly<Record<string, string>>;
  /**
   * The class of authentication (SAML authentication context, section 3.4), for servers that want an AuthnStatement. Without it there
   * is none, as RFC 7522 section 3 has it for a client that acts by itself.
   */
  authnContext?: string;
  /** Default: `base64url` without padding (RFC 7522 section 2.1). */
  encoding?: 'base64url' | 'base64';
}

const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const UNSPECIFIED = 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified';

/** Only a connection with such an assertion pays for loading it (about 20 ms). */
let library: typeof import('xml-crypto') | undefined;

/** How far the server's clock may be behind ours. */
const CLOCK_SKEW = 60_000;

/**
 * The value of `assertion` in the SAML 2.0 bearer grant (RFC 7522 sections 2.1 and 3): an assertion with an enveloped RSA-SHA256
 * signature over its exclusive canonical form (SAML core, section 5.4).
 * @throws FerruleError input_missing, input_malformed (`assertion.<option>`)
 */
export function samlAssertion(options: SamlAssertionOptions): string {
  const key = privateKey(options.key, { passphrase: options.passphrase, where: 'assertion.key' });
  if (key.asymmetricKeyType !== 'rsa') throw malformed('key', 'A SAML assertion is signed with an RSA key, and this is another kind.');
  library ??= createRequire(import.meta.url)('xml-crypto') as typeof import('xml-crypto');
  const signer = new library.SignedXml({
    privateKey: key,
    signatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    canonicalizationAlgorithm: EXCLUSIVE,
    ...(options.certificate !== undefined && { publicCert: certificateOf(options.certificate, key).toString() }),
  });
  signer.addReference({
    xpath: '/*',
    transforms: ['http://www.w3.org/2000/09/xmldsig#enveloped-signature', EXCLUSIVE],
    digestAlgorithm: 'http://www.w3.org/2001/04/xmlenc#sha256',
  });
  // The schema wants the signature right behind the issuer.
  signer.computeSignature(assertionXml(options), { prefix: 'ds', location: { reference: '/*/*[1]', action: 'after' } });
  return Buffer.from(signer.getSignedXml()).toString(options.encoding ?? 'base64url');
}

function assertionXml(options: SamlAssertionOptions): string {
  const { now, nameIdFormat = UNSPECIFIED, attributes, authnContext } = options;
  const id = escaped('uuid', `_${options.uuid}`); // an xs:ID may not begin with a digit
  const [before, issued, ends] = [now - CLOCK_SKEW, now, now + options.lifetimeSeconds * 1000].map((time) => new Date(time).toISOString());
  const one = (name: 'issuer' | 'subject' | 'audience' | 'recipient'): string => required(name, options[name]);
  return [
    `<saml2:Assertion xmlns:saml2="urn:oasis:names:tc:SAML:2.0:assertion" ID="${id}" IssueInstant="${issued}" Version="2.0">`,
    `<saml2:Issuer>${one('issuer')}</saml2:Issuer>`,
    `<saml2:Subject><saml2:NameID Format="${escaped('nameIdFormat', nameIdFormat)}">${one('subject')}</saml2:NameID>`,
    '<saml2:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">',
    `<saml2:SubjectConfirmationData NotOnOrAfter="${ends}" Recipient="${one('recipient')}"/></saml2:SubjectConfirmation></saml2:Subject>`,
    `<saml2:Conditions NotBefore="${before}" NotOnOrAfter="${ends}">`,
    `<saml2:AudienceRestriction><saml2:Audience>${one('audience')}</saml2:Audience></saml2:AudienceRestriction></saml2:Conditions>`,
    authnContext === undefined ? '' : authnStatement(authnContext, issued!, id),
    attributes === undefined ? '' : attributeStatement(attributes),
    '</saml2:Assertion>',
  ].join('');
}

function authnStatement(authnContext: string, issued: string, id: string): string {
  const reference = `<saml2:AuthnContextClassRef>${escaped('authnContext', authnContext)}</saml2:AuthnContextClassRef>`;
  return `<saml2:AuthnStatement AuthnInstant="${issued}" SessionIndex="${id}"><saml2:AuthnContext>${reference}</saml2:AuthnContext></saml2:AuthnStatement>`;
}

/** Typed, since some servers read no value whose type they would have to guess. The declarations stand where they are used, as in the canonical form. */
function attributeStatement(attributes: Readonly<Record<string, string>>): string {
  const spaces = 'xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"';
  const one = ([name, value]: [string, string]): string =>
    `<saml2:Attribute Name="${escaped('attributes', name)}"><saml2:AttributeValue ${spaces} xsi:type="xs:string">${escaped(`attributes.${name}`, value)}</saml2:AttributeValue></saml2:Attribute>`;
  return `<saml2:AttributeStatement>${Object.entries(attributes).map(one).join('')}</saml2:AttributeStatement>`;
}

function certificateOf(text: string, key: KeyObject): X509Certificate {
  const body = text.replaceAll(/\\[rn]/g, '\n').replaceAll(/-----(BEGIN|END) CERTIFICATE-----|\s/g, '');
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(Buffer.from(body, 'base64'));
  } catch {
    throw malformed('certificate', 'This is not one X.509 certificate as PEM.');
  }
  if (certificate.checkPrivateKey(key)) return certificate;
  throw malformed('certificate', 'The certificate belongs to another key.');
}

function required(name: string, value: string): string {
  if (value === '') throw new FerruleError('input_missing', `A SAML assertion needs its ${name}.`, { where: `assertion.${name}` });
  return escaped(name, value);
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#x9;',
  '\n': '&#xA;',
  '\r': '&#xD;',
};

/** For text and attributes alike. @throws for what XML cannot hold (XML 1.0 section 2.2) */
function escaped(name: string, value: string): string {
  if (/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u.test(value))
    throw malformed(name, `XML has no place for a control character in ${name}.`);
  return value.replaceAll(/[&<>"\t\n\r]/g, (character) => ESCAPES[character]!);
}

const malformed = (name: string, message: string): FerruleError =>
  new FerruleError('input_malformed', message, { where: `assertion.${name}` });
