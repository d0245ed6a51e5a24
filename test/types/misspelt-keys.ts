/**
 * Compiled by `npm run typecheck`, never run. Each `@ts-expect-error` is a mistake that must not compile: were it to
 * compile, the comment itself would be the error.
 */

import type { SpecDocument } from '../../framework/core/spec-types.gen.ts';
import { connect, encryptedFileStore, Secret } from '../../framework/index.ts';

export async function inputs(): Promise<void> {
  await connect('jama-connect', {
    method: 'basic',
    fields: { site: 'https://acme.jamacloud.com', username: 'u', password: new Secret('p') },
  });
  // @ts-expect-error 1a: a misspelt field
  await connect('jama-connect', { method: 'basic', fields: { site: 'https://acme.jamacloud.com', usernme: 'u', password: 'p' } });
  // @ts-expect-error 1b: a field of the other method
  await connect('jama-connect', { method: 'basic', fields: { site: 'https://acme.jamacloud.com', client_id: 'u', client_secret: 'p' } });
  // @ts-expect-error 1c: a method that it does not have
  await connect('jampp', { method: 'basic', fields: { username: 'u', password: 'p' } });
  // @ts-expect-error 1d: a required field is missing
  await connect('uppromote', { method: 'key', fields: {} });
  // @ts-expect-error 1e: an option that the choice does not have
  await connect('amazon-ads', { choices: { region: 'us' }, fields: { client_id: 'i', client_secret: 's' } });

  const connection = await connect('uppromote', { credential: 'work' }, { store: encryptedFileStore() });
  connection.read('affiliates');
  // @ts-expect-error 2a: a misspelt stream
  connection.read('afiliates');
  // @ts-expect-error 2b: an option of got that the client does not have
  await connection.http.get('/affiliates', { prefixUrl: 'https://evil.test' });
  // @ts-expect-error 2c: a misspelt option
  await connection.http.get('/affiliates', { searchParam: { page: 1 } });

  // A connector that is not known when this is compiled takes anything of the shape of inputs.
  await connect('acme-crm', { fields: { whatever: 'x' } });
  // @ts-expect-error 2d: but no misspelt key of that shape
  await connect('acme-crm', { feilds: { whatever: 'x' } });
}

export const spec: SpecDocument = {
  spec: 1,
  name: 'acme',
  title: 'Acme',
  version: '1.0.0',
  auth: { key: { type: 'api_key', send: { headers: { 'X-Key': '${fields.api_key}' } } } },
  http: { base_url: 'https://api.acme.test' },
  streams: { users: { get: '/users', paginate: { type: 'page', page: 'query.page' } } },
};

export const misspelt: Partial<SpecDocument>[] = [
  // @ts-expect-error 3a: at the top level
  { stream: {} },
  // @ts-expect-error 3b: within an auth method
  { auth: { key: { type: 'basic', feilds: {} } } },
  // @ts-expect-error 3c: within a paginator, where the type decides which keys there are
  { streams: { users: { get: '/users', paginate: { type: 'page', page: 'query.page', offset: 'query.x' } } } },
  // @ts-expect-error 3d: a type that does not exist
  { auth: { key: { type: 'bassic' } } },
];
