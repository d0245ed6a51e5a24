import type { Finding } from '../../core/finding.ts';

/**
 * Workflow commands that GitHub shows beside the line. Escapes as its toolkit does: % CR LF in messages, besides : and ,
 * in properties.
 */
export function githubReport(findings: readonly Finding[]): string {
  return findings
    .map(({ severity, file, start, end, rule, message, hint }) => {
      const properties = {
        file,
        line: start.line,
        endLine: end.line,
        col: start.column,
        ...(end.line === start.line && { endColumn: end.column }),
        title: rule,
      };
      const list = Object.entries(properties).map(([key, value]) => `${key}=${escapeProperty(String(value))}`);
      return `::${severity} ${list.join(',')}::${escapeData(hint === undefined ? message : `${message} ${hint}`)}\n`;
    })
    .join('');
}

const escapeData = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const escapeProperty = (text: string): string => escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
