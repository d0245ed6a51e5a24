import type { Finding } from '../core/finding.ts';
import { readSource } from '../spec/source.ts';
import type { SpecNode } from '../spec/tree.ts';
import type { RawValue } from './field-value.ts';
import type { InputSource } from './inputs.ts';

/**
 * A YAML or JSON file of inputs: one mapping from fields and choices to values. Scalars are taken as written (`007`, `1.10`, and ids of any
 * length stay what they are), null counts as not given. Findings never show the file's text: it may hold secrets.
 */
export function readInputFile(input: string | Uint8Array, file: string): { source: InputSource; findings: Finding[] } {
  const { tree, findings } = readSource(input, file);
  const values: Record<string, RawValue | null> = Object.create(null);
  const problems: Finding[] = findings.map((one) => ({
    // What the parser says may quote the line that it stumbled on.
    rule: 'input_malformed',
    severity: 'error',
    message: one.rule === 'file-unreadable' ? one.message : 'The file of inputs is not a plain YAML or JSON mapping here.',
    hint: 'Write one `field: value` a line; put quotes around values with : # or quotes in them.',
    file,
    path: [],
    start: one.start,
    end: one.end,
  }));
  if (tree?.root.kind === 'map') {
    for (const [name, entry] of tree.root.entries) {
      const value = given(entry.value);
      if (value !== undefined) values[name] = value;
      else {
        problems.push({
          rule: 'input_malformed',
          severity: 'error',
          message: 'A value in the file of inputs is a mapping.',
          hint: 'Give one text, or a list of texts.',
          file,
          path: [name],
          ...tree.range([name]),
        });
      }
    }
  }
  return { source: { name: file, values, ...(tree && { place: (name, part) => tree.range([name], part) }) }, findings: problems };
}

/** Undefined for what no field can hold. */
function given(node: SpecNode): RawValue | null | undefined {
  if (node.kind === 'scalar') return node.value === null || typeof node.value === 'string' ? node.value : node.text;
  if (node.kind === 'map') return undefined;
  const items = node.items.map(given);
  return items.every((item): item is string => typeof item === 'string') ? items : undefined;
}
