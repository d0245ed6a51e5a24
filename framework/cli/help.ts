import { COMMANDS, type CommandInfo, GLOBAL_OPTIONS, type OptionInfo } from './commands.ts';
import { type Output, print } from './io.ts';
import type { Style } from './style.ts';
import { paragraph, table, widthOf } from './table.ts';

/** `ferrule connect <connector> [options]`: the line that says how a command is called. */
export function usageLine(command: CommandInfo): string {
  const args = command.args.map(({ name, required, many }) => {
    const word = many ? `${name}…` : name;
    return required ? `<${word}>` : `[${word}]`;
  });
  return ['ferrule', command.name, ...args, '[options]'].join(' ');
}

/** `--out FOLDER`, `--include, -i`. */
export const optionLabel = (name: string, { value, short }: OptionInfo): string =>
  `--${name}${short === undefined ? '' : `, -${short}`}${value === undefined ? '' : ` ${value}`}`;

export async function printHelp(output: Output, style: Style): Promise<void> {
  const width = widthOf(output);
  const rows = COMMANDS.map(({ name, summary }) => [style.bold(name), summary]);
  await print(
    output,
    [
      paragraph('One YAML file describes a provider; Ferrule makes it an authenticated HTTP client, and that client records.', output),
      '\n',
      'Usage: ferrule <command> [options]\n',
      '\n',
      table(['', ''], rows, { indent: '  ', ...(width !== undefined && { width }) }),
      '\n',
      paragraph('ferrule <command> --help says more about each. ferrule --version prints the version.', output),
      paragraph('Exit codes: 0 fine, 1 findings or a failed check or read, 2 wrong usage or input/output, 130 Ctrl-C.', output),
    ].join(''),
  );
}

/** Groups of options, in the order of help and of the reference page. */
export const HEADINGS: readonly (readonly [OptionInfo['group'], string])[] = [
  [undefined, 'Options'],
  ['catalogue', 'Where specs and credentials are'],
  ['network', 'Network'],
  ['retry', 'Retries and limits'],
  ['log', 'Log'],
];

export async function printCommandHelp(command: CommandInfo, output: Output, style: Style): Promise<void> {
  const width = widthOf(output);
  const options = { indent: '  ', ...(width !== undefined && { width }) };
  const parts = [`${command.summary}.\n`, `\nUsage: ${usageLine(command)}\n`];
  if (command.about !== undefined) parts.push('\n', paragraph(command.about, output));
  if (command.args.length > 0)
    parts.push(
      '\n',
      table(
        ['', ''],
        command.args.map(({ name, help }) => [style.bold(name), help]),
        options,
      ),
    );
  for (const [group, title] of HEADINGS) {
    const listed = Object.entries({ ...command.options, ...GLOBAL_OPTIONS }).filter(([, info]) => info.group === group);
    if (listed.length === 0) continue;
    const rows = listed.map(([name, info]) => [style.bold(optionLabel(name, info)), optionHelp(info)]);
    parts.push(`\n${title}:\n`, table(['', ''], rows, options));
  }
  parts.push('\nExamples:\n');
  for (const [line, what] of command.examples) parts.push(`  ${style.dim(`# ${what}`)}\n  ${shellLines(line, width)}\n`);
  await print(output, parts.join(''));
}

/** A command that is too long for the terminal goes on behind a backslash, so that it can be copied as it stands. */
const shellLines = (line: string, width = Number.POSITIVE_INFINITY): string =>
  line.length + 2 <= width ? line : line.replaceAll(' --', ' \\\n      --');

const optionHelp = ({ help, values }: OptionInfo): string => (values === undefined ? help : `${help} One of ${values.join(', ')}.`);
