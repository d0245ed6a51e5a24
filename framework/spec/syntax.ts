import type { CST } from 'yaml';

/** What is known of a YAML error: its code (yaml's own list), its range and its message. */
export interface SyntaxError {
  code: string;
  pos: [number, number];
  message: string;
}

type Report = (rule: string, message: string, from: number, to: number, hint?: string) => void;

const RULE = 'yaml-syntax';

/**
 * Turns the first YAML error into one finding in plain words, placed where the mistake was made rather than where the
 * parser gave up. One error only: those that follow are nearly always its echo. Gives the range of a `${…}` that must be
 * quoted: a text with other characters there shows the next mistake.
 */
export function diagnose(
  text: string,
  tokens: readonly CST.Token[],
  errors: readonly SyntaxError[],
  report: Report,
): [number, number] | undefined {
  const error = errors.reduce((first, next) => (next.pos[0] < first.pos[0] ? next : first));
  const suspects = survey(text, tokens);
  const expression = suspects.expressions.find((at) => at <= error.pos[1]);
  if (expression !== undefined) {
    const end = closingBrace(text, expression);
    report(RULE, '`${…}` inside `{ }` or `[ ]` must be quoted.', expression, end, `Write "${text.slice(expression, end)}".`);
    return [expression, end];
  }
  const opened = suspects.unclosed.find(({ at }) => at <= error.pos[1]);
  if (opened !== undefined) {
    report(RULE, `This \`${opened.mark}\` is never closed.`, opened.at, opened.at + 1, `Close it with \`${opened.closer}\`.`);
    return undefined;
  }
  const quote = suspects.quotes.find(({ end }) => end <= error.pos[0] && text.slice(end, error.pos[0]).trim() === '');
  if (quote === undefined || error.message.startsWith('Missing ,')) plainError(text, error, report);
  else afterQuote(text, quote, error, report);
  return undefined;
}

interface Quoted {
  at: number;
  end: number;
}

interface Survey {
  expressions: number[];
  unclosed: { at: number; mark: string; closer: string }[];
  quotes: Quoted[];
}

/** Walks the tokens once for what can go wrong with brackets and quotes. */
function survey(text: string, tokens: readonly CST.Token[]): Survey {
  const found: Survey = { expressions: [], unclosed: [], quotes: [] };
  const queue: unknown[] = [...tokens];
  for (let at = 0; at < queue.length; at++) {
    const token = queue[at];
    if (typeof token !== 'object' || token === null) continue;
    inspect(text, token as CST.Token, found);
    for (const part of Object.values(token)) if (typeof part === 'object') queue.push(...(Array.isArray(part) ? part : [part]));
  }
  found.expressions.sort((a, b) => a - b);
  // The innermost that is open is the one to close.
  found.unclosed.sort((a, b) => b.at - a.at);
  return found;
}

const CLOSERS: Record<string, string> = { '{': '}', '[': ']', '"': '"', "'": "'" };

function inspect(text: string, token: CST.Token, found: Survey): void {
  if (token.type === 'flow-collection') {
    const mark = token.start.source;
    const closer = CLOSERS[mark] ?? ']';
    if (!token.end.some((end) => end.source === closer)) found.unclosed.push({ at: token.offset, mark, closer });
  } else if (token.type === 'double-quoted-scalar' || token.type === 'single-quoted-scalar') {
    const mark = token.source[0] as string;
    if (token.source.length < 2 || !token.source.endsWith(mark)) found.unclosed.push({ at: token.offset, mark, closer: mark });
    else found.quotes.push({ at: token.offset, end: token.offset + token.source.length });
  } else if (token.type === 'scalar' && token.source.endsWith('$') && text[token.offset + token.source.length] === '{') {
    found.expressions.push(token.offset);
  }
}

/** The end of the unquoted text that holds the `${…}` at or behind `from`, on its line. */
function closingBrace(text: string, from: number): number {
  const line = lineEnd(text, from);
  const brace = text.indexOf('}', text.indexOf('{', from));
  if (brace === -1 || brace > line) return line;
  // `https://${a}.acme.com/${b}`: one text with two of them.
  const end = brace + 1 + (/^[^\s,}\]$]*/.exec(text.slice(brace + 1, line))?.[0].length ?? 0);
  return text.startsWith('${', end) ? closingBrace(text, end) : end;
}

function afterQuote(text: string, quote: Quoted, error: SyntaxError, report: Report): void {
  const mark = text[quote.at] as string;
  if (text.slice(quote.at, quote.end).includes('\n')) {
    report(RULE, `This \`${mark}\` is not closed on its line.`, quote.at, quote.at + 1, `Close it with \`${mark}\`.`);
    return;
  }
  // The next line is taken for more of the value when a tab makes it look deeper.
  const tab = /^[ \t]*\r?\n *(?=\t)/.exec(text.slice(quote.end))?.[0].length;
  if (tab !== undefined) {
    tabbed(quote.end + tab, report);
    return;
  }
  const doubled = mark === "'" ? "Inside '…' write '' for one '." : 'Inside "…" write \\" for one ", or put the whole in \'…\'.';
  report(RULE, 'The quoted text ends here, but more follows.', quote.end - 1, error.pos[1], doubled);
}

