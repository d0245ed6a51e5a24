/** Signature Version 4 against moto, which computes each signature anew with botocore and compares. */
import { type Connection, type Connector, loadConnector } from '../../framework/index.ts';
import { canary } from '../canary.ts';
import { type AwsServer, awsServer } from './aws-server.ts';

let server: AwsServer;
let connector: Connector;
beforeAll(async () => {
  server = await awsServer();
  connector = await loadConnector('test/integration/specs/aws.yaml');
});
afterAll(() => server?.stop());

const connect = (method: string, over: Record<string, string> = {}) => {
  const fields = { site: server.site, access_key_id: server.id, secret_access_key: server.secret, ...over };
  return connector.connect({ method, fields }, { network: { allowLoopbackAddresses: true } });
};

const iam = ({ http }: Connection, Action: string, more: Record<string, string> = {}) =>
  http.post('', { form: { Action, Version: '2010-05-08', ...more } }).text();
const tables = ({ http }: Connection) =>
  http
    .post('', { body: '{}', headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'DynamoDB_20120810.ListTables' } })
    .text();

describe('the right key', () => {
  it('iam: a form', async () => {
    await using connection = await connect('iam');
    expect(await iam(connection, 'ListUsers')).toContain('<UserName>reader</UserName>');
  });

  it('dynamodb: JSON under a header of its own', async () => {
    await using connection = await connect('dynamodb');
    expect(JSON.parse(await tables(connection))).toEqual({ TableNames: [] });
  });

  it('s3: paths and queries with odd characters, bodies of bytes', async () => {
    await using connection = await connect('s3');
    const { http } = connection;
    await http.put('bucket1', {
      body: '<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>',
    });
    const body = Buffer.from([0, 255, 1, 254]);
    const path = 'bucket1/a%20b/%C3%A9+(1).txt';
    await http.put(path, { body });
    expect(await http.get(path).buffer()).toEqual(body);
    const xml = await http.get('bucket1', { searchParams: { prefix: 'a b/', 'list-type': 2, 'max-keys': 2 } }).text();
    expect(xml).toContain('<Key>a b/é+(1).txt</Key>');
  });
});

describe('a wrong key', () => {
  it.each([
    ['iam', (connection: Connection) => iam(connection, 'ListUsers')],
    ['dynamodb', tables],
    ['s3', ({ http }: Connection) => http.get('').text()],
  ] as const)('%s: refused', async (method, call) => {
    await using connection = await connect(method, { secret_access_key: canary('aws wrong') });
    await expect(call(connection)).rejects.toMatchObject({ status: 403, message: expect.stringContaining('SignatureDoesNotMatch') });
    await using unknown = await connect(method, { access_key_id: 'AKIAUNKNOWN' });
    await expect(call(unknown)).rejects.toMatchObject({ status: 403 });
  });
});

it('a role is assumed, and its session token goes with each request', async () => {
  await using keys = await connect('iam');
  const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };
  const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: '*' } }] };
  const made = await iam(keys, 'CreateRole', { RoleName: 'sync', AssumeRolePolicyDocument: JSON.stringify(trust) });
  await iam(keys, 'PutRolePolicy', { RoleName: 'sync', PolicyName: 'all', PolicyDocument: JSON.stringify(policy) });
  await using connection = await connect('role', { role: /<Arn>([^<]+)</.exec(made)?.[1] ?? '' });
  expect(await connection.http.get('').text()).toContain('<Name>bucket1</Name>');
  expect(connection.credential.captures.access_key_id).toMatch(/^ASIA/);
  // Without the token, or with another, the same key and secret are nobody's.
  const { access_key_id, secret_access_key } = connection.credential.captures as Record<string, { reveal(): string }>;
  const assumed = { access_key_id: String(access_key_id), secret_access_key: secret_access_key?.reveal() ?? '' };
  await using tokenless = await connect('s3', { ...assumed, session_token: canary('aws wrong token') });
  await expect(tokenless.http.get('')).rejects.toMatchObject({ status: 400, message: expect.stringContaining('InvalidToken') });
});
