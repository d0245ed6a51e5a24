import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A repository of a few files with the real tables: what the script says of it. */
function checkLayers(files: Record<string, string>): { status: number | null; text: string } {
  const root = mkdtempSync(join(tmpdir(), 'ferrule-layers-'));
  try {
    writeFileSync(join(root, 'ARCHITECTURE.md'), readFileSync('ARCHITECTURE.md'));
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, 'framework', name)), { recursive: true });
      writeFileSync(join(root, 'framework', name), text);
    }
    const run = spawnSync(process.execPath, ['scripts/run.mjs', 'scripts/check-layers.ts', root], { encoding: 'utf8' });
    return { status: run.status, text: run.stderr };
  } finally {
    rmSync(root, { recursive: true });
  }
}

const CLEAN = {
  'core/json.ts': 'export type Json = string;\nexport const one = 1;\n',
  'http/client.ts':
    "import got from 'got';\nimport type { Json } from '../core/json.ts';\nexport const send = (body: Json) => got(body);\n",
  'auth/bearer.ts': "import type { send } from '../http/client.ts';\nexport type Send = typeof send;\n",
  'cli/read.ts': "export const read = async () => (await import('../http/client.ts')).send;\n",
};

describe('check-layers', () => {
  it('passes where every import is in the tables, type-only ones of http from auth included', () => {
    const { status, text } = checkLayers(CLEAN);
    expect(text).toMatch(/4 files, 0 problems\n$/);
    expect(status).toBe(0);
  });

  it.each([
    [
      'a type-only import upwards',
      'core/x.ts',
      "import type { send } from '../http/client.ts';\nexport type X = typeof send;\n",
      'core may not import http',
    ],
    [
      'a value where only types may',
      'auth/x.ts',
      "import { send } from '../http/client.ts';\nsend('');\n",
      'auth may not import more than types of http',
    ],
    ['a re-export', 'spec/x.ts', "export * from '../http/client.ts';\n", 'spec may not import http'],
    ['a dynamic import', 'sandbox/x.ts', "export const x = () => import('../http/client.ts');\n", 'sandbox may not import http'],
    ['an import inside a type', 'docs/x.ts', "export type X = typeof import('../http/client.ts');\n", 'docs may not import http'],
    ['an import that cannot be read', 'cli/x.ts', 'export const x = (name: string) => import(name);\n', 'computed'],
    ['got outside http', 'engine/x.ts', "import got from 'got';\ngot('');\n", 'package got, which is only for http'],
    [
      'a CEL library outside its file',
      'core/x.ts',
      "import { parse } from '@marcbachmann/cel-js';\nparse('');\n",
      'only for core/expression',
    ],
    ['yaml outside spec', 'cli/x.ts', "import { parse } from 'yaml';\nparse('');\n", 'package yaml, which is only for spec'],
    ['ajv in a generated file elsewhere', 'core/x.gen.cjs', "const x = require('ajv/dist/runtime/equal');\n", 'only for spec'],
    ['a folder that no row names', 'utils/x.ts', "import { one } from '../core/json.ts';\nexport const x = one;\n", 'utils has no row'],
    ['a file outside framework', 'cli/x.ts', "import { x } from '../../scripts/build.ts';\nx();\n", 'outside framework/'],
  ])('finds %s', (_what, file, text, problem) => {
    const found = checkLayers({ ...CLEAN, [file]: text });
    expect(found.status).toBe(1);
    expect(found.text).toContain(`framework/${file}: `);
    expect(found.text).toContain(problem);
    expect(found.text).toContain('5 files, 1 problems');
  });

  it('finds a circle of files that load one another, and names each file on it', () => {
    const found = checkLayers({
      ...CLEAN,
      'core/a.ts': "import { b } from './b.ts';\nexport const a = () => b;\n",
      'core/b.ts': "import { c } from './c.ts';\nexport const b = () => c;\n",
      'core/c.ts': "import { a } from './a.ts';\nexport const c = () => a;\n",
    });
    expect(found.text).toContain('a cycle: framework/core/a.ts → framework/core/b.ts → framework/core/c.ts → framework/core/a.ts\n');
    expect(found.status).toBe(1);
  });
});
