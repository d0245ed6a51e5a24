import { createHash, verify } from 'node:crypto';
import { isFerruleError } from '../core/errors.ts';
import { parseXml } from '../core/xml.ts';
import type { Verdict } from './authenticate.ts';
import { type Data, pick } from './data.ts';
import { publicHalf } from './keys.ts';

export interface WantedSaml {
  issuer: string | undefined;
  subject: string | undefined;
  audience: string | undefined;
  recipient: string | undefined;
  key: string;
}

/**
 * How an assertion of the SAML 2.0 bearer grant stands (RFC 7522, 3). The signature is verified over the text as it came, with its empty
 * elements written out: that is the canonical form of whoever sends no superfluous blanks or declarations, and no other form is read.
 */
export function samlVerdict(assertion: string, wanted: WantedSaml, now: number): Verdict {
  const xml = Buffer.from(assertion, 'base64url').toString('utf8');
  const root = readable(xml);
  if (root === undefined || !signed(xml, wanted.key)) return 'wrong';
  const at = (...path: string[]): string | undefined => {
    const found = pick(root, ['Assertion', ...path]);
    return typeof found === 'string' ? found : textIn(found);
  };
  const confirmation = ['Subject', 'SubjectConfirmation', 'SubjectConfirmationData'];
  const claims: [string | undefined, string | undefined][] = [
    [at('Issuer'), wanted.issuer],
    [at('Subject', 'NameID'), wanted.subject],
    [at('Conditions', 'AudienceRestriction', 'Audience'), wanted.audience],
    [at(...confirmation, '@Recipient'), wanted.recipient],
  ];
  if (claims.some(([given, one]) => one !== undefined && given !== one)) return 'wrong';
  const ends = [at('Conditions', '@NotOnOrAfter'), at(...confirmation, '@NotOnOrAfter')].map((text) => Date.parse(text ?? ''));
  if (ends.some(Number.isNaN)) return 'wrong';
  return ends.some((end) => end <= now) ? 'expired' : 'good';
}

/** The assertion's ID, which is good once. */
export const samlId = (assertion: string): string | undefined => / ID="([^"]+)"/.exec(Buffer.from(assertion, 'base64url').toString())?.[1];

/** As data, with the prefixes of its names left out. */
function readable(xml: string): Data | undefined {
  try {
    return bare(parseXml(xml) as Data);
  } catch (error) {
    if (isFerruleError(error)) return undefined;
    throw error;
  }
}

function bare(data: Data): Data {
  if (Array.isArray(data)) return data.map(bare);
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name.replace(/^(@?)[^:@]+:/, '$1'), bare(value)]));
}

const textIn = (found: Data | undefined): string | undefined => {
  const text = found === undefined ? undefined : pick(found, ['#text']);
  return typeof text === 'string' ? text : undefined;
};

/** XML Signature 1.1, 3.2: the digest of the assertion without its signature, then the signature of what names that digest. */
function signed(xml: string, key: string): boolean {
  const [signature] = /<(\w+:)?Signature\b.*<\/\1Signature>/s.exec(xml) ?? [];
  const info = /<((?:\w+:)?)SignedInfo\b.*<\/\1SignedInfo>/s.exec(signature ?? '');
  const publicKey = publicHalf(key);
  if (signature === undefined || info === null || publicKey === undefined) return false;
  const inside = (name: string): string => new RegExp(`<(?:\\w+:)?${name}>([^<]*)<`).exec(signature)?.[1]?.replaceAll(/\s/g, '') ?? '';
  const digest = createHash('sha256')
    .update(writtenOut(xml.replace(signature, '')))
    .digest('base64');
  if (digest !== inside('DigestValue')) return false;
  // The declaration of the prefix stands on the signature around it.
  const prefix = info[1]!.replace(':', '');
  const declaration = `xmlns${prefix && `:${prefix}`}="http://www.w3.org/2000/09/xmldsig#"`;
  const [open] = /^<[^\s>]+/.exec(info[0])!;
  const canonical = info[0].includes(declaration) ? info[0] : `${open} ${declaration}${info[0].slice(open.length)}`;
  return verify('sha256', Buffer.from(writtenOut(canonical)), publicKey, Buffer.from(inside('SignatureValue'), 'base64'));
}

/** Empty elements in full; a declared prefix that neither the element's name nor its attributes' use is no part of the exclusive form. */
function writtenOut(xml: string): string {
  return xml.replaceAll(/<([^\s/>]+)([^<>]*?)(\/?)>/g, (_, name: string, attributes: string, empty: string) => {
    const used = attributes.replaceAll(/\s+xmlns:([\w.-]+)="[^"]*"/g, (whole, prefix: string) =>
      name.startsWith(`${prefix}:`) || new RegExp(`\\s${prefix}:`).test(attributes) ? whole : '',
    );
    return `<${name}${used}>${empty && `</${name}>`}`;
  });
}
