/** The servers of these tests, each with its settings written here and its secrets from the canaries. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
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
