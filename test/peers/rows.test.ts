import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = import.meta.dirname;
const IDS = Object.entries({ A: 22, R: 7, E: 14, P: 11, X: 3, C: 5, S: 2, B: 2, Y: 1, M: 1, J: 3, L: 1 }).flatMap(([letter, count]) =>
  Array.from({ length: count }, (_, at) => `${letter}${at + 1}`),
);

test('each of the 72 cases has one test, a row in the docs and, where it differs, a reason', () => {
  const sources = readdirSync(FOLDER).filter((file) => file.endsWith('.test.ts') && file !== 'rows.test.ts');
  const tests = sources.flatMap((file) =>
    [...readFileSync(join(FOLDER, file), 'utf8').matchAll(/^ *test\(\s*['"`](\w+)/gm)].map(([, id]) => id),
  );
  const page = readFileSync(join(FOLDER, '../../docs/peers.md'), 'utf8');
  const rows = [...page.matchAll(/^\| ([A-Z]\d+) \| .+ \| (=|≠|=\/≠) \|$/gm)];
  const reasons = [...page.matchAll(/^- \*\*([A-Z]\d+)\*\*: /gm)].map(([, id]) => id);

  expect(tests.toSorted()).toEqual(IDS.toSorted());
  expect(rows.map(([, id]) => id).toSorted()).toEqual(IDS.toSorted());
  expect(reasons.toSorted()).toEqual(
    rows
      .filter(([, , mark]) => mark !== '=')
      .map(([, id]) => id)
      .toSorted(),
  );
});
