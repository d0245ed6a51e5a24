/**
 * Proves the import tables of ARCHITECTURE.md: `check-layers [ROOT]`. Every import counts, type-only ones, re-exports,
 * `import()` and `require()` included. Besides the tables: no circle of files that load one another (type-only imports
 * load nothing), and no import whose target cannot be read off.
 */
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { parse } from '@swc/core';

interface Import {
  /** As written. */
  from: string;
  typeOnly: boolean;
}

/** What one folder may import: 'all', 'types' (type-only imports), by folder. `*` stands for any folder. */
type Allowed = Map<string, 'all' | 'types'>;

interface Tables {
  folders: Map<string, Allowed>;
  /** Package → the places (folder, or file without its ending) that may import it. */
  packages: Map<string, string[]>;
}

const root = resolve(process.argv[2] ?? '.');

/** The rows of the first Markdown table whose head has these two columns. */
function tableRows(markdown: string, left: string, right: string): [string, string][] {
  const lines = markdown.split('\n');
  const head = lines.findIndex((line) => new RegExp(`^\\|\\s*${left}\\s*\\|\\s*${right}\\s*\\|`).test(line));
  if (head === -1) throw new Error(`ARCHITECTURE.md has no table | ${left} | ${right} |`);
  const rows: [string, string][] = [];
  for (const line of lines.slice(head + 2)) {
    const cells = line.split('|').map((cell) => cell.trim().replaceAll('`', ''));
    if (cells.length < 4) break;
    rows.push([cells[1] ?? '', cells[2] ?? '']);
  }
  return rows;
}

const words = (cell: string) => cell.split(',').map((word) => word.trim());

function readTables(markdown: string): Tables {
  const folders = new Map<string, Allowed>();
  for (const [names, may] of tableRows(markdown, 'folder', 'may import')) {
    const allowed: Allowed = new Map();
    for (const word of may === 'nothing of ours' ? [] : words(may)) {
      const name = word.replace(/\s*\(types\)$/, '');
      allowed.set(name === 'anything' ? '*' : name, name === word ? 'all' : 'types');
    }
    for (const name of words(names)) folders.set(name, allowed);
  }
  const packages = new Map<string, string[]>();
  for (const [names, only] of tableRows(markdown, 'package', 'imported only by')) {
    for (const name of words(names)) packages.set(name, words(only));
  }
  return { folders, packages };
}

type Node = { type?: string; [key: string]: unknown };
const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;

/** The text of a string literal or of a template without a hole; undefined for anything computed. */
function literal(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'StringLiteral') return String(node.value);
  const quasis = node.type === 'TemplateLiteral' ? (node.quasis as Node[]) : [];
  return quasis.length === 1 ? String(quasis[0]?.cooked) : undefined;
}

const allTypes = (specifiers: unknown) =>
  Array.isArray(specifiers) && specifiers.length > 0 && specifiers.every((one) => isNode(one) && one.isTypeOnly === true);

function importOf(node: Node): Import | undefined {
  if (node.type === 'ImportDeclaration' || node.type === 'ExportNamedDeclaration' || node.type === 'ExportAllDeclaration') {
    const from = literal(node.source);
    return from === undefined ? undefined : { from, typeOnly: node.typeOnly === true || allTypes(node.specifiers) };
  }
  if (node.type === 'TsImportType') return { from: literal(node.argument) ?? '', typeOnly: true };
  if (node.type !== 'CallExpression' || !isNode(node.callee)) return undefined;
  const isRequire = node.callee.type === 'Identifier' && node.callee.value === 'require';
  if (node.callee.type !== 'Import' && !isRequire) return undefined;
  const first = (node.arguments as { expression: unknown }[])[0];
  return { from: literal(first?.expression) ?? '', typeOnly: false };
}

function walk(node: unknown, found: Import[]): void {
  if (Array.isArray(node)) for (const child of node) walk(child, found);
  else if (isNode(node)) {
    const one = importOf(node);
    if (one) found.push(one);
    for (const child of Object.values(node)) if (isNode(child)) walk(child, found);
  }
}

async function importsOf(file: string): Promise<Import[]> {
  const text = await readFile(join(root, file), 'utf8');
  const tree = file.endsWith('.cjs')
    ? await parse(text, { syntax: 'ecmascript', target: 'es2022', isModule: false })
    : await parse(text, { syntax: 'typescript', target: 'es2022' });
  const found: Import[] = [];
  walk(tree, found);
  return found;
}

