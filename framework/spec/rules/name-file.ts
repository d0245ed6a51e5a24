import { basename } from 'node:path';
import type { Rule } from './rule.ts';

export const rule: Rule = {
  name: 'name-file',
  severity: 'error',
  summary: 'The name is not the file name.',
  why: 'A connector is loaded by name without looking into files: under another name it is not found.',
  bad: '# acme.yaml\nname: acme-crm',
  good: '# acme.yaml\nname: acme',
  check: ({ spec, tree }, report) => {
    const file = basename(tree.file);
    if (tree.file === '-' || file === `${spec.name}.yaml`) return;
    report(['name'], `\`${spec.name}\` stands in the file ${file}.`, {
      hint: `Rename the file to ${spec.name}.yaml, or write \`name: ${file.replace(/\.ya?ml$/, '')}\`.`,
    });
  },
};
