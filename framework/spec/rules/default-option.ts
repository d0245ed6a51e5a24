import type { Field } from '../../core/spec-types.gen.ts';
import { suggest } from '../../core/suggest.ts';
import type { Report, Rule } from './rule.ts';

export const rule: Rule = {
  name: 'default-option',
  severity: 'error',
  summary: 'A default that is not among the options.',
  why: 'Whoever leaves the default would have chosen nothing.',
  bad: 'choices: { region: { default: us, options: { na: {}, eu: {} } } }',
  good: 'choices: { region: { default: na, options: { na: {}, eu: {} } } }',
  check: ({ spec }, report) => {
    for (const [name, { default: preset, options }] of Object.entries(spec.choices ?? {})) {
      if (preset !== undefined) compare(report, ['choices', name, 'default'], preset, Object.keys(options));
    }
    const look = (path: string[], field: Field | null): void => {
      const list = field?.options?.list;
      if (field?.default !== undefined && list !== undefined)
        compare(
          report,
          [...path, 'default'],
          String(field.default),
          list.map(({ value }) => value),
        );
    };
    for (const [name, field] of Object.entries(spec.fields ?? {})) look(['fields', name], field);
    for (const [method, { fields }] of Object.entries(spec.auth)) {
      for (const [name, field] of Object.entries(fields ?? {})) look(['auth', method, 'fields', name], field);
    }
  },
};

function compare(report: Report, path: string[], preset: string, options: string[]): void {
  if (options.includes(preset)) return;
  const meant = suggest(preset, options);
  const hint = `${meant === undefined ? '' : `Did you mean \`${meant}\`? `}Options: ${options.slice(0, 12).join(', ')}.`;
  report(path, `\`${preset}\` is not among the options.`, { hint });
}
