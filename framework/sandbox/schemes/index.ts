import type { Scheme } from '../scheme.ts';
import { awsSigv4 } from './aws-sigv4.ts';
import { digest } from './digest.ts';
import { httpSignature } from './http-signature.ts';
import { ntlm } from './ntlm.ts';
import { oauth1 } from './oauth1.ts';
import { wsse } from './wsse.ts';

/** Every scheme by the auth type that it verifies. */
export const SCHEMES: ReadonlyMap<string, Scheme> = new Map(
  [awsSigv4, digest, httpSignature, ntlm, oauth1, wsse].map((scheme) => [scheme.type, scheme]),
);
