import { FerruleError } from '../core/errors.ts';
import type { SpecDocument } from '../core/spec-types.gen.ts';
import type { ParsedConnection } from '../credentials/connection.ts';
import type { Credential, CredentialStore, FieldValue } from '../credentials/types.ts';
import { logged } from '../credentials/use.ts';
import type { CheckReport } from '../engine/check.ts';
import { type ConnectOptions, connectSpec, connectStored } from '../engine/connect.ts';
import type { Connection } from '../engine/connection.ts';
import type { ConnectionOptions } from '../engine/options.ts';
import { redirects } from '../spec/auth-types.ts';
import type { Arguments } from './arguments.ts';
import { behaviourOptions } from './behaviour.ts';
import { findSpec, pathOf } from './catalogue.ts';
import { checkText } from './check-text.ts';
import type { Run } from './commands.ts';
import { consentOf, redirectUri, showCodeOf } from './consent.ts';
import { type GivenInputs, gatherInputs, shapeOf } from './inputs.ts';
import { type Io, print } from './io.ts';
import { printJson } from './json-output.ts';
import { checkedState } from './open-connection.ts';
import { canAsk, choose } from './prompt.ts';
import { type RunningSandbox, runningSandbox } from './sandbox-address.ts';
import { say } from './say.ts';
import { openStore } from './store.ts';
import { styleOf } from './style.ts';

/** What one run of the command works with. */
interface Work {
  spec: SpecDocument;
  args: Arguments;
  io: Io;
  store: CredentialStore;
  name: string;
  /** The stored credential that this one replaces. */
  before: Credential | undefined;
  sandbox: RunningSandbox | undefined;
  options: ConnectionOptions;
}

export const run: Run = async (args, io) => {
  const { spec } = await findSpec(args, io, args.positionals[0] ?? '');
  const name = args.text('name') ?? spec.name;
  const store = openStore(args, io);
  try {
    const before = await store.get(name);
    if (before !== undefined && before.connector !== spec.name) {
      throw new FerruleError('usage', `"${name}" is a credential for ${before.connector}`, { next: 'Take another --name.' });
    }
    const address = args.text('sandbox');
    const sandbox =
      address === undefined
        ? undefined
        : await runningSandbox(address, { connector: spec.name, method: args.text('method'), choices: args.pairs('choice') }, io.signal);
    const options: ConnectionOptions = {
      ...(await behaviourOptions(args, io)),
      environment: io.env,
      clock: io.clock,
      random: io.random,
      signal: io.signal,
      ...(sandbox !== undefined && { sandbox: { addresses: sandbox.addresses } }),
    };
    const work: Work = { spec, args, io, store, name, before, sandbox, options };
    return isAmendment(work) ? await amend(work) : await connect(work);
  } finally {
    await store.close();
  }
};

/** Everything anew: inputs, consent, check, and only then the store. */
async function connect(work: Work): Promise<number> {
  const { spec, args, io, sandbox, before, options, store, name } = work;
  const prompt = canAsk(io) && sandbox === undefined;
  // A wrong port is told before anything is asked.
  const wanted = redirectUri(args);
  if (prompt) await announceRedirect(work, args.text('method'), wanted);
  const presets = sandboxInputs(work) ?? storedInputs(before);
  const inputs = await gatherInputs(spec, args, io, {
    prompt,
    method: args.text('method'),
    ...(presets !== undefined && { presets }),
  });
  const { string, ...entered } = inputs;
  const own = string === undefined ? options : await withString(work, string);
  const redirect = redirectUri(args, string?.oauth.redirect_uri);
  if (!prompt && sandbox === undefined && inputs.tokens?.access_token === undefined) await announceRedirect(work, inputs.method, redirect);
  const consent = consentOf(args, io, sandbox?.addresses);
  const showCode = showCodeOf(args, io, sandbox?.addresses);
  const connection = await connectSpec(spec, entered, { consent, showCode, ...own, redirectUri: redirect });
  try {
    const report = await tryIt(connection, args, io);
    if (report?.ok === false) {
      await print(io.stderr, 'Nothing was stored. To store it all the same, pass --no-check.\n');
      if (args.flag('json')) await printJson(io, { name, stored: false, check: report });
      return 1;
    }
    const later = await fieldsAfterAuth(work, connection, inputs.fields);
    const { credential } = connection;
    const checked = report === undefined ? {} : { checked: checkedState(report, io) };
    const whole = { ...credential, name, ...describedBy(work), ...checked, fields: { ...credential.fields, ...later.values } };
    await logged(store, { action: 'stored', credential: name, connector: spec.name }, io, () => store.put(whole));
    return await finish(work, inputs.method, report, later.open);
  } finally {
    await connection.close();
  }
}

