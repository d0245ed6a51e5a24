import { existsSync, readFileSync } from 'node:fs';

/** A file of the repository that a page's table names, and what is named in it: a definition, or the title of a test. */
export interface Reference {
  file: string;
  linked: string;
  named: string | undefined;
}

/** The references of a cell, one a line: [`file`](../file) `definition`, or “title of a test”. */
export const references = (cell: string): Reference[] =>
  cell
    .split('<br>')
    .filter((one) => one.trim() !== '')
    .map((one) => {
      const [, file = '', linked = '', rest = ''] = /^\s*\[`([^`]+)`\]\(\.\.\/([^)]+)\)(.*)$/.exec(one) ?? [];
      const named = /^\s*(?:`([^`]+)`|“([^”]+)”)\s*$/.exec(rest);
      return { file, linked, named: named?.[1] ?? named?.[2] };
    });

export const textOf = (file: string): string => readFileSync(file, 'utf8');

/** Those that lead nowhere, or elsewhere than they say. */
export const broken = (all: readonly Reference[]): Reference[] =>
  all.filter(({ file, linked }) => file === '' || file !== linked || !existsSync(file));

/** Whether a test file has a test of that title. */
export const hasTest = ({ file, named }: Reference): boolean =>
  named !== undefined && ["'", '"', '`'].some((quote) => textOf(file).includes(quote + named + quote));

/** Whether a file of code defines a function, method, constant, class or interface of that name. */
export const defines = (file: string, name: string): boolean =>
  new RegExp(`^\\s*(export )?(async )?((function|const|class|interface) ${name}\\b|${name}\\()`, 'm').test(textOf(file));
