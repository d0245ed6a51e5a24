import { anchor, cell, code, GENERATED, markdownTable, prose } from '../docs/markdown.ts';
import { COMMANDS, type CommandInfo, GLOBAL_OPTIONS, type OptionInfo } from './commands.ts';
import { connectionStringSection } from './connection-string-reference.ts';
import { HEADINGS, optionLabel, usageLine } from './help.ts';

/** docs/cli.md: every command with its arguments, options and examples, from the command table. */
export function cliPage(): string {
  return [
    GENERATED,
    '# The `ferrule` command\n',
    'Data goes to standard output, everything else to standard error. Colours are used on a terminal only, and not with `NO_COLOR`. What `--json` prints fits a schema in `schemas/cli`; an error is then one line of JSON on standard error.\n',
    markdownTable(
      ['Exit code', 'Means'],
      [
        ['0', 'fine'],
        ['1', 'findings, a failed check, a failed read'],
        ['2', 'wrong usage, wrong inputs, input/output'],
        ['130', 'stopped by Ctrl-C; what was read stays, as whole lines'],
      ],
    ),
    markdownTable(
      ['Command', 'Does'],
      COMMANDS.map(({ name, summary }) => [`[${code(name)}](#${name})`, cell(summary)]),
    ),
    ...COMMANDS.map(commandSection),
    sharedSection(),
    connectionStringSection(),
  ].join('\n');
}

function commandSection(command: CommandInfo): string {
  const own = Object.entries({ ...command.options, ...GLOBAL_OPTIONS }).filter(([, { group }]) => group === undefined);
  const shared = HEADINGS.filter(([group]) => group !== undefined && Object.values(command.options).some((info) => info.group === group));
  const examples = command.examples.map(([line, what]) => `# ${what}\n${line}\n`).join('');
  return [
    `## ${command.name}\n`,
    `${command.summary}.\n`,
    `\`\`\`text\n${usageLine(command)}\n\`\`\`\n`,
    ...(command.about === undefined ? [] : [`${prose(command.about)}\n`]),
    ...(command.args.length === 0
      ? []
      : [
          markdownTable(
            ['Argument', ''],
            command.args.map(({ name, help }) => [code(name), cell(help)]),
          ),
        ]),
    optionTable(own),
    ...(shared.length === 0
      ? []
      : [
          `Also, for all commands that have them: ${shared.map(([, title]) => `[${title.toLowerCase()}](#${anchor(title)})`).join(', ')}.\n`,
        ]),
    `\`\`\`sh\n${examples}\`\`\`\n`,
  ].join('\n');
}

const optionTable = (options: readonly (readonly [string, OptionInfo])[]): string =>
  markdownTable(
    ['Option', ''],
    options.map(([name, info]) => [code(optionLabel(name, info)), optionText(info)]),
  );

/** Options that several commands have, told once. */
function sharedSection(): string {
  const all = new Map(COMMANDS.flatMap(({ options }) => Object.entries(options).filter(([, { group }]) => group !== undefined)));
  return HEADINGS.filter(([group]) => group !== undefined)
    .map(([group, title]) => `## ${title}\n\n${optionTable([...all].filter(([, info]) => info.group === group))}`)
    .join('\n');
}

function optionText({ help, values, many }: OptionInfo): string {
  const listed = values === undefined ? '' : ` One of ${values.map(code).join(', ')}.`;
  return cell(help) + listed + (many && !/repeatable/.test(help) ? ' Repeatable.' : '');
}
