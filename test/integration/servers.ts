/** The servers of these tests, each with its settings written here and its secrets from the canaries. */
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { canary, plainCanary } from '../canary.ts';
import { freePort, installed, type Program, start } from './programs.ts';

export interface Server {
  /** Its origin, without a slash at the end. */
  site: string;
  stop(): Promise<void>;
}

export async function folderFor(name: string): Promise<string> {
  return mkdtemp(join(tmpdir(), `ferrule-${name}-`));
}

export function serverOf(site: string, program: Program, folder: string): Server {
  return {
    site,
    stop: async () => {
      await program.stop();
      await rm(folder, { recursive: true });
    },
  };
}

/** Modules and where this installation keeps them. */
const APACHE_MODULES = ['mpm_event', 'mime', 'authn_core', 'authn_file', 'authz_core', 'authz_user', 'auth_basic'];

/** Apache with a folder behind Basic: `pages` are served as /basic/1.json, /basic/2.json… */
export async function apache(users: Record<string, string>, pages: unknown[]): Promise<Server> {
  const folder = await folderFor('apache');
  await chmod(folder, 0o755); // Its workers are another user.
  await mkdir(join(folder, 'files/basic'), { recursive: true });
  for (const [index, page] of pages.entries()) await writeFile(join(folder, `files/basic/${index + 1}.json`), JSON.stringify(page));
  await writeFile(join(folder, 'users'), '');
  for (const [user, password] of Object.entries(users)) {
    execFileSync('htpasswd', ['-i', '-B', join(folder, 'users'), user], { input: password, stdio: ['pipe', 'ignore', 'ignore'] });
  }
  const port = await freePort();
  const list = execFileSync('dpkg', ['-L', 'apache2-bin'], { encoding: 'utf8' });
  const modules = dirname(list.split('\n').find((line) => line.endsWith('/mod_auth_basic.so')) ?? '');
  const directives = [
    `ServerRoot ${folder}`,
    'ServerName 127.0.0.1',
    `Listen 127.0.0.1:${port}`,
    `PidFile ${folder}/pid`,
    `ErrorLog ${folder}/errors`,
    ...(process.getuid?.() === 0 ? ['User www-data', 'Group www-data'] : []),
    ...APACHE_MODULES.map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`),
    'TypesConfig /etc/mime.types',
    `DocumentRoot ${folder}/files`,
    `<Directory ${folder}/files>\nRequire all granted\n</Directory>`,
    `<Location /basic>\nAuthType Basic\nAuthName "Test realm"\nAuthUserFile ${folder}/users\nRequire valid-user\n</Location>`,
  ];
  await writeFile(join(folder, 'httpd.conf'), `${directives.join('\n')}\n`);
  const site = `http://127.0.0.1:${port}`;
  return serverOf(site, await start('apache2', ['-f', join(folder, 'httpd.conf'), '-D', 'FOREGROUND'], { address: site }), folder);
}

export interface GithubServer extends Server {
  token: string;
}

/** emulate's GitHub with one user who has `repositories`. */
export async function github(repositories: number): Promise<GithubServer> {
  const folder = await folderFor('github');
  const port = await freePort();
  const token = plainCanary('github token');
  const repos = Array.from({ length: repositories }, (_, index) => ({
    owner: 'octocat',
    name: `repository-${index + 1}`,
    private: index % 5 === 0,
  }));
  const seed = { tokens: { [token]: { login: 'octocat', scopes: ['repo', 'user'] } }, github: { users: [{ login: 'octocat' }], repos } };
  await writeFile(join(folder, 'seed.json'), JSON.stringify(seed));
  const site = `http://127.0.0.1:${port}`;
  const options = ['start', '--service', 'github', '--port', String(port), '--base-url', site, '--seed', join(folder, 'seed.json')];
  const program = await start(process.execPath, [installed('node_modules/emulate/dist/index.js'), ...options], { address: site });
  return { ...serverOf(site, program, folder), token };
}

export interface OdataServer extends Server {
  username: string;
  password: string;
}

/** A CAP service over `orders` rows that gives at most 20 a page, with a link to the next. */
export async function odata(orders: number): Promise<OdataServer> {
  const folder = await folderFor('odata');
  const [username, password] = ['alice', canary('odata password')];
  const rows = Array.from({ length: orders }, (_, index) => `${index + 1};Customer ${index + 1};${index + 1}.25`);
  const requires = {
    db: { kind: 'sqlite', credentials: { url: ':memory:' } },
    auth: { kind: 'basic', users: { [username]: { password } } },
  };
  const files: Record<string, string> = {
    'package.json': JSON.stringify({ name: 'orders', cds: { requires } }),
    'db/schema.cds': 'namespace shop;\nentity Orders { key ID : Integer; customer : String; amount : Decimal(12, 2); }\n',
    'db/data/shop-Orders.csv': `ID;customer;amount\n${rows.join('\n')}\n`,
    'srv/sales.cds': `using shop from '../db/schema';
@(requires: 'authenticated-user') @cds.query.limit: { default: 20, max: 20 }
service Sales { entity Orders as projection on shop.Orders; }
`,
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  await symlink(installed('node_modules'), join(folder, 'node_modules'));
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const program = await start(process.execPath, [installed('node_modules/@sap/cds/bin/serve.js'), '--in-memory'], {
    cwd: folder,
    env: { PORT: String(port), HOST: '127.0.0.1' },
    address: origin,
  });
  return { ...serverOf(`${origin}/odata/v4/sales`, program, folder), username, password };
}
