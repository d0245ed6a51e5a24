import type { Explanation } from '../engine/explain.ts';
import type { ExplainedStep, ExplainedToken } from '../engine/explain-token.ts';
import type { Sent } from './explain.ts';
import type { Io } from './io.ts';
import { hanging } from './say.ts';
import type { SpecLine } from './spec-line.ts';
import { styleOf, visible } from './style.ts';
import { table, widthOf } from './table.ts';

/** More of what was signed is cut: a body can be in it. */
const LONGEST_BASE = 2000;

/** An explanation for a person: the request part by part, then what decides about it. */
export function explanationText(explanation: Explanation, sent: Sent | undefined, where: SpecLine, io: Io): string {
  const style = styleOf(io.stdout, io.env);
  const width = widthOf(io.stdout);
  const { request, connector, method, choices, stream, parts, signature, token, limits, hosts } = explanation;
  const head = [
    `${connector}, method ${method}`,
    ...Object.entries(choices).map(([name, option]) => `${name}=${option}`),
    ...(stream ? [`stream ${stream}`] : []),
  ];
  const rows = parts.map(({ part, name, value, at, from }) => [
    style.dim(part),
    name === undefined ? value : `${name}: ${value}`,
    style.cyan(where(at)),
    from.join(', '),
  ]);
  const section = (title: string, lines: readonly string[]): string =>
    lines.length === 0 ? '' : `\n${style.bold(title)}\n${hanging(lines.map((line) => `  ${visible(line)}\n`).join(''), width)}`;
  const below = request.sandbox === undefined ? [] : [`A sandbox stands in for it: ${request.sandbox}`];
  return [
    `${style.bold(visible(`${request.method} ${request.url}`))}\n`,
    hanging(`${[head.join(', '), ...below].join('\n')}\n\n`, width),
    table(['', 'Value', 'Written at', 'Made from'], rows, { heading: style.dim, ...(width !== undefined && { width }) }),
    section('Signature', signatureLines(signature)),
    section('Token', token === undefined ? [] : tokenLines(token)),
    section('Retries', retryLines(explanation, where)),
    section(
      'Limits',
      limits.map(({ requests, per, scope, match, left, wait, at }) => {
        const path = match === undefined ? '' : ` on ${match}`;
        const now = wait > 0 ? `none now, the next in ${span(wait)}` : `${left} left now`;
        return `${requests} requests in ${span(per)} by ${scope}${path}: ${now} (${where(at)})`;
      }),
    ),
    section(
      'The credential may go to',
      hosts.map((one) => `${one.use}: ${one.hosts.join(', ') || 'nowhere'}`),
    ),
    sent === undefined ? '' : section('Sent', sentLines(sent)),
  ].join('');
}

function signatureLines(signature: Explanation['signature']): string[] {
  if (signature === undefined) return [];
  if ('note' in signature) return [signature.note];
  const { algorithm, covers, base } = signature;
  const signed =
    base === undefined
      ? []
      : [
          'what is signed:',
          ...base
            .slice(0, LONGEST_BASE)
            .split('\n')
            .map((line) => `  ${line}`),
        ];
  return [`algorithm: ${algorithm}`, `covers: ${covers.join(', ') || 'nothing of the request'}`, ...signed];
}

function tokenLines({ captures, steps, due, issued, scopes, reconnect, fixed }: ExplainedToken): string[] {
  return [
    ...captures.map(({ name, from, there }) => `${name}: ${there ? from : `not there yet, ${from}`}`),
    ...(issued === undefined ? [] : [`issued ${issued}, as it says itself`]),
    ...steps.map((step) => stepLine(step, due)),
    ...(due.length === 0 ? [] : [`sent before this request: ${due.join(', ')}`]),
    ...(scopes === undefined ? [] : [scopeLine(scopes)]),
    ...(reconnect ? ['The grant has ended: connect again.'] : []),
    ...(fixed ? ['Renewing is switched off.'] : []),
  ];
}

function stepLine({ name, ends, in: left = 0, renews, obtained, age = 0 }: ExplainedStep, due: readonly string[]): string {
  const got = obtained === undefined ? '' : `obtained ${obtained}, ${span(age * 1000)} ago; `;
  if (ends === undefined)
    return `${name}: ${got}${due.includes(name) ? 'asked for before this request' : 'no end is known, a 401 renews it'}`;
  const end = left < 0 ? `ended ${ends}` : `ends ${ends}, in ${span(left * 1000)}`;
  return `${name}: ${got}${end}${renews === undefined ? '' : `; renewed from ${renews}`}`;
}

function scopeLine({ asked, granted, missing }: NonNullable<ExplainedToken['scopes']>): string {
  const got = granted === undefined ? 'what was granted the provider does not say' : `granted: ${granted.join(' ')}`;
  return `scopes asked: ${asked.join(' ')}; ${got}${missing.length === 0 ? '' : `; missing: ${missing.join(' ')}`}`;
}

function retryLines({ retry, request }: Explanation, where: SpecLine): string[] {
  const { times, statuses, repeats, backoff, longest, total, renews, rules, at } = retry;
  return [
    times === 0
      ? `never sent again (${where(at)})`
      : `up to ${times} times on ${statuses.join(', ')}; ${backoff} waits up to ${span(longest)}, ${span(total)} in all (${where(at)})`,
    ...(repeats || times === 0
      ? []
      : [`${request.method} is sent again only when the server asks for it (429, Retry-After) or a rule says so`]),
    renews ? 'a 401 renews the token, and the request is sent once more' : 'a 401 fails at once: there is no token to renew',
    ...rules.map(({ at: place, status, when, kind, then }) => {
      const met = [status?.join(', '), when].filter((part) => part !== undefined).join(' and ');
      const means = [kind, then].filter((part) => part !== undefined).join(', then ');
      return `${met}: ${means || 'as its status says'} (${where(place)})`;
    }),
  ];
}

function sentLines({ status, requests, kind, code, message, next, rule, between }: Sent): string[] {
  const steps = between.map(({ type, wait = 0, reason }) =>
    type === 'renew' ? 'the token was renewed' : `${type === 'retry' ? 'sent again' : 'waited'} after ${span(wait)}: ${reason}`,
  );
  const answer = status === undefined ? 'no answer' : `status ${status}`;
  const sendings = `${requests} ${requests === 1 ? 'request' : 'requests'}`;
  if (kind === 'good') return [...steps, `${answer}, good; ${sendings}`];
  return [
    ...steps,
    `${answer}, classed ${kind} [${code}]${rule === undefined ? '' : ` by ${rule}`}; ${sendings}`,
    `${message}`,
    ...(next === undefined ? [] : [`next: ${next}`]),
  ];
}

/** A span of time, in the largest whole unit that shows it. */
function span(ms: number): string {
  if (ms < 1000) return `${ms} ms`;
  const whole = Math.round(ms / 1000);
  if (whole < 120) return `${whole} s`;
  return whole < 7200 ? `${Math.round(whole / 60)} min` : `${Math.round(whole / 3600)} h`;
}
