import type { Rule } from '../spec/rules/rule.ts';
import { cell, code, GENERATED, markdownTable, prose } from './markdown.ts';

/** One lint rule: what it finds, why it matters, what to write instead. */
export function rulePage({ name, severity, summary, why, bad, good }: Rule): string {
  return [
    GENERATED,
    `# ${name}\n`,
    `Severity: ${severity}. ${sentence(summary)}\n`,
    `${prose(why)}\n`,
    `Found:\n\n${fenced(bad)}`,
    `Write:\n\n${fenced(good)}`,
    'To switch it off for one line, write the reason at its end or on the line before it:\n',
    fenced(`# ferrule-ignore ${name}: the reason`),
  ].join('\n');
}

export function ruleIndexPage(rules: readonly Rule[]): string {
  const rows = [...rules]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, severity, summary }) => [`[${code(name)}](${name}.md)`, severity, cell(summary)]);
  return `${GENERATED}\n# Lint rules\n\n\`ferrule lint\` finds these. Errors make a spec unusable; warnings are advice.\n\n${markdownTable(['Rule', 'Severity', 'Finds'], rows)}`;
}

const sentence = (text: string): string => prose(/[.!?]$/.test(text.trim()) ? text : `${text.trim()}.`);

const fenced = (yaml: string): string => `\`\`\`yaml\n${yaml.trim()}\n\`\`\`\n`;
