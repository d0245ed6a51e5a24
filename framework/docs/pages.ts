import type { SpecDocument } from '../core/spec-types.gen.ts';
import type { Rule } from '../spec/rules/rule.ts';
import { authPages } from './auth-page.ts';
import { authReachPage } from './auth-reach.ts';
import { connectorPage } from './connector-page.ts';
import { errorPage } from './error-page.ts';
import { indexPage } from './index-page.ts';
import { languagePage, type Schema } from './language-page.ts';
import { ruleIndexPage, rulePage } from './rule-page.ts';

export interface PageSources {
  specs: readonly SpecDocument[];
  /** schemas/ by $id. */
  schemas: ReadonlyMap<string, Schema>;
  rules: readonly Rule[];
}

/** Every generated page of docs/ but the command line's: path there → Markdown. */
export function pages({ specs, schemas, rules }: PageSources): Map<string, string> {
  return new Map([
    ...specs.map((spec): [string, string] => [`connectors/${spec.name}.md`, connectorPage(spec, '../language.md')]),
    ['connectors/index.md', indexPage(specs)],
    ['language.md', languagePage(schemas)],
    ...authPages(schemas),
    ['auth-reach.md', authReachPage()],
    ...rules.map((rule): [string, string] => [`rules/${rule.name}.md`, rulePage(rule)]),
    ['rules/index.md', ruleIndexPage(rules)],
    ['errors.md', errorPage()],
  ]);
}
