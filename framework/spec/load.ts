import { FerruleError } from '../core/errors.ts';
import type { Finding } from '../core/finding.ts';
import type { SpecDocument } from '../core/spec-types.gen.ts';
import { longForm } from './long-form.ts';
import { readSource } from './source.ts';
import { freeze, readSpecFile } from './spec-file.ts';
import type { SpecTree } from './tree.ts';
import { validate } from './validate.ts';

export interface Loaded {
  file: string;
  /** As written. Absent when the text is no YAML mapping. */
  source?: SpecTree;
  /** In the long form. */
  tree?: SpecTree;
  /** The long form as typed, frozen data: only when there is no finding of severity error. */
  spec?: SpecDocument;
  findings: Finding[];
}

/** Text → tree → long form → validated. Rules come later (lint.ts): they are not needed to run a spec. */
export function loadText(input: string | Uint8Array, file: string): Loaded {
  const { tree: source, findings } = readSource(input, file);
  if (source === undefined) return { file, findings };
  const tree = longForm(source);
  const all = [...findings, ...validate(tree)];
  if (all.some(({ severity }) => severity === 'error')) return { file, source, tree, findings: all };
  const spec = freeze(tree.value) as unknown as SpecDocument;
  return { file, source, tree, spec, findings: all };
}

/** Reads and loads one file. I/O errors throw `spec_unreadable`; what is wrong in the file is a finding. */
export async function loadFile(path: string): Promise<Loaded> {
  return loadText(await readSpecFile(path), path);
}

/** A spec that is ready to run. @throws FerruleError spec_unreadable, or spec_invalid with all its findings */
export async function loadConnector(path: string): Promise<SpecDocument> {
  return loadSpec(await readSpecFile(path), path);
}

/** The same from a text. @throws FerruleError spec_invalid with all its findings */
export function loadSpec(text: string | Uint8Array, path: string): SpecDocument {
  const { spec, findings } = loadText(text, path);
  if (spec !== undefined) return spec;
  const errors = findings.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  const where = first === undefined ? path : `${path}:${first.start.line}:${first.start.column}`;
  const message = `${path} has ${errors.length === 1 ? 'an error' : `${errors.length} errors`}${first === undefined ? '' : `: ${first.message}`}`;
  throw new FerruleError('spec_invalid', message, { where, findings });
}