/** `framework/spec/rules/x.ts` → spec; a file right under framework/ is a folder of its own: index.ts → index. */
const folderOf = (file: string) => file.split('/')[1]?.replace(/(\.gen)?\.c?ts$|\.cjs$/, '') ?? '';
const packageOf = (from: string) =>
  from
    .split('/')
    .slice(0, from.startsWith('@') ? 2 : 1)
    .join('/');

function check(file: string, one: Import, tables: Tables, used: Set<string>): string | undefined {
  if (one.from === '') return `${file}: an import whose target is computed cannot be checked`;
  if (one.from.startsWith('node:')) return undefined;
  if (!one.from.startsWith('.')) {
    const only = tables.packages.get(packageOf(one.from));
    if (!only) return undefined;
    const place = file.slice('framework/'.length);
    const allowed = only.some(
      (name) => place.startsWith(`${name}/`) || place.replace(/\.[cm]?[tj]s$/, '') === name || place.replace(/\.gen\.cjs$/, '') === name,
    );
    return allowed ? undefined : `${file}: imports the package ${one.from}, which is only for ${only.join(', ')}`;
  }
  const target = relative(root, resolve(root, dirname(file), one.from));
  if (!target.startsWith('framework/'))
    return one.from.endsWith('package.json') ? undefined : `${file}: imports ${target}, outside framework/`;
  const [folder, other] = [folderOf(file), folderOf(target)];
  if (folder === other) return undefined;
  used.add(`${folder} → ${other}`);
  const row = tables.folders.get(folder);
  if (!row) return `${file}: the folder ${folder} has no row in ARCHITECTURE.md`;
  const may = row.get(other) ?? row.get('*');
  if (may === 'all' || (may === 'types' && one.typeOnly)) return undefined;
  return `${file}: ${folder} may not import ${may === 'types' ? `more than types of ${other}` : other} (${one.from})`;
}

/** Each cycle once, as the files along it: depth first, a file that is met while still open closes one. */
function cycles(graph: Map<string, string[]>): string[][] {
  const found: string[][] = [];
  const done = new Set<string>();
  const open: string[] = [];
  const visit = (file: string) => {
    if (open.includes(file)) found.push([...open.slice(open.indexOf(file)), file]);
    if (done.has(file) || open.includes(file)) return;
    open.push(file);
    for (const next of graph.get(file) ?? []) visit(next);
    open.pop();
    done.add(file);
  };
  for (const file of graph.keys()) visit(file);
  return found;
}

const tables = readTables(await readFile(join(root, 'ARCHITECTURE.md'), 'utf8'));
const entries = await readdir(join(root, 'framework'), { recursive: true, withFileTypes: true });
const files = entries
  .filter((entry) => entry.isFile() && /\.(ts|cjs)$/.test(entry.name))
  .map((entry) => relative(root, join(entry.parentPath, entry.name)))
  .sort();
const graph = new Map<string, string[]>();
const used = new Set<string>();
const problems: string[] = [];
for (const file of files) {
  const imports = await importsOf(file);
  problems.push(...imports.map((one) => check(file, one, tables, used)).filter((problem) => problem !== undefined));
  const own = imports.filter((one) => one.from.startsWith('.') && !one.typeOnly);
  graph.set(file, [...new Set(own.map((one) => relative(root, resolve(root, dirname(file), one.from))))]);
}
problems.push(...cycles(graph).map((files) => `a cycle: ${files.join(' → ')}`));

for (const [folder, allowed] of tables.folders) {
  const may = [...allowed].map(([name, how]) => (how === 'types' ? `${name} (types)` : name.replace('*', 'anything')));
  const does = [...used].filter((pair) => pair.startsWith(`${folder} → `)).map((pair) => pair.split(' → ')[1]);
  console.log(`${folder.padEnd(14)} may import ${may.join(', ') || 'nothing of ours'}; imports ${does.join(', ') || 'nothing'}`);
}
for (const problem of problems) console.error(problem);
console.error(`${files.length} files, ${problems.length} problems`);
process.exitCode = problems.length > 0 ? 1 : 0;
