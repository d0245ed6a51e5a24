/** Certificate authorities of a test run and what they have signed, all made by openssl. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** PEM texts. */
export interface Identity {
  certificate: string;
  key: string;
}

export interface Authority {
  /** Its own certificate, PEM: what a peer must trust. */
  ca: string;
  /** A server on this machine: 127.0.0.1 and localhost. */
  server(name: string): Identity;
  /** A client; its subject is CN=<name>. */
  client(name: string): Identity;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Leaves its files in the folder, `<name>.pem` and `<name>.key`, for servers that want to read files. */
export function authority(folder: string, name = 'ca'): Authority {
  const ca = issue(folder, name, ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign'], []);
  const signer = ['-CA', join(folder, `${name}.pem`), '-CAkey', join(folder, `${name}.key`)];
  const leaf = (own: string, usage: string, ...more: string[]) =>
    issue(folder, own, [`extendedKeyUsage=${usage}`, 'basicConstraints=critical,CA:FALSE', ...more], signer);
  return {
    ca: ca.certificate,
    server: (own) => leaf(own, 'serverAuth', 'subjectAltName=IP:127.0.0.1,DNS:localhost'),
    client: (own) => leaf(own, 'clientAuth'),
  };
}

/** One that nobody but itself vouches for. */
export const selfSigned = (folder: string, name: string): Identity => issue(folder, name, ['extendedKeyUsage=clientAuth'], []);

function issue(folder: string, name: string, extensions: string[], signer: string[]): Identity {
  const [certificate, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  // A configuration of its own: the system's would add a second set of the same extensions.
  const config = join(folder, 'openssl.cnf');
  writeFileSync(config, '[req]\ndistinguished_name = dn\n[dn]\n');
  const subject = ['-config', config, '-subj', `/CN=${name}`, '-days', '2', ...extensions.flatMap((one) => ['-addext', one])];
  execFileSync('openssl', ['req', '-x509', ...KEY, ...subject, ...signer, '-keyout', key, '-out', certificate], { stdio: 'pipe' });
  return { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
}
