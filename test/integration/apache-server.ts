/** Apache with the same pages behind Basic, behind Digest, and behind TLS that asks for a client certificate. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Authority, authority, type Identity, selfSigned } from './certificates.ts';
import { freePort, start } from './programs.ts';
import { folderFor, type Server, serverOf } from './servers.ts';

export interface ApacheServer extends Server {
  /** Asks for a certificate of `clients`; its own is signed by `ca`. */
  secure: string;
  /** The same with a certificate that an authority other than `ca` has signed. */
  elsewhere: string;
  ca: string;
  /** Good ones, with a key that has a passphrase and without; one of an authority that Apache does not know. */
  clients: { good: Identity; sealed: Identity & { passphrase: string }; stranger: Identity };
  /** What it has answered under a path since it was last asked: status, and the subject of the client's certificate or -. */
  answers(path: string): Promise<string[]>;
}

const MODULES = [
  'mpm_event',
  'mime',
  'authn_core',
  'authn_file',
  'authz_core',
  'authz_user',
  'auth_basic',
  'auth_digest',
  'ssl',
  'socache_shmcb',
];
const REALM = 'Test realm';
export const NONCE_LIFETIME = 1;

/** `page(folder, number)`: what is served as /basic/1.json, /digest/1.json, /open/1.json and so on; the last needs a certificate alone. */
export async function apache(
  users: Record<string, string>,
  pages: number,
  page: (folder: string, number: number) => unknown,
  passphrase: string,
): Promise<ApacheServer> {
  const folder = await folderFor('apache');
  await chmod(folder, 0o755); // Its workers are another user.
  for (const area of ['basic', 'digest', 'open']) {
    await mkdir(join(folder, 'files', area), { recursive: true });
    for (let number = 1; number <= pages; number += 1)
      await writeFile(join(folder, `files/${area}/${number}.json`), JSON.stringify(page(area, number)));
  }
  await writeUsers(folder, users);
  const [signer, foreign] = [authority(folder), authority(folder, 'foreign')];
  signer.server('server');
  foreign.server('elsewhere');
  const [port, secure, elsewhere] = [await freePort(), await freePort(), await freePort()];
  const directives = [...general(folder, port), ...guarded(folder), host(folder, secure, 'server'), host(folder, elsewhere, 'elsewhere')];
  await writeFile(join(folder, 'httpd.conf'), `${directives.join('\n')}\n`);
  const site = `http://127.0.0.1:${port}`;
  const program = await start('apache2', ['-f', join(folder, 'httpd.conf'), '-D', 'FOREGROUND'], { address: site });
  let read = 0;
  return {
    ...serverOf(site, program, folder),
    ...{ secure: `https://127.0.0.1:${secure}`, elsewhere: `https://127.0.0.1:${elsewhere}`, ca: signer.ca },
    clients: clientsOf(folder, signer, passphrase),
    answers: async (path) => {
      const log = await settledText(join(folder, 'answers'));
      const lines = log.slice(read).trim().split('\n');
      read = log.length;
      return lines.filter((line) => line.startsWith(path)).map((line) => line.slice(line.indexOf(' ') + 1));
    },
  };
}

/** Apache writes a line after the answer has gone: read when nothing more comes. */
async function settledText(path: string): Promise<string> {
  for (let before: string | undefined; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
    const now = await readFile(path, 'utf8');
    if (now === before) return now;
    before = now;
  }
}

async function writeUsers(folder: string, users: Record<string, string>): Promise<void> {
  await writeFile(join(folder, 'users'), '');
  for (const [user, password] of Object.entries(users)) {
    execFileSync('htpasswd', ['-i', '-B', join(folder, 'users'), user], { input: password, stdio: ['pipe', 'ignore', 'ignore'] });
  }
  // What htdigest writes: it only asks on a terminal.
  const digests = Object.entries(users).map(
    ([user, password]) => `${user}:${REALM}:${createHash('md5').update(`${user}:${REALM}:${password}`).digest('hex')}`,
  );
  await writeFile(join(folder, 'digests'), `${digests.join('\n')}\n`);
}

function clientsOf(folder: string, signer: Authority, passphrase: string): ApacheServer['clients'] {
  const good = signer.client('good');
  const from = ['pkcs8', '-topk8', '-v2', 'aes-256-cbc', '-passout', 'stdin', '-in', join(folder, 'good.key')];
  const key = execFileSync('openssl', from, { input: `${passphrase}\n`, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] });
  return { good, sealed: { certificate: good.certificate, key, passphrase }, stranger: selfSigned(folder, 'stranger') };
}

function general(folder: string, port: number): string[] {
  const list = execFileSync('dpkg', ['-L', 'apache2-bin'], { encoding: 'utf8' });
  const modules = dirname(list.split('\n').find((line) => line.endsWith('/mod_auth_basic.so')) ?? '');
  return [
    `ServerRoot ${folder}`,
    'ServerName 127.0.0.1',
    `Listen 127.0.0.1:${port}`,
    `PidFile ${folder}/pid`,
    `ErrorLog ${folder}/errors`,
    ...(process.getuid?.() === 0 ? ['User www-data', 'Group www-data'] : []),
    ...MODULES.map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`),
    `CustomLog ${folder}/answers "%U %>s %{SSL_CLIENT_S_DN}x"`,
    'TypesConfig /etc/mime.types',
    `DocumentRoot ${folder}/files`,
    `<Directory ${folder}/files>\nRequire all granted\n</Directory>`,
  ];
}

const guarded = (folder: string): string[] => [
  `<Location /basic>\nAuthType Basic\nAuthName "${REALM}"\nAuthUserFile ${folder}/users\nRequire valid-user\n</Location>`,
  `<Location /digest>\nAuthType Digest\nAuthName "${REALM}"\nAuthUserFile ${folder}/digests\nAuthDigestNonceLifetime ${NONCE_LIFETIME}\nRequire valid-user\n</Location>`,
  '<Location /open>\nSSLRequireSSL\n</Location>',
];

const host = (folder: string, port: number, name: string): string => `Listen 127.0.0.1:${port}
<VirtualHost 127.0.0.1:${port}>
SSLEngine on
SSLCertificateFile ${folder}/${name}.pem
SSLCertificateKeyFile ${folder}/${name}.key
SSLCACertificateFile ${folder}/ca.pem
SSLVerifyClient require
</VirtualHost>`;
