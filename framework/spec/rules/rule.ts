import type { Finding, Severity } from '../../core/finding.ts';
import type { FindingPlace, SpecPath } from '../tree.ts';
import type { RuleContext } from './context.ts';

/** Reports one finding of the rule that is running. */
export type Report = (path: SpecPath, message: string, place?: FindingPlace) => void;

/** One rule: its docs page is made from these words. Rules without `check` are found when a spec is read or validated. */
export interface Rule {
  name: string;
  severity: Severity;
  /** One sentence: what it finds. */
  summary: string;
  /** What goes wrong without it. */
  why: string;
  bad: string;
  good: string;
  check?: (context: RuleContext, report: Report) => void;
}

/** Runs rules over a spec. */
export function run(rules: readonly Rule[], context: RuleContext): Finding[] {
  const findings: Finding[] = [];
  for (const rule of rules) {
    rule.check?.(context, (path, message, place) => {
      findings.push(context.tree.finding(rule.name, rule.severity, message, path, place));
    });
  }
  return findings;
}
