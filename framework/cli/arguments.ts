import { parseArgs } from 'node:util';
import { FerruleError } from '../core/errors.ts';
import { suggest } from '../core/suggest.ts';
import { type CommandInfo, GLOBAL_OPTIONS, type OptionInfo } from './commands.ts';

/** A parsed command line. Names are those of the command's table; asking for any other is a bug. */
export class Arguments {
  readonly #known: Readonly<Record<string, OptionInfo>>;
  readonly #values: ReadonlyMap<string, readonly (string | true)[]>;
  /** Everything that is no option, in order. */
  readonly positionals: readonly string[];

  constructor(
    known: Readonly<Record<string, OptionInfo>>,
    values: ReadonlyMap<string, readonly (string | true)[]>,
    positionals: readonly string[],
  ) {
    this.#known = known;
    this.#values = values;
    this.positionals = positionals;
  }

  #of(name: string): readonly (string | true)[] {
    if (this.#known[name] === undefined) throw new FerruleError('internal', `option --${name} is not in the command's table`);
    return this.#values.get(name) ?? [];
  }

  flag(name: string): boolean {
    return this.#of(name).length > 0;
  }

  /** The last one given. */
  text(name: string): string | undefined {
    const value = this.#of(name).at(-1);
    return value === true ? undefined : value;
  }

  texts(name: string): string[] {
    return this.#of(name).filter((value) => value !== true);
  }

  /** A whole number of at least `least`. */
  count(name: string, least = 0): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
      throw new FerruleError('usage', `--${name} wants a whole number of at least ${least}, not "${text}"`);
    }
    return value;
  }

  /** `k=v`, repeatable, as a map. */
  pairs(name: string): Record<string, string> {
    const result: Record<string, string> = {};
    for (const text of this.texts(name)) {
      const at = text.indexOf('=');
      // The text is not repeated: it may be a secret.
      if (at < 1) throw new FerruleError('usage', `--${name} wants name=value`);
      result[text.slice(0, at)] = text.slice(at + 1);
    }
    return result;
  }
}

/**
 * Parses what follows the command's name.
 * @throws FerruleError usage: unknown option (with the nearest known one), missing value, too few or too many arguments
 */
export function parseArguments(command: CommandInfo, argv: readonly string[]): Arguments {
  const known: Readonly<Record<string, OptionInfo>> = { ...command.options, ...GLOBAL_OPTIONS };
  const { tokens } = parseArgs({
    args: [...argv],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(
      Object.entries(known).map(([name, { value, short }]) => [
        name,
        { type: value === undefined ? ('boolean' as const) : ('string' as const), multiple: true, ...(short !== undefined && { short }) },
      ]),
    ),
  });
  const values = new Map<string, (string | true)[]>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const value = optionValue(command, known, token);
    values.set(token.name, [...(values.get(token.name) ?? []), value]);
  }
  const parsed = new Arguments(known, values, positionals);
  if (!parsed.flag('help')) checkPositionals(command, positionals);
  return parsed;
}

interface OptionToken {
  name: string;
  rawName: string;
  value?: string | undefined;
  inlineValue?: boolean | undefined;
}

function optionValue(command: CommandInfo, known: Readonly<Record<string, OptionInfo>>, token: OptionToken): string | true {
  const info = Object.hasOwn(known, token.name) ? known[token.name] : undefined;
  if (info === undefined) {
    const meant = suggest(token.name, Object.keys(known));
    throw usage(command, `${command.name} has no option ${token.rawName}`, meant === undefined ? undefined : `Did you mean --${meant}?`);
  }
  if (info.value === undefined) {
    if (token.value !== undefined) throw usage(command, `--${token.name} takes no value`);
    return true;
  }
  // `--out --json` is a forgotten value; `--out -` and `--data=--x` are not.
  if (token.value === undefined || (token.inlineValue === false && token.value.startsWith('--'))) {
    throw usage(command, `--${token.name} wants a value: --${token.name} ${info.value}`);
  }
  if (info.values !== undefined && !info.values.includes(token.value)) {
    const meant = suggest(token.value, info.values);
    const hint = `It takes ${info.values.join(', ')}.`;
    throw usage(command, `--${token.name} does not take "${token.value}"`, meant === undefined ? hint : `Did you mean ${meant}? ${hint}`);
  }
  return token.value;
}

function checkPositionals(command: CommandInfo, positionals: readonly string[]): void {
  const missing = command.args.filter((arg) => arg.required === true)[positionals.length];
  if (missing !== undefined) throw usage(command, `${command.name} wants ${missing.name.toUpperCase()}: ${missing.help}`);
  const most = command.args.some((arg) => arg.many === true) ? Number.POSITIVE_INFINITY : command.args.length;
  const extra = positionals[most];
  if (extra !== undefined) throw usage(command, `${command.name} takes no further argument "${extra}"`);
}

const usage = (command: CommandInfo, message: string, next = ''): FerruleError =>
  new FerruleError('usage', message, { next: `${next} See \`ferrule ${command.name} --help\`.`.trimStart() });
