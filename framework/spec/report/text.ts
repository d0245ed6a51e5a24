import type { Finding } from '../../core/finding.ts';

export interface TextOptions {
  color?: boolean;
  /** The text of a file that was linted, for the code frame; without it there is no frame. */
  source?: (file: string) => string | undefined;
}

/** The widest line of source that is shown: a finding must stay readable, however long the line. */
const WIDTH = 64;

const COLORS = { error: '\u001b[31m', warning: '\u001b[33m', dim: '\u001b[2m', bold: '\u001b[1m', off: '\u001b[0m' };

/** For people: one block a finding, `file:line:col`, the line with a caret, what to write instead; a count at the end. */
export function textReport(findings: readonly Finding[], options: TextOptions = {}): string {
  const paint = (color: keyof typeof COLORS, text: string): string =>
    options.color === true ? `${COLORS[color]}${text}${COLORS.off}` : text;
  const lines = new Map<string, string[]>();
  const blocks = findings.map((finding) => {
    const { file, start, severity, rule, message, hint } = finding;
    const head = `${paint('bold', `${file}:${start.line}:${start.column}`)} ${paint(severity, severity)} ${paint('dim', rule)}: ${message}`;
    const frame = codeFrame(finding, linesOf(file, lines, options));
    return [head, ...frame.map((line) => paint('dim', line)), ...(hint === undefined ? [] : [`  ${hint}`])].join('\n');
  });
  return [...blocks, ...(findings.length > 0 ? [summary(findings)] : [])].map((block) => `${block}\n`).join('');
}

function linesOf(file: string, cache: Map<string, string[]>, { source }: TextOptions): string[] {
  const known = cache.get(file);
  if (known !== undefined) return known;
  const made = (source?.(file) ?? '').replace(/^\uFEFF/, '').split(/\r?\n/);
  cache.set(file, made);
  return made;
}

/** The line with a caret below. Long lines are cut to a window around the caret. */
function codeFrame({ start, end }: Finding, lines: readonly string[]): string[] {
  const line = lines[start.line - 1];
  if (line === undefined || line.trim() === '') return [];
  const from = start.column - 1;
  const until = end.line === start.line ? Math.max(end.column - 1, from + 1) : Math.max(line.length, from + 1);
  const cut = line.length > WIDTH ? Math.max(0, Math.min(from - 20, line.length - WIDTH)) : indentOf(line);
  const shown = line.slice(cut, cut + WIDTH).replaceAll('\t', ' ');
  const gutter = `${start.line}`;
  const caret = '^'.repeat(Math.max(1, Math.min(until - from, shown.length - (from - cut))));
  return [`  ${gutter} | ${shown}`, `  ${' '.repeat(gutter.length)} | ${' '.repeat(Math.max(0, from - cut))}${caret}`];
}

const indentOf = (line: string): number => line.length - line.trimStart().length;

function summary(findings: readonly Finding[]): string {
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const files = new Set(findings.map(({ file }) => file)).size;
  return `${count(errors, 'error')}, ${count(findings.length - errors, 'warning')} in ${count(files, 'file')}`;
}

const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`;
