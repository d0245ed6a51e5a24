import { FerruleError } from '../core/errors.ts';

/** Which record cannot be written, and why: `what` follows "Record 3 of the batch". No value is shown. */
export const refused = (at: number, column: string, what: string, next?: string): FerruleError =>
  new FerruleError('record_refused', `Record ${at + 1} of the batch ${what}.`, { where: column, ...(next !== undefined && { next }) });

export const unknownColumn = (table: string, column: string, type: string): FerruleError =>
  new FerruleError('output_unreadable', `The table ${table} has a column ${column} of the type ${type}, which Ferrule does not write.`, {
    where: `${table}.${column}`,
    next: 'Rename that column or drop it, so that Ferrule can make its own, or write to another schema or file.',
  });

/** `library` is what needs the packages: "A destination in DuckDB". `packages` with their versions, as npm takes them. */
export const peerMissing = (library: string, packages: readonly string[]): FerruleError =>
  new FerruleError(
    'peer_missing',
    `${library} needs ${packages.length === 1 ? 'a package' : 'packages'} that is not installed: ${packages.join(' ')}.`,
    {
      where: packages[0],
      next: `Run: npm install ${packages.join(' ')}`,
    },
  );

/** For `import()`: the package is not there, rather than broken. */
export const isNotInstalled = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && /MODULE_NOT_FOUND$/.test(String(error.code));
