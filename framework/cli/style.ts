import type { Io, Output } from './io.ts';

/** Colours for one output: functions that return their text unchanged where colours are not wanted. */
export interface Style {
  color: boolean;
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

/** On a terminal, and only without NO_COLOR (no-color.org: set and not empty) and with a TERM that is not "dumb". */
export function styleOf(output: Output, env: Io['env']): Style {
  const color = output.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
  const paint = (on: number, off: number) => (text: string) => (color && text !== '' ? `\u001b[${on}m${text}\u001b[${off}m` : text);
  return {
    color,
    bold: paint(1, 22),
    dim: paint(2, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
    cyan: paint(36, 39),
  };
}

/** Control characters from specs, providers and file names must not drive the terminal. */
export const visible = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
