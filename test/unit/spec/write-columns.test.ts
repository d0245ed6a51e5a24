import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lintText } from '../../../framework/spec/lint.ts';
import { readSource } from '../../../framework/spec/source.ts';
import { applyEdits, unifiedDiff } from '../../../framework/spec/text-edit.ts';
import { columnEdits, type WantedColumns } from '../../../framework/spec/write-columns.ts';

const source = (text: string) => readSource(text, 'acme.yaml').tree!;
const written = (text: string, wanted: WantedColumns): string => applyEdits(text, columnEdits(source(text), wanted));

const HEAD = `# Acme, as its documentation of 2026 has it.
spec: 1
name: acme
title: 'Acme'   # their own spelling
version: 1.0.0
http: { base_url: 'https://api.acme.test/v1' }
auth: { none: none }
check: { get: /me }
`;

describe('columns that are written into a spec', () => {
  it('leave everything else as it is: comments, order, quotes, maps in braces', () => {
    const spec = `${HEAD}templates:
  entity:
    primary_key: [id]
    columns:
      id: { type: integer, help: "The entity's number" }   # of the template
streams:
  # What customers order.
  orders:
    use: entity
    get: "/orders"   # a bare array
    source:
      - url: https://docs.acme.test/orders   # 2026-01-01

  items: { get: /items, primary_key: [id] }   # short

  prices:
    get: /prices
    columns:
      # in the shop's currency
      amount: { type: integer, help: 'Gross', example: 12 }
      currency: text   # ISO 4217
    primary_key: [currency]
  rates: { get: /rates, columns: { day: text } }
  none:
    get: /none
    columns: {}
# the end
`;
    const wanted: WantedColumns = {
      orders: { total: 'number', id: 'text', 'odd name: x': 'date' },
      items: { id: 'integer', on: 'boolean' },
      prices: { amount: 'number', currency: 'list', since: 'datetime' },
      rates: { rate: 'number', day: 'date' },
      none: { id: 'integer' },
    };
    expect(written(spec, wanted)).toBe(`${HEAD}templates:
  entity:
    primary_key: [id]
    columns:
      id: { type: integer, help: "The entity's number" }   # of the template
streams:
  # What customers order.
  orders:
    use: entity
    get: "/orders"   # a bare array
    source:
      - url: https://docs.acme.test/orders   # 2026-01-01
    columns:
      total: number
      id: text
      "odd name: x": date

  items: { get: /items, primary_key: [id], columns: { id: integer, "on": boolean } }   # short

  prices:
    get: /prices
    columns:
      # in the shop's currency
      amount: { type: number, help: 'Gross', example: 12 }
      currency: list   # ISO 4217
      since: datetime
    primary_key: [currency]
  rates: { get: /rates, columns: { day: date, rate: number } }
  none:
    get: /none
    columns: { id: integer }
# the end
`);
    const rules = (text: string): string[] => lintText(text, 'acme.yaml').map(({ rule, message }) => `${rule} ${message}`);
    expect(rules(written(spec, wanted))).toEqual(rules(spec));
  });

  it('goes on to further lines where a map in braces becomes too long', () => {
    const names = Array.from({ length: 12 }, (_, index) => `a_rather_long_name_${index}`);
    const types = Object.fromEntries(names.map((name) => [name, 'text'] as const));
    const spec = `${HEAD}streams:\n  items: { get: /items }\n  others: { get: /others, columns: { id: integer } }\n`;
    const text = written(spec, { items: types, others: types });
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(140);
    expect(text).toContain('  items: { get: /items,\n      columns: {\n        a_rather_long_name_0: text, a_rather_long_name_1: text,');
    expect(text).toContain('  others: { get: /others, columns: { id: integer,\n      a_rather_long_name_0: text,');
    expect(source(text).value).toMatchObject({ streams: { items: { columns: types }, others: { columns: { id: 'integer', ...types } } } });
  });

  it('keeps line ends of Windows, a missing one at the end, and text in blocks', () => {
    const dos = `${HEAD}streams:\n  items:\n    get: /items\n`.replaceAll('\n', '\r\n');
    expect(written(dos, { items: { id: 'integer' } })).toBe(`${dos}    columns:\r\n      id: integer\r\n`);
    const short = `${HEAD}streams:\n  items:\n    get: /items`;
    expect(written(short, { items: { id: 'integer' } })).toBe(`${short}\n    columns:\n      id: integer`);
    const block = `${HEAD}streams:\n  items:\n    get: /items\n    help: |\n      What is\n      sold.\n\n  others: { get: /others }\n`;
    expect(written(block, { items: { id: 'integer' } })).toContain('      sold.\n    columns:\n      id: integer\n\n  others:');
    // Here the empty line belongs to the text.
    const kept = block.replace('|', '|+');
    expect(() => written(kept, { items: { id: 'integer' } })).toThrow(
      expect.objectContaining({ code: 'not_supported', where: 'acme.yaml' }),
    );
  });

  it('refuses a stream that the file has not, and does nothing where nothing is new', () => {
    const spec = `${HEAD}streams: { items: { get: /items } }\n`;
    expect(() => written(spec, { other: { id: 'text' } })).toThrow(expect.objectContaining({ code: 'stream_unknown' }));
    expect(columnEdits(source(spec), { items: {}, other: {} })).toEqual([]);
  });
});

it('shows edits as a diff that patch takes', () => {
  const numbers = Array.from({ length: 40 }, (_, index) => `line ${index + 1}`);
  const text = `${numbers.join('\n')}\n`;
  const at = (line: number): number => text.indexOf(`line ${line}\n`);
  const edits = [
    { start: at(30) + 5, end: at(30) + 7, text: 'thirty' },
    { start: at(4) - 1, end: at(4) - 1, text: '\nnew\nnewer' },
    { start: at(9), end: at(9), text: 'the ' },
    { start: at(9) + 6, end: at(9) + 6, text: 'th' },
    { start: text.length - 1, end: text.length - 1, text: '\nlast' },
  ];
  const diff = unifiedDiff(text, edits, 'numbers.txt');
  expect(diff.match(/^@@.*$/gm)).toEqual(['@@ -1,12 +1,14 @@', '@@ -27,7 +29,7 @@', '@@ -38,3 +40,4 @@']);
  const folder = mkdtempSync(join(tmpdir(), 'ferrule-diff-'));
  try {
    writeFileSync(join(folder, 'numbers.txt'), text);
    const patched = spawnSync('git', ['apply', '-p0', '-'], { cwd: folder, input: diff });
    expect(patched.stderr.toString()).toBe('');
    expect(readFileSync(join(folder, 'numbers.txt'), 'utf8')).toBe(applyEdits(text, edits));
  } finally {
    rmSync(folder, { recursive: true });
  }
  expect(unifiedDiff(text, [], 'numbers.txt')).toBe('');
});
