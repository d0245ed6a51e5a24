import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FerruleError } from '../../../framework/core/errors.ts';
import { Catalogue } from '../../../framework/spec/catalogue.ts';
import { lint } from '../../../framework/spec/lint.ts';
import { loadConnector, loadFile } from '../../../framework/spec/load.ts';

const SPEC = (name: string): string =>
  `spec: 1\nname: ${name}\ntitle: T\nversion: 1.0.0\nauth: { key: bearer }\nhttp: { base_url: https://a.com }\ncheck: { get: /me }\n`;

const failure = async (work: Promise<unknown>): Promise<FerruleError> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof FerruleError)) throw new Error('no FerruleError');
  return error;
};

describe('Catalogue', () => {
  let root = '';
  let ours = '';
  let theirs = '';

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'ferrule-catalogue-'));
    ours = join(root, 'ours');
    theirs = join(root, 'theirs');
    mkdirSync(ours);
    mkdirSync(theirs);
    for (const name of ['acme', 'beta']) writeFileSync(join(ours, `${name}.yaml`), SPEC(name));
    for (const name of ['acme', 'zeta']) writeFileSync(join(theirs, `${name}.yaml`), SPEC(name));
    writeFileSync(join(theirs, 'Not A Name.yaml'), SPEC('x'));
    writeFileSync(join(theirs, 'notes.txt'), 'x');
    mkdirSync(join(theirs, 'folder.yaml'));
    writeFileSync(join(root, 'secret.yaml'), SPEC('secret'));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('finds by name in the first folder that has it', async () => {
    const catalogue = new Catalogue([join(root, 'missing'), theirs, ours]);
    expect(await catalogue.find('acme')).toEqual({ name: 'acme', path: join(theirs, 'acme.yaml') });
    expect(await catalogue.find('beta')).toEqual({ name: 'beta', path: join(ours, 'beta.yaml') });
  });

  it('lists every name once, with a finding at the file that is hidden', async () => {
    const { entries, findings } = await new Catalogue([theirs, ours]).list();
    expect(entries.map(({ name, path }) => [name, path])).toEqual([
      ['acme', join(theirs, 'acme.yaml')],
      ['beta', join(ours, 'beta.yaml')],
      ['zeta', join(theirs, 'zeta.yaml')],
    ]);
    expect(findings.map(({ rule, severity, file }) => [rule, severity, file])).toEqual([
      ['name-taken', 'warning', join(ours, 'acme.yaml')],
    ]);
  });

  it.each(['acmee', 'ACME', '../secret', 'acme.yaml', '', 'folder', 'a/b', '.', 'x'.repeat(5000)])(
    'knows no connector %j',
    async (name) => {
      const error = await failure(new Catalogue([ours, theirs]).find(name));
      expect(error.code).toBe('connector_unknown');
    },
  );

  it('says what was meant, or what there is', async () => {
    expect((await failure(new Catalogue([ours, theirs]).find('acmee'))).next).toBe('Did you mean "acme"?');
    expect((await failure(new Catalogue([ours]).find('quite-other'))).next).toBe('There are: acme, beta.');
  });

  it('loads a connector that is sound, and names the first mistake of one that is not', async () => {
    expect((await loadConnector(join(ours, 'acme.yaml'))).name).toBe('acme');
    const bad = join(root, 'bad.yaml');
    writeFileSync(bad, SPEC('bad').replace('bearer', 'baerer'));
    const error = await failure(loadConnector(bad));
    expect([error.code, error.where, error.findings.length]).toEqual(['spec_invalid', `${bad}:5:14`, 1]);
    expect(error.message).toContain('`baerer` is no type');
  });

  it('a file that cannot be read is an error, not a finding', async () => {
    const gone = join(root, 'gone.yaml');
    for (const work of [() => loadFile(gone), () => loadFile(ours), () => lint([gone])]) {
      expect((await failure(work())).code).toBe('spec_unreadable');
    }
  });

  it('lints files in their order', async () => {
    const files = [join(ours, 'beta.yaml'), join(root, 'bad.yaml'), join(ours, 'acme.yaml')];
    const { findings, files: count } = await lint(files);
    expect(count).toBe(3);
    expect(findings.map(({ file, rule }) => [file, rule])).toEqual([[join(root, 'bad.yaml'), 'bad-tag']]);
  });
});
