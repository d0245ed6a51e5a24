import { cell, code, GENERATED, markdownTable, prose } from '../docs/markdown.ts';
import { COMMANDS, type CommandInfo, GLOBAL_OPTIONS, type OptionInfo } from './commands.ts';
import { optionLabel, usageLine } from './help.ts';

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
  ].join('\n');
}

function commandSection(command: CommandInfo): string {
  const options = Object.entries({ ...command.options, ...GLOBAL_OPTIONS }).map(([name, info]) => [
    code(optionLabel(name, info)),
    optionText(info),
  ]);
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
    markdownTable(['Option', ''], options),
    `\`\`\`sh\n${examples}\`\`\`\n`,
  ].join('\n');
}

function optionText({ help, values, many }: OptionInfo): string {
  const listed = values === undefined ? '' : ` One of ${values.map(code).join(', ')}.`;
  return cell(help) + listed + (many && !/repeatable/.test(help) ? ' Repeatable.' : '');
}
