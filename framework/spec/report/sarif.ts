import { createHash } from 'node:crypto';
import { isAbsolute, relative, sep } from 'node:path';
import type { Finding } from '../../core/finding.ts';
import { RULES, type Rule } from '../rules/index.ts';

export interface SarifOptions {
  /** Files are named relative to this folder. */
  cwd?: string;
  version?: string;
}

/** SARIF 2.1.0 (OASIS), with relative URIs under SRCROOT and fingerprints that survive moved lines. */
export function sarifReport(findings: readonly Finding[], { cwd = process.cwd(), version }: SarifOptions = {}): string {
  const seen = new Map<string, number>();
  const log = {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'ferrule', ...(version !== undefined && { version }), rules: RULES.map(descriptor) } },
        columnKind: 'utf16CodeUnits',
        originalUriBaseIds: { SRCROOT: { description: { text: 'The folder that lint ran in.' } } },
        results: findings.map((finding) => result(finding, cwd, seen)),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function descriptor(rule: Rule): object {
  return {
    id: rule.name,
    shortDescription: { text: rule.summary },
    fullDescription: { text: rule.why },
    help: { text: `${rule.why}\n\nInstead of:\n${rule.bad}\nWrite:\n${rule.good}\n\nSee docs/rules/${rule.name}.md.` },
    defaultConfiguration: { level: rule.severity },
  };
}

function result(finding: Finding, cwd: string, seen: Map<string, number>): object {
  const { rule, severity, message, hint, start, end, file, path } = finding;
  const name = file === '-' ? 'stdin' : isAbsolute(file) ? relative(cwd, file) : file;
  const uri = name.split(sep).map(encodeURIComponent).join('/');
  // The path in the spec, not the line: a finding stays the same one when lines are put in above it.
  const key = [rule, uri, path.join('/'), message].join('\n');
  const count = (seen.get(key) ?? 0) + 1;
  seen.set(key, count);
  const index = RULES.findIndex((each) => each.name === rule);
  return {
    ruleId: rule,
    ...(index >= 0 && { ruleIndex: index }),
    level: severity,
    message: { text: hint === undefined ? message : `${message} ${hint}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri, uriBaseId: 'SRCROOT' },
          region: { startLine: start.line, startColumn: start.column, endLine: end.line, endColumn: end.column },
        },
        ...(path.length > 0 && { logicalLocations: [{ fullyQualifiedName: path.join('.') }] }),
      },
    ],
    partialFingerprints: { 'ferruleFinding/v1': createHash('sha256').update(`${key}\n${count}`).digest('hex').slice(0, 32) },
  };
}