/** The command line's options over what the string says besides inputs. */
async function withString({ spec, io, options }: Work, string: ParsedConnection): Promise<ConnectOptions> {
  if (string.storage !== undefined) {
    throw new FerruleError('not_supported', 'OAuthSettingsLocation is not supported where the credential is stored', {
      where: 'OAuthSettingsLocation',
      next: 'Leave it out: --store says where that is.',
    });
  }
  const { optionsOf, over } = await import('../engine/connection-string.ts');
  return over(await optionsOf(spec, string, (path) => pathOf(io, path)), options);
}

/** New fields or another description for a credential whose grant still holds: nobody has to consent again. */
async function amend(work: Work): Promise<number> {
  const { spec, args, io, before, options, store, name } = work;
  if (before === undefined) throw new FerruleError('internal', 'there is nothing to amend');
  const presets = { method: before.method, choices: before.choices, fields: before.fields };
  const inputs: GivenInputs = await gatherInputs(spec, args, io, { prompt: false, presets });
  const changed = { ...before, ...describedBy(work), fields: { ...before.fields, ...inputs.fields } };
  const use = { action: 'changed', credential: name, connector: spec.name } as const;
  await logged(store, use, io, () => store.put(changed, { expectVersion: before.version }));
  const connection = await connectStored(spec, name, { ...options, store });
  try {
    const report = await tryIt(connection, args, io);
    const later = report?.ok === false ? { values: {}, open: [] } : await fieldsAfterAuth(work, connection, inputs.fields);
    const checked = report === undefined ? {} : { checked: checkedState(report, io) };
    if (report !== undefined || Object.keys(later.values).length > 0) {
      await store.update(name, async (current) => ({ ...current, ...checked, fields: { ...current.fields, ...later.values } }));
    }
    await finish(work, before.method, report, later.open);
    return report?.ok === false ? 1 : 0;
  } finally {
    await connection.close();
  }
}

/** Only fields that are asked for after sign-in, or a description, of a credential that is there and ready. */
function isAmendment({ spec, args, before }: Work): boolean {
  if (before === undefined || before.state === 'reconnect') return false;
  const others = ['method', 'choice', 'inputs', 'connection-string', 'sandbox', 'redirect', 'paste'].some((option) => args.flag(option));
  const late = lateFields(spec, before.method);
  const given = args.texts('field').map((text) => text.slice(0, Math.max(0, text.indexOf('='))));
  return !others && (given.length > 0 || args.flag('description')) && given.every((field) => late.has(field));
}

function describedBy({ args, before }: Work): { description?: string } {
  const description = args.text('description') ?? before?.description;
  return description === undefined ? {} : { description };
}

/** Before anything is asked: the person may have to register it to get the client ID at all. */
async function announceRedirect({ spec, io }: Work, chosen: string | undefined, uri: string): Promise<void> {
  const methods = Object.entries(spec.auth).filter(([method]) => chosen === undefined || method === chosen);
  if (!methods.some(([, method]) => redirects(method))) return;
  const some = methods.length > 1 ? ' (for methods that need consent)' : '';
  await print(io.stderr, `Redirect URL to register at ${spec.title}${some}: ${styleOf(io.stderr, io.env).bold(uri)}\n`);
}

/** A sandbox brings its own; what is asked for after sign-in is left to the person, if there is one. */
function sandboxInputs({ spec, io, sandbox }: Work): RunningSandbox['inputs'] | undefined {
  if (sandbox === undefined || !canAsk(io)) return sandbox?.inputs;
  const { method, choices, fields } = sandbox.inputs;
  const late = lateFields(spec, method);
  return { method, choices, fields: Object.fromEntries(Object.entries(fields).filter(([name]) => !late.has(name))) };
}

