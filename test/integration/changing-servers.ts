/** Servers whose records change between two reads, each with its own way to say when. */
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { canary, plainCanary } from '../canary.ts';
import { postgres } from './postgres-server.ts';
import { freePort, installed, start } from './programs.ts';
import { folderFor, type Server, serverOf } from './servers.ts';

export type Row = Record<string, unknown>;

export interface ChangingServer extends Server {
  /** What a connection to it is given. */
  fields: Record<string, string>;
  /** A call of the server's own API, with all rights. @throws Error with what it said, when the status is none of success */
  call(method: string, path: string, body?: unknown): Promise<Row>;
}

async function calling(url: string, method: string, headers: Record<string, string>, body: unknown): Promise<Row> {
  const response = await fetch(url, {
    method,
    headers: { ...headers, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${new URL(url).pathname}: ${response.status} ${text}`);
  return text === '' ? {} : (JSON.parse(text) as Row);
}

/** Parse Server on a PostgreSQL of its own. With the maintenance key a new object may be given its times. */
export async function parse(): Promise<ChangingServer> {
  const database = await postgres();
  // It does not decode what an address holds, so that its password is one of plain letters.
  const password = plainCanary('parse database');
  await database.sql(`CREATE ROLE parse LOGIN PASSWORD '${password}'`);
  await database.sql('CREATE DATABASE parse OWNER parse');
  const folder = await folderFor('parse');
  const port = await freePort();
  const keys = {
    appId: plainCanary('parse application'),
    restKey: plainCanary('parse rest key'),
    masterKey: plainCanary('parse master key'),
    maintenanceKey: plainCanary('parse maintenance key'),
  };
  const site = `http://127.0.0.1:${port}/parse`;
  const config = JSON.stringify({ port, database: database.url({ user: 'parse', password, dbname: 'parse' }), ...keys });
  const program = await start(process.execPath, [resolve('test/integration/parse-server.mjs'), installed(), config], {
    cwd: folder,
    address: `${site}/health`,
  }).catch(async (error: unknown) => {
    await database.remove();
    await rm(folder, { recursive: true });
    throw error;
  });
  const server = serverOf(site, program, folder);
  const rights = { 'X-Parse-Application-Id': keys.appId, 'X-Parse-Maintenance-Key': keys.maintenanceKey };
  return {
    ...server,
    fields: { site, application: keys.appId, api_key: keys.restKey },
    call: (method, path, body) => calling(`${site}${path}`, method, rights, body),
    stop: async () => {
      await server.stop();
      await database.remove();
    },
  };
}

/** A CAP service: orders with items, and of both when they were changed, as CAP itself keeps it. It gives at most 20 a page. */
export async function orders(): Promise<ChangingServer> {
  const folder = await folderFor('orders');
  const [username, password] = ['alice', canary('orders password')];
  const requires = {
    db: { kind: 'sqlite', credentials: { url: ':memory:' } },
    auth: { kind: 'basic', users: { [username]: { password } } },
  };
  const files: Record<string, string> = {
    'package.json': JSON.stringify({ name: 'orders', cds: { requires } }),
    'db/schema.cds': `namespace shop;
using { managed } from '@sap/cds/common';
entity Orders : managed {
  key ID : Integer; customer : String; amount : Decimal(12, 2);
  items : Composition of many Items on items.parent = $self;
}
entity Items { key ID : Integer; product : String; parent : Association to Orders; }
`,
    'srv/sales.cds': `using shop from '../db/schema';
@(requires: 'authenticated-user') @cds.query.limit: { default: 20, max: 20 }
service Sales { entity Orders as projection on shop.Orders; entity Items as projection on shop.Items; }
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
  const site = `${origin}/odata/v4/sales`;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  return {
    ...serverOf(site, program, folder),
    fields: { site, username, password },
    call: (method, path, body) => calling(`${site}${path}`, method, { authorization }, body),
  };
}
