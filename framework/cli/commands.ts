/**
 * The command table: data only, so that help, the reference page and completion come from it and `--version` pays for
 * no command. Each command's code is in the file of its name and is imported when it runs.
 */
import type { Arguments } from './arguments.ts';
import type { Io } from './io.ts';

export interface OptionInfo {
  help: string;
  /** What stands for the value in help; missing: the option takes none. */
  value?: string;
  /** The only values taken. */
  values?: readonly string[];
  /** May be given more than once. */
  many?: boolean;
  short?: string;
  /** Left out of the short help of a command; shown under a heading of its own. */
  group?: 'network' | 'retry' | 'log' | 'catalogue';
}

export interface ArgumentInfo {
  name: string;
  help: string;
  required?: boolean;
  many?: boolean;
}

/** Runs with the parsed command line; the number is the exit code. */
export type Run = (args: Arguments, io: Io) => Promise<number>;

export interface CommandInfo {
  name: string;
  /** One line, for the list of commands. */
  summary: string;
  /** More, for its own help and the reference page. */
  about?: string;
  args: readonly ArgumentInfo[];
  options: Readonly<Record<string, OptionInfo>>;
  examples: readonly (readonly [line: string, what: string])[];
  load(): Promise<{ run: Run }>;
}

/** Taken by every command. */
export const GLOBAL_OPTIONS: Readonly<Record<string, OptionInfo>> = {
  help: { help: 'Show this help.', short: 'h' },
  debug: { help: 'Show where in the code an error arose.' },
};

const CATALOGUE: Readonly<Record<string, OptionInfo>> = {
  catalogue: {
    help: 'Look for specs in this folder first; repeatable. Also FERRULE_CONNECTORS, a list like PATH. The bundled ones come last.',
    value: 'FOLDER',
    many: true,
    group: 'catalogue',
  },
};

const STORE: Readonly<Record<string, OptionInfo>> = {
  store: {
    help: 'The credential store: a folder, or postgres://… for one that several machines share. Also FERRULE_STORE, which hides a password better; FERRULE_HOME for a folder. Default: ~/.config/ferrule (or XDG_CONFIG_HOME).',
    value: 'FOLDER|URL',
    group: 'catalogue',
  },
};

const NETWORK: Readonly<Record<string, OptionInfo>> = {
  'allow-private': { help: 'Allow hosts with private addresses, such as a self-hosted provider.', group: 'network' },
  'allow-loopback': { help: 'Allow hosts on this machine.', group: 'network' },
  proxy: { help: 'Proxy for https. Default: HTTPS_PROXY and NO_PROXY.', value: 'URL', group: 'network' },
  ca: { help: 'PEM file of a further certificate authority. Also FERRULE_CA.', value: 'FILE', group: 'network' },
  certificate: { help: 'PEM file of a client certificate; its key with --key.', value: 'FILE', group: 'network' },
  key: { help: 'PEM file of its key.', value: 'FILE', group: 'network' },
  'authorization-prefix': { help: 'In place of Bearer before a token.', value: 'WORD', group: 'network' },
};

/** Put on every call; `request` has options of these names for its one. */
const ADDED: Readonly<Record<string, OptionInfo>> = {
  header: { help: 'A further header on every call, as "X-Team: data"; repeatable.', value: 'NAME: VALUE', many: true, group: 'network' },
  query: { help: 'A further query parameter on every call; repeatable.', value: 'NAME=VALUE', many: true, group: 'network' },
};

const RETRY: Readonly<Record<string, OptionInfo>> = {
  retries: { help: 'Send again at most so often; 0: never. It only lowers what the spec says.', value: 'N', group: 'retry' },
  'retry-statuses': { help: 'Send again on these statuses only, such as 429,503.', value: 'LIST', group: 'retry' },
  'retry-wait': { help: 'How waits grow.', value: 'KIND', values: ['growing', 'constant'], group: 'retry' },
  timeout: { help: 'Longest time for one call with its retries, such as 30s.', value: 'DURATION', group: 'retry' },
  throttle: {
    help: 'At most so many requests in so long, such as 5/1s, besides the limits in the spec.',
    value: 'N/DURATION',
    group: 'retry',
  },
};

