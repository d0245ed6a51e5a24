import type { CheckReport } from '../engine/check.ts';
import type { Style } from './style.ts';
import { visible } from './style.ts';

/** The ladder of a check: what holds, what does not, which field to correct, the provider's own words. */
export function checkText({ ok, account, steps, code }: CheckReport, style: Style): string {
  const lines = steps.map(({ ok: holds, message, field, provider, next }) => {
    const mark = holds ? style.green('✓') : style.red('✗');
    const more = [
      ...(field === undefined ? [] : [`    field: ${field}`]),
      ...(provider === undefined || message.includes(provider) ? [] : [`    the provider said: "${visible(provider)}"`]),
      ...(next === undefined ? [] : [`    ${style.cyan('next')}: ${visible(next)}`]),
    ];
    return [`${mark} ${visible(message)}${holds || code === undefined ? '' : style.dim(` [${code}]`)}`, ...more].join('\n');
  });
  if (account !== undefined) lines.push(`${style.bold('Account')}: ${visible(account)}`);
  lines.push(ok ? style.green('The credential works.') : style.red('The credential does not work.'));
  return `${lines.join('\n')}\n`;
}
