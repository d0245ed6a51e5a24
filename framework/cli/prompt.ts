import { createInterface } from 'node:readline';
import { FerruleError } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';
import { type Io, print } from './io.ts';

/** Whether somebody is there to answer. */
export const canAsk = (io: Io): boolean => io.stdin.isTTY === true && io.stderr.isTTY === true;

/** One line from the terminal; Enter alone gives ''. Questions stand on standard error, so that data can be piped. */
export async function ask(io: Io, question: string): Promise<string> {
  const reader = createInterface({ input: io.stdin, output: io.stderr, terminal: io.stdin.isTTY === true });
  try {
    return await new Promise<string>((resolve, reject) => {
      reader.question(question, { signal: io.signal }, resolve);
      reader.once('close', () => reject(new FerruleError('aborted', 'No answer was given')));
      // In raw mode Ctrl-C reaches the reader, not the process.
      reader.once('SIGINT', () => reject(interrupted(io)));
      io.signal.addEventListener('abort', () => reject(io.signal.reason), { once: true });
    });
  } finally {
    reader.close();
  }
}

const interrupted = (io: Io): unknown => {
  process.emit('SIGINT');
  return io.signal.aborted ? io.signal.reason : new FerruleError('aborted', 'Stopped by Ctrl-C');
};

const END = new Set(['\r', '\n', '\u0004']);
const CTRL_C = '\u0003';
const ERASE = new Set(['\u007f', '\b']);
const ERASE_LINE = '\u0015';

/** A secret: nothing of it is shown, not even how long it is. Pasted text of several lines ends at the first. */
export async function askSecret(io: Io, question: string): Promise<Secret> {
  await print(io.stderr, question);
  const { stdin } = io;
  stdin.setRawMode?.(true);
  stdin.setEncoding('utf8');
  try {
    return await new Promise<Secret>((resolve, reject) => {
      let text = '';
      const done = (result: () => void): void => {
        stdin.off('data', onData);
        stdin.off('end', onEnd);
        stdin.pause();
        result();
      };
      const onEnd = (): void => done(() => reject(new FerruleError('aborted', 'No answer was given')));
      const onData = (chunk: string): void => {
        for (const character of chunk) {
          if (character === CTRL_C || END.has(character)) {
            done(() => (character === CTRL_C ? reject(interrupted(io)) : resolve(new Secret(text))));
            return;
          }
          if (ERASE.has(character)) text = [...text].slice(0, -1).join('');
          else if (character === ERASE_LINE) text = '';
          else if (character >= ' ') text += character;
        }
      };
      stdin.on('data', onData);
      stdin.on('end', onEnd);
      stdin.resume();
    });
  } finally {
    stdin.setRawMode?.(false);
    await print(io.stderr, '\n');
  }
}

export interface Choice {
  value: string;
  label: string;
}

/** A list that is longer is not shown whole: part of a name finds what is meant. */
const MOST_SHOWN = 20;

/**
 * A numbered list; the answer is a number, the value itself, or a part of what is listed, which lists only what has it.
 * Enter takes the preset, if there is one; of an `optional` choice it takes none: ''.
 */
export async function choose(io: Io, question: string, choices: readonly Choice[], preset?: string, optional = false): Promise<string> {
  await print(io.stderr, `${question}\n`);
  await list(io, choices, choices, preset);
  const long = choices.length > MOST_SHOWN;
  const ending = preset !== undefined ? ' (Enter for the default): ' : optional ? ' (Enter to leave out): ' : ': ';
  for (;;) {
    const answer = (await ask(io, `${long ? 'Number, or part of a name' : 'Number'}${ending}`)).trim();
    if (answer === '' && (preset !== undefined || optional)) return preset ?? '';
    const byValue = choices.find(({ value }) => value === answer);
    const chosen = byValue ?? (/^\d+$/.test(answer) ? choices[Number(answer) - 1] : undefined);
    if (chosen !== undefined) return chosen.value;
    const part = answer.toLowerCase();
    const found = answer === '' ? [] : choices.filter(({ value, label }) => `${label}\n${value}`.toLowerCase().includes(part));
    if (found.length === 0) await print(io.stderr, `Type a number from 1 to ${choices.length}${long ? ', or part of a name' : ''}.\n`);
    else await list(io, found, choices, preset);
  }
}

/** Each keeps its number in the whole list. */
async function list(io: Io, some: readonly Choice[], all: readonly Choice[], preset: string | undefined): Promise<void> {
  const width = String(all.length).length;
  for (const one of some.slice(0, MOST_SHOWN)) {
    const { value, label } = one;
    const mark = value === preset ? ' (default)' : '';
    const number = String(all.indexOf(one) + 1).padStart(width);
    await print(io.stderr, `  ${number}  ${label}${label === value ? '' : `  ${value}`}${mark}\n`);
  }
  if (some.length > MOST_SHOWN) await print(io.stderr, `  … and ${some.length - MOST_SHOWN} more\n`);
}
