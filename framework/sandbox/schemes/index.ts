import type { Scheme } from '../scheme.ts';
import { awsSigv4 } from './aws-sigv4.ts';
import { digest } from './digest.ts';
import { oauth1 } from './oauth1.ts';

/** Every scheme by the auth type that it verifies. */
export const SCHEMES: ReadonlyMap<string, Scheme> = new Map([awsSigv4, digest, oauth1].map((scheme) => [scheme.type, scheme]));
