import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FerruleError } from '../core/errors.ts';
import type { Finding } from '../core/finding.ts';
import { suggest } from '../core/suggest.ts';

export interface CatalogueEntry {
  name: string;
  /** The file, under the folder as it was given. */
  path: string;
}

/** The folder of the connectors that come with Ferrule: the same place seen from the sources and from dist/. */
export const BUNDLED_FOLDER = fileURLToPath(new URL('../../connectors', import.meta.url));

/** Those connectors. `new Catalogue([ownFolder, BUNDLED_FOLDER])` puts a team's own beside them or in their place. */
export const bundledCatalogue = (): Catalogue => new Catalogue([BUNDLED_FOLDER]);

const NAME = /^[a-z0-9-]+$/;
const START = { line: 1, column: 1, offset: 0 };

/**
 * Connectors of several folders, each one file `<name>.yaml`. The first folder that has a name wins, so that a team's
 * own specs can stand beside ours or in their place.
 */
export class Catalogue {
  readonly folders: readonly string[];

  constructor(folders: readonly string[]) {
    this.folders = [...folders];
  }

  /**
   * Where the connector of that name is. Looks for the file itself: the cost does not depend on how many there are.
   * @throws FerruleError connector_unknown
   */
  async find(name: string): Promise<CatalogueEntry> {
    if (NAME.test(name)) {
      for (const folder of this.folders) {
        const path = join(folder, `${name}.yaml`);
        if (await isFile(path)) return { name, path };
      }
    }
    throw await this.#unknown(name);
  }

  /** Every connector by name, in order; a name in two folders comes once, with a finding at the file that is hidden. */
  async list(): Promise<{ entries: CatalogueEntry[]; findings: Finding[] }> {
    const byName = new Map<string, CatalogueEntry>();
    const findings: Finding[] = [];
    for (const folder of this.folders) {
      for (const name of await namesIn(folder)) {
        const path = join(folder, `${name}.yaml`);
        const first = byName.get(name);
        if (first === undefined) byName.set(name, { name, path });
        else if (first.path !== path) findings.push(taken(name, first.path, path));
      }
    }
    return { entries: [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1)), findings };
  }

  async #unknown(name: string): Promise<FerruleError> {
    const { entries } = await this.list();
    const names = entries.map((entry) => entry.name);
    const meant = suggest(name, names);
    const next = meant !== undefined ? `Did you mean "${meant}"?` : names.length <= 12 ? `There are: ${names.join(', ')}.` : undefined;
    return new FerruleError('connector_unknown', `there is no connector "${name}"`, { where: name, ...(next !== undefined && { next }) });
  }
}

function taken(name: string, first: string, path: string): Finding {
  return {
    rule: 'name-taken',
    severity: 'warning',
    message: `\`${name}\` is taken by ${first}: this file is never loaded by name.`,
    file: path,
    path: ['name'],
    start: START,
    end: START,
    hint: 'Rename it, or change the order of the folders.',
  };
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (isMissing(error)) return false;
    throw unreadable(path, error);
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const names: string[] = [];
    for (const entry of entries) {
      const name = entry.name.endsWith('.yaml') ? entry.name.slice(0, -5) : '';
      // A pipe would never end, and a link may lead to one, or nowhere.
      if (NAME.test(name) && (entry.isFile() || (entry.isSymbolicLink() && (await isFile(join(folder, entry.name)))))) names.push(name);
    }
    return names.sort();
  } catch (error) {
    // A folder that is not there has no connectors; one that may not be read is an error.
    if (isMissing(error)) return [];
    throw unreadable(folder, error);
  }
}

const isMissing = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '');

const unreadable = (path: string, cause: unknown): FerruleError =>
  new FerruleError('spec_unreadable', `${path} cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unreadable'})`, {
    where: path,
    cause,
  });
