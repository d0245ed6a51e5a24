import { ERRORS } from '../core/error-table.ts';
import { cell, code, GENERATED, markdownTable } from './markdown.ts';

const KINDS: Readonly<Record<string, string>> = {
  spec: 'the spec is wrong',
  input: 'what the caller gave, or the machine, is wrong',
  auth: 'the provider does not accept the credential',
  permission: 'the credential may not do this',
  rate_limit: 'the provider asks to wait',
  transient: 'it may work the next time',
  request: 'the provider refuses the request',
  data: 'the answer is not what the spec says',
  internal: 'a bug in Ferrule',
};

/** All error codes with cause and next step, from the one table. */
export function errorPage(): string {
  const used = new Set(Object.values(ERRORS).map(({ kind }) => kind));
  const kinds = Object.entries(KINDS).filter(([kind]) => used.has(kind as keyof typeof KINDS as never));
  const rows = Object.entries(ERRORS).map(([name, { kind, cause, next }]) => [
    `<a id="${name}"></a>${code(name)}`,
    kind,
    cell(cause),
    cell(next),
  ]);
  return [
    GENERATED,
    '# Errors\n',
    'Every error that Ferrule throws is a `FerruleError` with a `code` and a `kind`. A code keeps its meaning; a message may change. An answer that `errors.rules` of a spec classed has the kind of the rule.\n',
    markdownTable(
      ['Kind', 'Means'],
      kinds.map(([kind, means]) => [code(kind), means]),
    ),
    markdownTable(['Code', 'Kind', 'Cause', 'Next step'], rows),
  ].join('\n');
}
