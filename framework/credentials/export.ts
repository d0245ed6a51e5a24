import { type Clock, type Random, systemRandom } from '../core/clock.ts';
import { FerruleError } from '../core/errors.ts';
import type { Text } from '../core/secret.ts';
import { bundledCatalogue, type Catalogue } from '../spec/catalogue.ts';
import { readySpec } from '../spec/ready-spec.ts';
import { credentialUnknown } from './copy.ts';
import { sealWithPassphrase } from './passphrase-sealed.ts';
import { toText } from './sealed.ts';
import type { Credential, CredentialStore } from './types.ts';
import { logged } from './use.ts';
import { withoutTokens } from './without-tokens.ts';

export interface ExportOptions {
  /** false: the inputs alone. Default true: all that is stored. */
  tokens?: boolean;
  /** Where specs are found, which say whose tokens only a person can bring. Wanted with `tokens: false`. Default: the bundled ones. */
  catalogue?: Catalogue;
  clock?: Pick<Clock, 'now'>;
  random?: Random;
}

/**
 * Credentials as one sealed file, for a backup or another machine. Each is written down as `exported` before the bytes are given out.
 * A refresh token that rotates may be used from one place only: what uses it first ends it for the other.
 * @throws FerruleError credential_unknown; input_malformed for a passphrase under 12 characters, or nothing to export
 */
export async function exportCredentials(
  store: CredentialStore,
  names: readonly string[],
  passphrase: Text,
  { tokens = true, catalogue = bundledCatalogue(), clock, random = systemRandom }: ExportOptions = {},
): Promise<Buffer> {
  const credentials: Credential[] = [];
  for (const name of new Set(names.map((one) => one.normalize('NFC')))) {
    const credential = await store.get(name);
    if (credential === undefined) throw credentialUnknown(name);
    if (tokens) credentials.push(credential);
    else credentials.push(withoutTokens(credential, await readySpec((await catalogue.find(credential.connector)).path)));
  }
  if (credentials.length === 0) throw new FerruleError('input_malformed', 'No credential was named to export.', { where: 'names' });
  const time = clock === undefined ? {} : { clock };
  const [first, ...others] = credentials.map(({ name, connector }) => ({ action: 'exported', credential: name, connector }) as const);
  // The first line also tells of a sealing that failed.
  const bytes = await logged(store, first!, time, () => sealWithPassphrase(toText({ credentials }), passphrase, random));
  for (const use of others) await logged(store, use, time, async () => undefined);
  return bytes;
}
