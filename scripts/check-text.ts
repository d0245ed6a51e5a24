/**
 * What no tracked file may hold: the host of a package registry, a path of one machine, an address to fetch a package
 * from in the lock file. And what README must hold: the two commands that a reader is told to run.
 */
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';

/** Put together here, so that this file passes its own check. */
const join = (...parts: string[]) => parts.join('');
const FORBIDDEN: [what: string, text: string][] = [
  ['a registry host', join('registry.', 'npmjs')],
  ['a registry host', join('registry.', 'yarnpkg')],
  ['a registry host', join('deb.', 'debian.org')],
  ['a registry host', join('pypi', '.org')],
  ['a registry host', join('pythonhosted', '.org')],
  ['a registry host', join('static.', 'crates.io')],
  ['a registry host', join('proxy.', 'golang.org')],
  ['a registry host', join('repo1.', 'maven.org')],
  ['a machine path', join('/wo', 'rk/')],
  ['a machine path', join('/ro', 'ot/')],
  ['a machine path', join('/tm', 'p/')],
  ['a machine path', join('/Us', 'ers/')],
];

const files = execFileSync('git', ['ls-files', '-z'], { encoding: 'utf8' }).split('\0').filter(Boolean);
const problems: string[] = [];
for (const file of files) {
  // A file that is deleted but not yet committed holds nothing.
  const text = await readFile(file, 'utf8').catch(() => '');
  text.split('\n').forEach((line, index) => {
    for (const [what, forbidden] of FORBIDDEN) if (line.includes(forbidden)) problems.push(`${file}:${index + 1}: ${what}: ${forbidden}`);
  });
}

const lock = await readFile('package-lock.json', 'utf8');
if (/"resolved":/.test(lock)) problems.push('package-lock.json: has "resolved"; .npmrc must set omit-lockfile-registry-resolved=true');
const readme = await readFile('README.md', 'utf8').catch(() => '');
for (const command of ['npm ci && npm run demo', 'npm ci && npm test']) {
  if (!readme.includes(command)) problems.push(`README.md: does not give the command ${command}`);
}

for (const problem of problems) console.error(problem);
console.error(`${files.length} tracked files, ${problems.length} problems`);
process.exitCode = problems.length > 0 ? 1 : 0;