const LOG: Readonly<Record<string, OptionInfo>> = {
  trace: { help: 'Print each request and its answer side by side, secrets left out.', group: 'log' },
  log: { help: 'Append what happens to this file, one JSON object a line, secrets left out.', value: 'FILE', group: 'log' },
  verbosity: {
    help: 'How much goes there: 1 failures, 2 also retries, waits and renewals, 3 also requests and statuses, 4 also headers, 5 also bodies. Default: 3.',
    value: 'LEVEL',
    values: ['1', '2', '3', '4', '5'],
    group: 'log',
  },
};

/** How a connection behaves: its network, its retries, what is told of it. */
const BEHAVIOUR: Readonly<Record<string, OptionInfo>> = { ...NETWORK, ...RETRY, ...LOG };

const JSON_OUTPUT: Readonly<Record<string, OptionInfo>> = { json: { help: 'Print JSON.' } };

const INPUTS: Readonly<Record<string, OptionInfo>> = {
  method: { help: 'Auth method. Default: the first that has the fields given.', value: 'NAME' },
  choice: { help: 'A choice, such as region=eu; repeatable.', value: 'NAME=OPTION', many: true },
  field: {
    help: 'A field: site=https://…, password=@file (its contents), password=- (standard input); repeatable.',
    value: 'NAME=VALUE',
    many: true,
  },
  inputs: { help: 'YAML or JSON file with method, choices and fields.', value: 'FILE' },
  'connection-string': { help: 'Inputs as one connection string, or @FILE.', value: 'TEXT' },
};

const CREDENTIAL: Readonly<Record<string, OptionInfo>> = {
  credential: { help: 'Stored credential to use. Default: the only one of this connector.', value: 'NAME' },
};

const SANDBOX: Readonly<Record<string, OptionInfo>> = {
  sandbox: { help: 'Everything goes to a sandbox that `ferrule sandbox` runs at this address.', value: 'URL' },
};

const CONNECTOR: ArgumentInfo = { name: 'connector', help: 'name of a connector, or path of a spec', required: true };

