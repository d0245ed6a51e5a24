import { PRIMITIVES } from './auth-primitives.ts';
import { cell, code, GENERATED, markdownTable } from './markdown.ts';

const FOLDER = '../test/auth/tricky';

/** What authentication can be said in YAML, primitive by primitive, each with a provider whose requests are compared in a test. */
export function authReachPage(): string {
  const rows = PRIMITIVES.map(({ name, means, yaml, shown }, index) => [
    yaml === undefined ? `P${index + 1}` : `[P${index + 1}](#p${index + 1})`,
    cell(name),
    cell(means),
    shown.map((spec) => `[${code(spec)}](${FOLDER}/${spec}.yaml)`).join(' ') || 'none: no spec runs code',
  ]);
  const sections = PRIMITIVES.flatMap(({ name, yaml }, index) =>
    yaml === undefined ? [] : [`<a id="p${index + 1}"></a>\n\n**P${index + 1} ${name}**\n\n\`\`\`yaml\n${yaml}\n\`\`\`\n`],
  );
  return [
    GENERATED,
    '# What authentication can be said in YAML\n',
    'In the order of how many providers need it. Beside each stand specs of providers that want it; the requests that they must make stand in the `.wire.json` next to them, and `test/auth/tricky` compares them with those that are made.\n',
    markdownTable(['', 'Primitive', 'Means', 'Shown by'], rows),
    '## How each is written\n',
    ...sections,
  ].join('\n');
}
