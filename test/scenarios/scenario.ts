/**
 * A scenario file: command lines with what they must print.
 *
 *   # a comment
 *   $ ferrule list --category none       the command line, quoted as in a shell
 *   < text                               standard input
 *   > text                               standard output
 *   ! text                               standard error
 *   = 2                                  exit code; left out: 0
 *
 * A line that is only `…` stands for any lines, `…` within a line for any characters. Without `>` (or `!`) lines nothing may be
 * printed there. `{name}` is replaced by a variable of the run: {sandbox}, {folder}, {secret}.
 */
export interface Scenario {
  /** 1-based line of the command. */
  line: number;
  argv: string[];
  command: string;
  stdin: string | undefined;
  stdout: string[];
  stderr: string[];
  exitCode: number;
}

export function parseScenarios(text: string, variables: Readonly<Record<string, string>> = {}): Scenario[] {
  const scenarios: Scenario[] = [];
  const filled = text.replace(/\{([a-z]+)\}/g, (whole, name: string) => variables[name] ?? whole);
  for (const [position, line] of filled.split('\n').entries()) {
    const [mark, rest] = [line.slice(0, 1), line.slice(2)];
    const current = scenarios.at(-1);
    if (mark === '' || mark === '#') continue;
    if (mark === '$') {
      const argv = words(rest);
      if (argv.shift() !== 'ferrule') throw new Error(`line ${position + 1}: a command begins with ferrule`);
      scenarios.push({ line: position + 1, argv, command: rest, stdin: undefined, stdout: [], stderr: [], exitCode: 0 });
    } else if (current === undefined) throw new Error(`line ${position + 1}: no command yet`);
    else if (mark === '<') current.stdin = `${current.stdin ?? ''}${rest}\n`;
    else if (mark === '>') current.stdout.push(rest);
    else if (mark === '!') current.stderr.push(rest);
    else if (mark === '=') current.exitCode = Number(rest);
    else throw new Error(`line ${position + 1}: unknown mark ${mark}`);
  }
  return scenarios;
}

/** Words as a shell splits them: '…' is taken literally, in "…" a backslash escapes. */
function words(text: string): string[] {
  const found: string[] = [];
  for (const match of text.matchAll(/(?:'[^']*'|"(?:\\.|[^"\\])*"|[^\s'"])+/g)) {
    found.push(
      match[0].replace(
        /'([^']*)'|"((?:\\.|[^"\\])*)"/g,
        (_, single?: string, double?: string) => single ?? (double ?? '').replace(/\\(.)/g, '$1'),
      ),
    );
  }
  return found;
}

/** Undefined when the text is what the lines expect, else what differs. */
export function difference(expected: readonly string[], printed: string): string | undefined {
  const actual = printed === '' || printed.endsWith('\n') ? printed : `${printed}\n`;
  const pattern = expected
    .map((line) => (line.trim() === '…' ? '(?:.*\\n)*?' : `${line.trimEnd().split('…').map(escaped).join('.*')}[ \\t]*\\n`))
    .join('');
  if (new RegExp(`^${pattern}$`).test(actual)) return undefined;
  return `expected:\n${expected.map((line) => `  ${line}\n`).join('')}got:\n${actual.replace(/^/gm, '  ')}`;
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
