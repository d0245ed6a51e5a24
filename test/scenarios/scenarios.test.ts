import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { main } from '../../framework/cli/main.ts';
import { type Sandbox, startSandbox } from '../../framework/sandbox/index.ts';
import { loadFile } from '../../framework/spec/load.ts';
import { plainCanary } from '../canary.ts';
import { type FakeIo, fakeIo } from '../cli-io.ts';
import { misfits, SCHEMA_NAMES, schemaFor } from './json-schemas.ts';
import { difference, parseScenarios } from './scenario.ts';

const HERE = 'test/scenarios';

for (const file of readdirSync(HERE).filter((name) => name.endsWith('.txt'))) {
  describe(basename(file, '.txt'), () => {
    const text = readFileSync(join(HERE, file), 'utf8');
    const folder = mkdtempSync(join(tmpdir(), 'ferrule-scenario-'));
    cpSync(join(HERE, 'fixtures'), folder, { recursive: true });
    const env = { FERRULE_HOME: join(folder, 'home'), HOME: folder, BROWSER: 'none' };
    // One that a search of all output would find (test/canary.ts).
    const variables: Record<string, string> = { folder, secret: plainCanary('scenarios') };
    writeFileSync(join(folder, 'secret.txt'), `${variables.secret}\n`);
    let sandbox: Sandbox | undefined;

    // `# sandbox: <connector>` at the top: one runs while the file's commands run, at {sandbox}.
    const wanted = /^# sandbox: (\S+)$/m.exec(text)?.[1];
    beforeAll(async () => {
      if (wanted === undefined) return;
      const { spec } = await loadFile(`connectors/${wanted}.yaml`);
      if (spec === undefined) throw new Error(`${wanted} does not load`);
      sandbox = await startSandbox(spec, { records: 5, parents: 2, autoConsent: true });
      variables.sandbox = sandbox.origin;
    });
    afterAll(async () => {
      await sandbox?.close();
      rmSync(folder, { recursive: true });
    });

    // In the file's order: later commands see what earlier ones stored.
    for (const [position, { line, command }] of parseScenarios(text).entries()) {
      it(`${line}: ${command}`, async () => {
        const scenario = parseScenarios(text, variables)[position]!;
        const io = fakeIo({ cwd: folder, env, ...(scenario.stdin !== undefined && { stdin: scenario.stdin }) });
        const exitCode = await main(scenario.argv, io);
        const wrong = [
          ...label('standard output', difference(scenario.stdout, io.out())),
          ...label('standard error', difference(scenario.stderr, io.err())),
          ...jsonMisfits(scenario.argv, io),
          ...(exitCode === scenario.exitCode ? [] : [`exit code ${exitCode}, expected ${scenario.exitCode}`]),
        ];
        expect(wrong.join('\n')).toBe('');
      });
    }
  });
}

const label = (what: string, text: string | undefined): string[] => (text === undefined ? [] : [`${what}\n${text}`]);

const seen = new Set<string>();

/** Standard output against the committed schema of the command; an error's line on standard error against its own. */
function jsonMisfits(argv: readonly string[], io: FakeIo): string[] {
  const schema = schemaFor(argv);
  if (schema === undefined) return [];
  const failure = io.err().startsWith('{"error"') ? ['error', io.err()] : [];
  const output = io.out() === '' ? [] : [schema, io.out()];
  return [failure, output].flatMap(([name, text]) => {
    if (name === undefined || text === undefined) return [];
    seen.add(name);
    return misfits(name, text);
  });
}

// sandbox and demo run for long: test/unit/cli has theirs.
it('has a scenario for each schema of schemas/cli', () => {
  expect(SCHEMA_NAMES.filter((name) => !seen.has(name))).toEqual(['demo', 'sandbox']);
});
