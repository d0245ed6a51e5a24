import type { CheckReport } from '../engine/check.ts';
import type { Style } from './style.ts';
import { visible } from './style.ts';

const ALL_CHOICES = '`ferrule check --all-choices`';

/** The ladder of a check: what holds, what does not, which field to correct, the provider's own words. */
export function checkText({ ok, account, steps, code, tried }: CheckReport, style: Style): string {
  const lines = steps.map(({ ok: holds, message, field, provider, next, choice }) => {
    const mark = holds ? style.green('✓') : style.red('✗');
    const more = [
      ...(field === undefined ? [] : [`    field: ${field}`]),
      ...(provider === undefined || message.includes(provider) ? [] : [`    the provider said: "${visible(provider)}"`]),
      ...(choice === undefined || tried !== undefined
        ? []
        : [`    or another ${choice.name} than ${choice.option}: ${ALL_CHOICES} tries ${choice.others.join(', ')}`]),
      ...(next === undefined ? [] : [`    ${style.cyan('next')}: ${visible(next)}`]),
    ];
    return [`${mark} ${visible(message)}${holds || code === undefined ? '' : style.dim(` [${code}]`)}`, ...more].join('\n');
  });
  for (const one of tried ?? []) {
    const fared = one.ok ? style.green('works') : `${style.red('does not work')}: ${visible(one.message ?? '')}`;
    lines.push(`  with ${one.choice}=${one.option} it ${fared}`);
  }
  if (account !== undefined) lines.push(`${style.bold('Account')}: ${visible(account)}`);
  lines.push(
    ok
      ? style.green('The credential works.')
      : style.red(tried?.some((one) => one.ok) ? 'The credential does not work here.' : 'The credential does not work.'),
  );
  return `${lines.join('\n')}\n`;
}
