import { readdirSync, readFileSync } from 'node:fs';
import type { SpecDocument } from '../../../framework/core/spec-types.gen.ts';
import { connectSpec } from '../../../framework/engine/connect.ts';
import { type Sandbox, startSandbox } from '../../../framework/sandbox/index.ts';
import { specOf } from '../../acme.ts';
import { send } from '../../unit/sandbox/wire.ts';

const FOLDER = new URL('./', import.meta.url);
const SPECS = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => name.replace('.yaml', ''));

/** What the sandbox cannot play, and why. Whoever makes one of them work takes it out. */
const NOT_PLAYED: Readonly<Record<string, string>> = {
  'adp: oauth': 'shows a client certificate, and the sandbox speaks no TLS',
};

/** The person's browser: a page whose parameters stand behind the # sends them on by its script. */
async function browse(sandbox: Sandbox, authorizeUrl: string): Promise<string> {
  const { origin, pathname, hash } = new URL(authorizeUrl);
  const first = await send(sandbox, authorizeUrl);
  const scripted = first.text.includes('location.hash');
  const { headers, text } = scripted ? await send(sandbox, `${origin}${pathname}${hash.replace(/^[^?]*/, '')}`) : first;
  if (headers.location === undefined) throw new Error(`the page does not lead back: ${text}`);
  return headers.location;
}

interface Way {
  method: string;
  choices: Record<string, string>;
}

/** Every method with every combination of options. */
function ways({ auth, choices = {} }: SpecDocument): Way[] {
  let all: Way[] = Object.keys(auth).map((method) => ({ method, choices: {} }));
  for (const [name, { options }] of Object.entries(choices))
    all = all.flatMap((way) => Object.keys(options).map((option) => ({ ...way, choices: { ...way.choices, [name]: option } })));
  return all;
}

/** What the check says to a connection with the sandbox's own inputs; undefined: that it is good. */
async function fault(spec: SpecDocument, way: Way): Promise<unknown> {
  const sandbox = await startSandbox(spec, { ...way, autoConsent: true });
  try {
    const options = { sandbox: { addresses: sandbox.addresses }, retry: { countMax: 0 } };
    const consent = ({ authorizeUrl }: { authorizeUrl: string }) => browse(sandbox, authorizeUrl);
    await using connection = await connectSpec(spec, sandbox.inputs, { ...options, consent });
    const { ok, steps } = await connection.check();
    return ok ? undefined : steps.filter((step) => !step.ok);
  } finally {
    await sandbox.close();
  }
}

describe('the sandbox plays the trickiest providers', () => {
  it.each(SPECS)('%s', async (name) => {
    const spec = specOf(readFileSync(new URL(`${name}.yaml`, FOLDER), 'utf8'));
    const found: Record<string, unknown> = {};
    for (const way of ways(spec)) {
      const wrong = await fault(spec, way).catch((error: Error) => error.message);
      const titled = [`${name}: ${way.method}`, ...Object.values(way.choices)].join(' ');
      if (wrong !== undefined) found[titled] = wrong;
    }
    const known = Object.entries(NOT_PLAYED).filter(([titled]) => titled.split(':')[0] === name);
    expect(found).toEqual(Object.fromEntries(known.map(([titled, why]) => [titled, expect.stringContaining(why)])));
  });

  it('what is not played is in the folder', () => {
    expect(Object.keys(NOT_PLAYED).filter((titled) => !SPECS.includes(titled.split(':')[0]!))).toEqual([]);
  });
});
