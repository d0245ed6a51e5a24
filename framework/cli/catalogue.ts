import { delimiter, isAbsolute, resolve, sep } from 'node:path';
import { FerruleError } from '../core/errors.ts';
import type { SpecDocument } from '../core/spec-types.gen.ts';
import { BUNDLED_FOLDER, Catalogue } from '../spec/catalogue.ts';
import { type Loaded, loadFile } from '../spec/load.ts';
import type { Arguments } from './arguments.ts';
import type { Io } from './io.ts';

/** --catalogue first, then FERRULE_CONNECTORS, then the bundled connectors: a team's own spec wins over ours of the same name. */
export function catalogueFolders(args: Arguments, io: Io): string[] {
  const fromEnvironment = (io.env.FERRULE_CONNECTORS ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...args.texts('catalogue'), ...fromEnvironment].map((folder) => pathOf(io, folder)).concat(BUNDLED_FOLDER);
}

export const openCatalogue = (args: Arguments, io: Io): Catalogue => new Catalogue(catalogueFolders(args, io));

/** A path as the person gave it, seen from the folder in which the command runs. */
export const pathOf = (io: Io, path: string): string => (isAbsolute(path) ? path : resolve(io.cwd, path));

/** `acme` is a name, `./acme`, `specs/acme.yaml` and `acme.yaml` are paths. */
export const isPath = (name: string): boolean => name.includes('/') || name.includes(sep) || /\.ya?ml$/i.test(name);

export interface FoundSpec {
  path: string;
  spec: SpecDocument;
  loaded: Loaded;
}

/**
 * The spec of that name or at that path, valid.
 * @throws FerruleError connector_unknown, spec_unreadable, spec_invalid (with its findings)
 */
export async function findSpec(args: Arguments, io: Io, name: string): Promise<FoundSpec> {
  return await loadSpec(isPath(name) ? pathOf(io, name) : (await openCatalogue(args, io).find(name)).path);
}

async function loadSpec(path: string): Promise<FoundSpec> {
  const loaded = await loadFile(path);
  if (loaded.spec === undefined) {
    const errors = loaded.findings.filter(({ severity }) => severity === 'error');
    throw new FerruleError('spec_invalid', `${path} has ${errors.length} ${errors.length === 1 ? 'error' : 'errors'}`, {
      where: path,
      next: `Run \`ferrule lint ${path}\` and mend each finding.`,
      findings: errors,
    });
  }
  return { path, spec: loaded.spec, loaded };
}

/**
 * Every spec of a catalogue, valid.
 * @throws FerruleError spec_invalid for the first that is not
 */
export async function loadAll(catalogue: Catalogue): Promise<SpecDocument[]> {
  const { entries, findings } = await catalogue.list();
  const problem = findings.find(({ severity }) => severity === 'error');
  if (problem !== undefined) throw new FerruleError('spec_unreadable', problem.message, { where: problem.file, findings: [...findings] });
  const specs: SpecDocument[] = [];
  for (const { path } of entries) specs.push((await loadSpec(path)).spec);
  return specs;
}