export const COMMANDS: readonly CommandInfo[] = [
  {
    name: 'list',
    summary: 'List the connectors',
    args: [],
    options: { category: { help: 'Only connectors of this category.', value: 'NAME' }, ...JSON_OUTPUT, ...CATALOGUE },
    examples: [
      ['ferrule list', 'all connectors, one a line'],
      ['ferrule list --category advertising --json', 'some, as JSON'],
    ],
    load: () => import('./list.ts'),
  },
  {
    name: 'show',
    summary: 'Show what a connector is: methods, fields, choices, hosts',
    args: [CONNECTOR],
    options: {
      resolved: { help: 'Everything inherited laid in, for one method and one set of choices, with the origin of each value.' },
      method: { help: 'Auth method for --resolved. Default: the first.', value: 'NAME' },
      choice: { help: 'A choice for --resolved, such as region=eu; repeatable.', value: 'NAME=OPTION', many: true },
      hosts: { help: 'The hosts that a credential may reach.' },
      source: { help: "Print the spec's own text, its path on standard error." },
      ...JSON_OUTPUT,
      ...CATALOGUE,
    },
    examples: [
      ['ferrule show jama-connect', 'methods, fields and links'],
      ['ferrule show amazon-ads --resolved --choice region=eu', 'what the runtime works on, and where each value is written'],
      ['ferrule show jumpseller --hosts', 'where its credentials may go'],
    ],
    load: () => import('./show.ts'),
  },
  {
    name: 'lint',
    summary: 'Find mistakes in specs, at their line, with what to write instead',
    about: 'Exit code 0: nothing to mend. 1: findings of severity error (with --warnings-as-errors: any). 2: a file cannot be read.',
    args: [{ name: 'file', help: 'specs or folders of them; - is standard input; without any: the catalogue', many: true }],
    options: {
      format: { help: 'How findings are printed. Default: text.', value: 'FORMAT', values: ['text', 'json', 'github', 'sarif'] },
      'warnings-as-errors': { help: 'Warnings fail too.' },
      watch: { help: 'Lint again whenever a file changes, until Ctrl-C.' },
      ...CATALOGUE,
    },
    examples: [
      ['ferrule lint connectors/acme.yaml', 'one spec'],
      ['ferrule lint connectors --format github', 'annotations on a pull request'],
      ['ferrule lint - < acme.yaml', 'standard input, as from an editor'],
    ],
    load: () => import('./lint.ts'),
  },
  {
    name: 'connect',
    summary: 'Enter and check a credential, and store it under a name',
    about:
      'Asks at the terminal for what the options leave open; secrets are not shown while they are typed. Methods that need consent open the browser and wait for the redirect; --paste is for machines without one.',
    args: [CONNECTOR],
    options: {
      ...INPUTS,
      name: {
        help: "The credential's name. Default: the connector's. An existing one is replaced: that is how to reconnect.",
        value: 'NAME',
      },
      description: { help: 'What it is for.', value: 'TEXT' },
      redirect: {
        help: 'Redirect URL to register and to listen on, or only its port. Default: http://localhost:8765/callback.',
        value: 'URL|PORT',
      },
      paste: { help: 'Do not listen: paste the address (or the code) that the browser ends on.' },
      'no-browser': { help: 'Print the address to open, and open nothing.' },
      'no-check': { help: 'Store without trying it.' },
      sandbox: {
        help: 'Connect to a sandbox that `ferrule sandbox` runs at this address, with its own inputs; the credential goes nowhere else.',
        value: 'URL',
      },
      ...JSON_OUTPUT,
      ...CATALOGUE,
      ...STORE,
      ...BEHAVIOUR,
      ...ADDED,
    },
    examples: [
      ['ferrule connect jama-connect', 'asks for everything'],
      [
        'ferrule connect jama-connect --method basic --field site=https://acme.jamacloud.com --field username=ann --field password=@secret.txt',
        'asks for nothing',
      ],
      ['ferrule connect amazon-ads --choice region=eu --redirect 8765 --name ads-eu', 'consent in the browser'],
      ['ferrule connect jumpseller --connection-string @jumpseller.txt', 'inputs as one connection string, from a file'],
    ],
    load: () => import('./connect.ts'),
  },
  {
    name: 'credentials',
    summary: 'List, show (masked), copy, edit, remove, export credentials; audit; new key',
    about: `What can be done:
- list, show NAME
- edit NAME with --field, --unset, --choice, --description: other values; a new secret keeps the grant, another account, host or choice ends it
- copy NAME NEW-NAME (the inputs, not the tokens), rename NAME NEW-NAME, remove NAME
- export FILE [NAME…], import FILE: one file, sealed with a passphrase, for a backup or another machine
- renew NAME: a new token now, also while renewals that failed are paused
- uses [NAME]: what was done with credentials, when and by whom; nothing secret is in it
- rekey: seal everything with a new key; the former one opens nothing afterwards`,
    args: [
      { name: 'action', help: 'list, show, edit, renew, copy, rename, remove, export, import, uses or rekey; default list' },
      { name: 'name', help: 'what it is for', many: true },
    ],
    options: {
      field: {
        help: 'With edit: a field: name=value, name=@file, name=- (standard input), or its name alone to be asked for it; repeatable.',
        value: 'NAME=VALUE',
        many: true,
      },
      unset: { help: 'With edit: a field that is to have no value; repeatable.', value: 'NAME', many: true },
      choice: { help: 'With edit: a choice, such as region=eu; repeatable.', value: 'NAME=OPTION', many: true },
      description: { help: 'With edit: what it is for; empty takes it away.', value: 'TEXT' },
      method: { help: 'Is not edited: connect again for another method.', value: 'NAME' },
      'connection-string': { help: 'With show: as one connection string.' },
      reveal: { help: 'With --connection-string: secrets as they are.' },
      revoke: { help: 'With remove: tell the provider first, as the spec says; what fails leaves the credential as it is.' },
      force: { help: 'With --revoke: remove it here even when the provider could not be told. With export: over a file that is there.' },
      passphrase: {
        help: 'With export and import: @FILE (its contents) or - (standard input). Also FERRULE_PASSPHRASE. Default: asked for.',
        value: '@FILE|-',
      },
      'no-tokens': { help: 'With export: inputs only. What a person consented to must be connected again.' },
      to: {
        help: "With rekey: put the key in the key file, or in the operating system's keyring.",
        value: 'PLACE',
        values: ['keyring', 'file'],
      },
      replace: { help: 'With import: in the place of credentials of the same names.' },
      as: { help: 'With import: put this before each name.', value: 'PREFIX' },
      limit: { help: 'With uses: at most so many, the latest. Default: 50; with --json all.', value: 'N' },
      ...JSON_OUTPUT,
      ...STORE,
      ...CATALOGUE,
      ...BEHAVIOUR,
    },
    examples: [
      ['ferrule credentials', 'all of them'],
      ['ferrule credentials show ads-eu', 'one; secrets are masked'],
      [
        'ferrule credentials show ads-eu --connection-string --reveal > ads-eu.txt',
        'all of it, to be read with --connection-string @ads-eu.txt',
      ],
      ['ferrule credentials edit ads-eu --field client_secret=@secret.txt', 'a client secret that was rotated; the grant stays'],
      ['ferrule credentials renew ads-eu', 'a new token, whatever went wrong before'],
      ['ferrule credentials remove ads-eu', 'forget it'],
      ['ferrule credentials remove ads-eu --revoke', 'end the grant at the provider too'],
      ['ferrule credentials uses ads-eu', 'who used it, and when'],
      ['ferrule credentials export backup.sealed', 'all of them into one file; asks for a passphrase'],
      ['ferrule credentials import backup.sealed --as old-', 'them again, under other names'],
      ['ferrule credentials rekey', 'a new key'],
      ['ferrule credentials rekey --to keyring', "a new key, in the operating system's keyring"],
    ],
    load: () => import('./credentials.ts'),
  },
  {
    name: 'check',
    summary: 'Try a credential: name, TLS, answer, sign-in, permission',
    args: [{ ...CONNECTOR, help: `${CONNECTOR.help}; not needed with --credential`, required: false }],
    options: {
      'all-choices': {
        help: 'If it fails: try the other options of choices such as the region too. The credential then goes to the hosts that the spec names for them.',
      },
      ...CREDENTIAL,
      ...INPUTS,
      ...JSON_OUTPUT,
      ...CATALOGUE,
      ...STORE,
      ...BEHAVIOUR,
      ...ADDED,
    },
    examples: [
      ['ferrule check jama-connect', 'the stored credential'],
      ['ferrule check amazon-ads --all-choices', 'for which region the key is'],
      ['ferrule check --credential work', 'one of several'],
      ['ferrule check jama-connect --inputs inputs.yaml --json', 'inputs that are stored nowhere'],
    ],
    load: () => import('./check.ts'),
  },
  {
    name: 'request',
    summary: 'Send a request with the credential, to hosts of the spec only',
    args: [
      CONNECTOR,
      { name: 'method', help: 'GET, POST, PUT, PATCH, DELETE or HEAD', required: true },
      { name: 'path', help: 'path under the base URL, or a URL on a host of the spec', required: true },
    ],
    options: {
      data: { help: 'The body, or @FILE, or - for standard input.', value: 'TEXT' },
      json: { help: 'The body as JSON: a text, @FILE or -.', value: 'JSON' },
      header: { help: 'A header, as "Accept: text/csv"; repeatable.', value: 'NAME: VALUE', many: true },
      query: { help: 'A query parameter; repeatable.', value: 'NAME=VALUE', many: true },
      include: { help: 'Print status and headers on standard error.', short: 'i' },
      auth: { help: 'Auth method, for inputs that are not stored.', value: 'NAME' },
      ...CREDENTIAL,
      ...Object.fromEntries(Object.entries(INPUTS).filter(([name]) => name !== 'method')),
      ...CATALOGUE,
      ...STORE,
      ...BEHAVIOUR,
    },
    examples: [
      ['ferrule request jama-connect GET /users/current', 'an authenticated curl'],
      ['ferrule request amazon-ads POST /sp/campaigns/list --json \'{"maxResults":10}\'', 'with a body'],
    ],
    load: () => import('./request.ts'),
  },
  {
    name: 'explain',
    summary: 'Say why a request is as it is: each part, the token, retries, limits',
    about:
      'Makes the request ready exactly as it would be sent and prints each part with its place in the spec and what it is made from; secrets are masked. Nothing is sent without --send, not even for a token. With --send the exit code is 1 when the request fails.',
    args: [
      CONNECTOR,
      { name: 'request', help: 'a stream (its first page), or a path such as /orders, with its method before it', required: true },
      { name: 'path', help: 'the path, after a method' },
    ],
    options: {
      send: { help: 'Send it too, once, and say how the answer was classed.' },
      data: { help: 'The body, or @FILE, or - for standard input.', value: 'TEXT' },
      body: { help: 'The body as JSON: a text, @FILE or -.', value: 'JSON' },
      header: { help: 'A header, as "Accept: text/csv"; repeatable.', value: 'NAME: VALUE', many: true },
      query: { help: 'A query parameter; repeatable.', value: 'NAME=VALUE', many: true },
      auth: { help: 'Auth method, for inputs that are not stored.', value: 'NAME' },
      ...JSON_OUTPUT,
      ...CREDENTIAL,
      ...Object.fromEntries(Object.entries(INPUTS).filter(([name]) => name !== 'method')),
      ...CATALOGUE,
      ...STORE,
      ...BEHAVIOUR,
    },
    examples: [
      ['ferrule explain jumpseller orders', "a stream's first page"],
      ['ferrule explain amazon-ads GET /v2/profiles --send', 'a request, and how its answer is classed'],
    ],
    load: () => import('./explain.ts'),
  },
  {
    name: 'streams',
    summary: "List a connector's streams with keys, parents and columns",
    about:
      'With --infer a sample of each stream is read, with a credential or inputs as `read` takes them, and the columns that the spec lacks are written into its file: only they are put in, everything else stays as it is. Columns that are declared keep their type unless --replace is given and values contradict it.',
    args: [CONNECTOR, { name: 'stream', help: 'show this stream in full; with --infer: these, else all', many: true }],
    options: {
      infer: { help: "Find columns in a sample, and write them into the spec's file, which must be named by its path." },
      records: { help: 'With --infer: records of each stream. Default: 500.', value: 'N' },
      replace: { help: 'With --infer: change declared types that values contradict.' },
      'dry-run': { help: 'With --infer: print what would change, as a diff, and write nothing.' },
      ...JSON_OUTPUT,
      ...CREDENTIAL,
      ...INPUTS,
      ...CATALOGUE,
      ...STORE,
      ...BEHAVIOUR,
      ...ADDED,
    },
    examples: [
      ['ferrule streams jama-connect', 'all streams'],
      ['ferrule streams jama-connect projects', 'the columns of one'],
      ['ferrule streams ./acme.yaml --infer --dry-run', 'which columns the provider sends and the spec lacks'],
      ['ferrule streams ./acme.yaml orders --infer --records 2000', 'write those of one stream into acme.yaml'],
    ],
    load: () => import('./streams.ts'),
  },
  {
    name: 'read',
    summary: 'Read streams into files or a database',
    about:
      'A stream with a cursor is read from where the last read ended; what was stopped goes on. Rows and what is known of them are written as one. Exit code 1 when a stream could not be read in full, 2 when the destination failed; what was written until then stays.',
    args: [CONNECTOR, { name: 'stream', help: 'what to read; without any: all streams', many: true }],
    options: {
      out: {
        help: 'Where to: a folder (one JSON record a line), csv:FOLDER, parquet:FOLDER, FILE.duckdb, postgres://…, or - for standard output (one stream). Default: out/<connector>.',
        value: 'PLACE',
      },
      mode: {
        help: 'What becomes of rows that are there. Default: upsert where a stream has a cursor and a primary key, append where it has no key, overwrite where it is read whole.',
        value: 'MODE',
        values: ['append', 'upsert', 'overwrite'],
      },
      since: {
        help: 'Read a past range again: from this date or time, or so long ago (30d). What is new stays to be read.',
        value: 'TIME',
      },
      until: { help: 'To this one, which is not in it. Default: now.', value: 'TIME' },
      'from-start': { help: 'Forget what was read before.' },
      concurrency: { help: 'Requests at a time, over all streams. Default: 4.', value: 'N' },
      'bad-records': {
        help: 'Records that do not fit the declared columns: keep them, put them aside in a file, or fail. Default: keep.',
        value: 'HOW',
        values: ['keep', 'aside', 'fail'],
      },
      nested: {
        help: 'Nested data in a table: as JSON, or a column for each leaf. Default: json.',
        value: 'HOW',
        values: ['json', 'flat'],
      },
      limit: { help: 'At most so many records of each stream: a sample.', value: 'N' },
      json: { help: 'Print events as JSON, one a line.' },
      'no-run-log': { help: 'Keep no log of this run; see `ferrule runs`.' },
      ...CREDENTIAL,
      ...INPUTS,
      ...CATALOGUE,
      ...STORE,
      ...BEHAVIOUR,
      ...ADDED,
    },
    examples: [
      ['ferrule read jama-connect projects items --out data', 'two streams into data/'],
      ['ferrule read jumpseller --out shop.duckdb', 'all streams into a DuckDB file'],
      ['ferrule read jampp campaign_daily --since 2026-01-01 --until 2026-02-01', 'January once more'],
      ['ferrule read jumpseller orders --out - --limit 10', 'ten records on standard output'],
    ],
    load: () => import('./read.ts'),
  },
  {
    name: 'airbyte',
    summary: "Speak Airbyte's protocol: a connector as an Airbyte source",
    about:
      'Messages go to standard output, one JSON object a line. check ends with exit code 0 whatever it finds; read with 1 when a stream could not be read in full. docs/protocols.md shows how a connector is added to Airbyte.',
    args: [
      { name: 'action', help: 'spec, check, discover or read', required: true },
      { name: 'connector', help: 'name of a connector, or path of a spec. Default: FERRULE_CONNECTOR, for images.' },
    ],
    options: {
      config: { help: 'JSON file with the configuration that `spec` describes.', value: 'FILE' },
      catalog: { help: 'The configured catalog, for read.', value: 'FILE' },
      state: { help: 'The state that the last read ended with.', value: 'FILE' },
      ...SANDBOX,
      ...CATALOGUE,
      ...BEHAVIOUR,
    },
    examples: [
      ['ferrule airbyte spec jumpseller', 'what a configuration has'],
      ['ferrule airbyte read jumpseller --config config.json --catalog catalog.json --state state.json', 'records and states'],
    ],
    load: () => import('./airbyte.ts'),
  },
  {
    name: 'singer',
    summary: 'Be a Singer tap: a connector for Meltano and other pipelines',
    about:
      'The catalog, or messages, go to standard output; what is for people to standard error. Without a catalog all streams are read. Exit code 1 when a stream could not be read in full: the last STATE says how far it came. A refresh token that the provider rotates is written into the file of --config. docs/protocols.md shows how a connector is added to Meltano.',
    args: [{ name: 'connector', help: 'name of a connector, or path of a spec. Default: FERRULE_CONNECTOR.' }],
    options: {
      config: { help: 'JSON file with the configuration; `ferrule airbyte spec` describes it.', value: 'FILE' },
      discover: { help: 'Print the catalog, and read nothing.' },
      catalog: { help: 'The catalog, with what is selected.', value: 'FILE' },
      properties: { help: 'The same, as older tools call it.', value: 'FILE' },
      state: { help: 'The value of the last STATE.', value: 'FILE' },
      credential: { help: 'Stored credential to use in place of --config.', value: 'NAME' },
      ...SANDBOX,
      ...CATALOGUE,
      ...STORE,
      ...BEHAVIOUR,
    },
    examples: [
      ['ferrule singer jumpseller --config config.json --discover', 'the catalog'],
      ['ferrule singer jumpseller --config config.json --catalog catalog.json --state state.json | target-jsonl', 'into a target'],
    ],
    load: () => import('./singer.ts'),
  },
  {
    name: 'runs',
    summary: 'List what was read, or show one run in full',
    about:
      'Every read into files or a database is logged: what was asked and answered, what was sent again and why, and how it ended. Neither records nor secrets are in the log, and 200 runs are kept: in FERRULE_HOME, or in ~/.local/state/ferrule (or XDG_STATE_HOME).',
    args: [{ name: 'run', help: 'its name or the beginning of it, or last: show that one in full' }],
    options: {
      all: { help: 'All that are kept. Default: the last 20.' },
      connector: { help: 'Only runs of this connector.', value: 'NAME' },
      failed: { help: 'Only runs that failed or were killed.' },
      ...JSON_OUTPUT,
    },
    examples: [
      ['ferrule runs', 'the last 20'],
      ['ferrule runs last', 'the last one: each stream, its requests, and what went wrong'],
      ['ferrule runs --connector jumpseller --failed', 'what went wrong lately'],
      ['ferrule runs last --json', 'for programs'],
    ],
    load: () => import('./runs.ts'),
  },
  {
    name: 'sandbox',
    summary: 'Run a provider made from the spec, to try everything offline',
    args: [CONNECTOR],
    options: {
      port: { help: 'First port. Default: free ones.', value: 'PORT' },
      records: { help: 'Records of each stream. Default: 250.', value: 'N' },
      method: { help: 'Auth method to print credentials for. Default: the first.', value: 'NAME' },
      choice: { help: 'A choice, such as region=eu; repeatable.', value: 'NAME=OPTION', many: true },
      ...JSON_OUTPUT,
      ...CATALOGUE,
    },
    examples: [['ferrule sandbox jumpseller', 'prints addresses, credentials and curl examples, and runs until Ctrl-C']],
    load: () => import('./sandbox.ts'),
  },
  {
    name: 'docs',
    summary: "Write a connector's page, or pages for the whole catalogue",
    args: [{ name: 'connector', help: 'its page on standard output; without: the whole catalogue, into --out' }],
    options: { out: { help: 'Folder for the pages.', value: 'FOLDER' }, ...CATALOGUE },
    examples: [
      ['ferrule docs jama-connect', 'one page, as Markdown'],
      ['ferrule docs --catalogue specs --out docs', 'a page each and an index'],
    ],
    load: () => import('./docs.ts'),
  },
  {
    name: 'types',
    summary: "TypeScript types for a team's own specs",
    args: [{ name: 'folder', help: 'folder of specs', required: true }],
    options: { out: { help: 'File to write. Default: standard output.', value: 'FILE' } },
    examples: [['ferrule types specs --out src/connectors.d.ts', "makes connect('acme', …) typed by method"]],
    load: () => import('./types.ts'),
  },
  {
    name: 'new',
    summary: 'Start a spec: a commented file that lints clean',
    args: [{ name: 'name', help: 'of the connector: lower case, digits and -', required: true }],
    options: {
      auth: {
        help: 'Its auth type. Default: bearer.',
        value: 'TYPE',
        values: ['none', 'api_key', 'basic', 'bearer', 'oauth2_client_credentials', 'oauth2_authorization_code'],
      },
      out: { help: 'Folder for it, or - for standard output. Default: here.', value: 'FOLDER' },
    },
    examples: [['ferrule new acme-crm --auth api_key', 'writes acme-crm.yaml']],
    load: () => import('./new.ts'),
  },
  {
    name: 'demo',
    summary: 'Connect to every provider in its sandbox and read it all',
    about:
      "Everything is real but the providers: sign-in, consent, token refresh, paging and files. Exit code 1 when a stream's count is not what its sandbox holds.",
    args: [],
    options: {
      out: { help: 'Folder for the records. Default: out/demo.', value: 'FOLDER' },
      records: { help: 'Records of each stream. Default: 250.', value: 'N' },
      ...JSON_OUTPUT,
      ...CATALOGUE,
    },
    examples: [['ferrule demo', 'needs no account and no network']],
    load: () => import('./demo.ts'),
  },
];
