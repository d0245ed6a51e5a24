import type { Finding } from '../../core/finding.ts';

/** For programs: `{ findings, errors, warnings }`; a finding as core/finding.ts has it. */
export function jsonReport(findings: readonly Finding[]): string {
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  return `${JSON.stringify({ findings, errors, warnings: findings.length - errors }, null, 2)}\n`;
}
