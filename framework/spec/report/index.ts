import type { Finding } from '../../core/finding.ts';
import { githubReport } from './github.ts';
import { jsonReport } from './json.ts';
import { type SarifOptions, sarifReport } from './sarif.ts';
import { type TextOptions, textReport } from './text.ts';

export const FORMATS = ['text', 'json', 'github', 'sarif'] as const;
export type Format = (typeof FORMATS)[number];

/** Findings as text for people (`text`), programs (`json`), GitHub's annotations (`github`) or code scanning (`sarif`). */
export function report(format: Format, findings: readonly Finding[], options: TextOptions & SarifOptions = {}): string {
  if (format === 'json') return jsonReport(findings);
  if (format === 'github') return githubReport(findings);
  return format === 'sarif' ? sarifReport(findings, options) : textReport(findings, options);
}