const tabbed = (at: number, report: Report): void =>
  report(RULE, 'A tab stands where the line is indented.', at, at + 1, 'Indent with spaces.');

/** Errors that need no look at the text, in our words. */
const HINTS: readonly { message: string; words: string; hint: string }[] = [
  {
    message: 'Block collections are not allowed within flow',
    words: 'A second `: ` in one entry of `{ }` or `[ ]`.',
    hint: 'Quote the value, or put a comma between two entries.',
  },
  {
    message: 'block-seq-ind on same line',
    words: 'A list begins on the line of its key.',
    hint: 'Write `key: [a, b]`, or each `- a` on a line of its own below.',
  },
  {
    message: 'Missing , ',
    words: 'A comma is missing between two entries.',
    hint: 'Put `,` between them, or quote a value that holds `{ } [ ] ,`.',
  },
  {
    message: 'Invalid escape',
    words: 'In "…" a \\ begins an escape, and this is none.',
    hint: "Use '…', where \\ is a plain character, or write \\\\.",
  },
];

function plainError(text: string, error: SyntaxError, report: Report): void {
  const [from, to] = error.pos;
  const line = text.slice(lineStart(text, from), lineEnd(text, from));
  if (error.code === 'TAB_AS_INDENT') {
    const tab = text.lastIndexOf('\t', Math.max(from, text[from] === '\t' ? from : from - 1));
    const at = tab >= lineStart(text, from) ? tab : from;
    tabbed(at, report);
    return;
  }
  const known = HINTS.find(({ message }) => error.message.includes(message));
  if (known !== undefined) {
    report(RULE, known.words, from, Math.min(to, lineEnd(text, from)), known.hint);
    return;
  }
  if (error.code === 'BLOCK_AS_IMPLICIT_KEY') {
    nested(text, from, line, report);
    return;
  }
  if (error.code === 'MULTILINE_IMPLICIT_KEY' || error.code === 'MISSING_CHAR') {
    if (keyWithoutValue(text, from, report)) return;
  }
  if (error.code === 'BAD_SCALAR_START') {
    const mark = text[from] ?? '';
    const path = mark === '@' ? ' As a path: \'["@…"]\'.' : '';
    report(RULE, `A value can't begin with \`${mark}\`.`, from, to, `Quote it.${path}`);
    return;
  }
  if (error.code === 'BAD_INDENT') {
    const at = from + (/^\s*/.exec(text.slice(from))?.[0].length ?? 0);
    report(
      RULE,
      'This line is indented unlike its neighbours.',
      at,
      lineEnd(text, at),
      'Give all keys of one mapping the same indentation.',
    );
    return;
  }
  const [first = error.message] = error.message.split('\n');
  report(RULE, `This is not YAML: ${first[0]?.toLowerCase()}${first.slice(1)}.`, from, to);
}

/** `help: a: b`, `a: ${x ? 1 : 2}`, or a line indented deeper than the value above it. */
function nested(text: string, from: number, line: string, report: Report): void {
  const end = lineEnd(text, from);
  const value = text.slice(from, end).replace(/\s+#.*$/, '');
  const here = lineStart(text, from);
  const colon = value.search(/:(\s|$)/);
  if (colon === -1 && /^\s*[^\s#]/.test(text.slice(end + 1))) {
    const next = end + 1 + (/^\s*/.exec(text.slice(end + 1))?.[0].length ?? 0);
    report(
      RULE,
      'This line is indented as if it belonged to the value above.',
      next,
      lineEnd(text, next),
      'Indent it like the key above, or give that key a mapping.',
    );
    return;
  }
  if (value.includes('${')) {
    report(RULE, '`: ` inside an unquoted `${…}` ends the text there.', from, from + value.length, `Quote it: '${value}'.`);
    return;
  }
  const key = line.slice(0, from - here).trim();
  report(RULE, `\`${key} …\` holds a second \`: \`.`, from, from + value.length, `If it is text, quote it: "${value}".`);
}

/** A line with a key and no `: `: `a:1`, or a word alone. */
function keyWithoutValue(text: string, from: number, report: Report): boolean {
  const line = text
    .slice(from, lineEnd(text, from))
    .replace(/\s+#.*$/, '')
    .trimEnd();
  const unspaced = /^([A-Za-z_][\w-]*):(\S.*)$/.exec(line);
  if (unspaced !== null) {
    const at = from + (unspaced[1] as string).length;
    report(RULE, `A space is missing after \`${unspaced[1]}:\`.`, at, at + 1, `Write \`${unspaced[1]}: ${unspaced[2]}\`.`);
    return true;
  }
  if (line === '' || /:(\s|$)/.test(line)) return false;
  report(
    RULE,
    `\`${line}\` is no \`key: value\`.`,
    from,
    from + line.length,
    'A `: ` is missing, or the line belongs to the value above and must be indented.',
  );
  return true;
}

const lineStart = (text: string, at: number): number => text.lastIndexOf('\n', at - 1) + 1;

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  const stop = end === -1 ? text.length : end;
  return text[stop - 1] === '\r' && stop > at ? stop - 1 : stop;
}
