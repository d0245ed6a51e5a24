/** moto with one user who may do everything; it verifies the signature of each request. */
import { freePort, installed, start } from './programs.ts';
import { folderFor, type Server, serverOf } from './servers.ts';

export interface AwsServer extends Server {
  /** The user's access key. */
  id: string;
  secret: string;
}

/** Without any key there is no first one: so many requests at the beginning are not checked. */
const UNCHECKED = ['CreateUser', 'PutUserPolicy', 'CreateAccessKey'];

export async function awsServer(): Promise<AwsServer> {
  const folder = await folderFor('aws');
  const port = await freePort();
  const site = `http://127.0.0.1:${port}`;
  const program = await start(installed('python/bin/moto_server'), ['-H', '127.0.0.1', '-p', String(port)], {
    cwd: folder,
    env: { INITIAL_NO_AUTH_ACTION_COUNT: String(UNCHECKED.length) },
    address: `${site}/moto-api/`,
  });
  const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };
  const ask = async (Action: string, more: Record<string, string> = {}): Promise<string> => {
    const body = new URLSearchParams({ Version: '2010-05-08', Action, UserName: 'reader', ...more });
    // Only the scope is looked at, which names the service.
    const authorization = 'AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=any';
    const answer = await fetch(site, { method: 'POST', body, headers: { authorization } });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${Action}: ${answer.status} ${text}\n${program.output()}`);
    return text;
  };
  await ask('CreateUser');
  await ask('PutUserPolicy', { PolicyName: 'all', PolicyDocument: JSON.stringify(policy) });
  const key = await ask('CreateAccessKey');
  const part = (name: string): string => new RegExp(`<${name}>([^<]+)<`).exec(key)?.[1] ?? '';
  return { ...serverOf(site, program, folder), id: part('AccessKeyId'), secret: part('SecretAccessKey') };
}