/** Names of the fields that are asked for once a token is there. */
const lateFields = (spec: SpecDocument, method: string): Set<string> =>
  new Set(shapeOf(spec, method).fields.flatMap(({ name, after }) => (after === 'auth' ? [name] : [])));

/** What a reconnect starts from. What was made up for a sandbox is of no use at the provider. */
function storedInputs(
  before: Credential | undefined,
): { method: string; choices: Record<string, string>; fields: Record<string, FieldValue> } | undefined {
  if (before === undefined || before.sandbox !== undefined) return undefined;
  const { method, choices, fields } = before;
  return { method, choices, fields };
}

async function tryIt(connection: Connection, args: Arguments, io: Io): Promise<CheckReport | undefined> {
  if (args.flag('no-check')) return undefined;
  const report = await connection.check({ signal: io.signal });
  await say(io.stderr, checkText(report, styleOf(io.stderr, io.env)));
  return report;
}

interface Later {
  values: Record<string, FieldValue>;
  /** Still without a value, with what could be chosen. */
  open: { field: string; title: string; options: { value: string; label: string }[] }[];
}

/** Fields that want a token first: their values come from the provider. */
async function fieldsAfterAuth({ spec, args, io, before }: Work, connection: Connection, given: GivenInputs['fields']): Promise<Later> {
  const later: Later = { values: {}, open: [] };
  for (const { name, title, required } of shapeOf(spec, connection.method).fields.filter(({ after }) => after === 'auth')) {
    if (given[name] !== undefined && args.flag('no-check')) continue;
    const options = await connection.options(name, { signal: io.signal });
    if (given[name] !== undefined) {
      await warnOfStranger(io, title, given[name], options);
      continue;
    }
    const stored = before?.fields[name];
    if (canAsk(io) && options.length > 0) {
      const chosen = await choose(io, title, options, typeof stored === 'string' ? stored : undefined, !required);
      if (chosen !== '') later.values[name] = chosen;
    } else if (stored !== undefined) later.values[name] = stored;
    else if (required && options.length === 1 && options[0] !== undefined) later.values[name] = options[0].value;
    else if (required) later.open.push({ field: name, title, options });
  }
  return later;
}

/** A profile that the credential does not see is told now, not by the first read. */
async function warnOfStranger(
  io: Io,
  title: string,
  value: FieldValue,
  options: readonly { value: string; label: string }[],
): Promise<void> {
  if (options.length === 0 || options.some((option) => option.value === String(value))) return;
  const some = options.slice(0, 5).map((option) => `${option.value} (${option.label})`);
  const more = options.length > some.length ? ` and ${options.length - some.length} more` : '';
  const warning = `${styleOf(io.stderr, io.env).yellow('warning')}: ${title}: ${String(value)} is not among what the provider offers: ${some.join(', ')}${more}.`;
  await say(io.stderr, `${warning}\n`);
}

async function finish(
  { spec, args, io, name, before }: Work,
  method: string,
  report: CheckReport | undefined,
  open: Later['open'],
): Promise<number> {
  const style = styleOf(io.stderr, io.env);
  for (const { field, title, options } of open) {
    await say(io.stderr, `${style.yellow('warning')}: ${title} is not chosen yet. There are:\n`);
    for (const { value, label } of options) await print(io.stderr, `  ${value}  ${label}\n`);
    await print(io.stderr, `Choose with \`ferrule connect ${spec.name} --name '${name}' --field ${field}=…\`.\n`);
  }
  await print(io.stderr, `${before === undefined ? 'Stored' : 'Replaced'} credential "${name}".\n`);
  if (args.flag('json')) {
    await printJson(io, {
      name,
      stored: true,
      connector: spec.name,
      method,
      ...(report !== undefined && { check: report }),
      ...(open.length > 0 && { missing: open.map(({ field, options }) => ({ field, options })) }),
    });
  }
  return 0;
}
