import { reveal } from '../core/secret.ts';
import type { SpecDocument } from '../core/spec-types.gen.ts';
import { anySelection } from '../docs/describe.ts';
import { type Sandbox, startSandbox } from '../sandbox/index.ts';
import { resolve } from '../spec/resolve.ts';
import type { Arguments } from './arguments.ts';
import { findSpec } from './catalogue.ts';
import type { Run } from './commands.ts';
import { type Io, print } from './io.ts';
import { printJson } from './json-output.ts';
import { styleOf } from './style.ts';
import { table, widthOf } from './table.ts';

export const run: Run = async (args, io) => {
  const { spec } = await findSpec(args, io, args.positionals[0] ?? '');
  const selection = anySelection(spec, {
    ...(args.text('method') !== undefined && { method: args.text('method') as string }),
    choices: args.pairs('choice'),
  });
  const port = args.count('port', 1);
  const records = args.count('records', 1);
  // A wrong method or choice is told before anything listens.
  resolve(spec, selection);
  const sandbox = await startSandbox(spec, {
    ...selection,
    clock: io.clock,
    ...(port !== undefined && { port }),
    ...(records !== undefined && { records }),
  });
  try {
    if (args.flag('json')) {
      const { origin, addresses, inputs, expected } = sandbox;
      await printJson(io, { connector: spec.name, origin, addresses, inputs, expected });
    } else await print(io.stdout, text(spec, sandbox, args, io));
    await print(io.stderr, 'It runs until Ctrl-C.\n');
    await new Promise<void>((resolve) => {
      if (io.signal.aborted) resolve();
      io.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  } finally {
    await sandbox.close();
  }
  throw io.signal.reason;
};

function text(spec: SpecDocument, sandbox: Sandbox, args: Arguments, io: Io): string {
  const style = styleOf(io.stdout, io.env);
  const width = widthOf(io.stdout);
  const { origin, addresses, inputs, expected } = sandbox;
  const rows = Object.entries(addresses).map(([real, own]) => [real, own]);
  const fields = [
    ['method', inputs.method],
    ...Object.entries(inputs.choices).map(([name, id]) => [`choice ${name}`, id]),
    ...Object.entries(inputs.fields).map(([name, value]) => [name, reveal(value)]),
  ];
  const total = Object.values(expected).reduce((sum, count) => sum + count, 0);
  const named = args.positionals[0] ?? spec.name;
  return [
    `${style.bold(`${spec.title} sandbox`)} at ${style.bold(origin)}\n\n`,
    table(['Stands in for', 'Address'], rows, { heading: style.dim, ...(width !== undefined && { width }) }),
    `\n${style.bold('Made-up credentials that it accepts')}\n`,
    table(['', ''], fields, { indent: '  ', ...(width !== undefined && { width }) }),
    `\n${Object.keys(expected).length} streams with ${total} records.\n\n`,
    `${style.bold('Try it')}\n`,
    ...commands(spec, sandbox, named).map(([line, what]) => `  ${style.dim(`# ${what}`)}\n  ${line}\n`),
  ].join('');
}

function commands(spec: SpecDocument, { origin, inputs }: Sandbox, named: string): [string, string][] {
  const { method, http, check } = resolve(spec, inputs);
  const name = `${spec.name}-sandbox`;
  // The base URL's path: what comes after its host, whether that is a name or an expression.
  const base = http.base_url.replace(/^https?:\/\/[^/]+|^\$\{[^}]*\}/, '').replace(/\/$/, '');
  const list: [string, string][] = [
    [
      `ferrule connect ${named} --sandbox ${origin} --name ${name}`,
      method.authorize === undefined ? 'store a credential for it' : 'store a credential for it; you consent in the browser',
    ],
    [`ferrule read ${named} --credential ${name}`, 'read everything'],
    [`curl ${origin}/__sandbox`, 'what it is: addresses, inputs, records'],
    [`curl -d '{"kind":"rate_limit","times":2}' ${origin}/__sandbox/faults`, 'the next two requests are answered with 429'],
  ];
  if (check !== undefined)
    list.splice(2, 0, [`curl -i ${quoted(`${origin}${check.url.startsWith('/') ? base + check.url : ''}`)}`, 'without a credential: 401']);
  return list;
}

const quoted = (word: string): string => (/^[A-Za-z0-9:/._-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
