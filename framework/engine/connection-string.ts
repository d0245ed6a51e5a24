import { readFile } from 'node:fs/promises';
import { FerruleError } from '../core/errors.ts';
import type { SpecDocument } from '../core/spec-types.gen.ts';
import { initiateEffect, type ParsedConnection, type RuntimeOptions, scopesIn, type TokenStorage } from '../credentials/connection.ts';
import { connectorNamed, parseConnectionString } from '../credentials/connection-string.ts';
import { connectionOf, toConnectionString, type WriteOptions } from '../credentials/connection-write.ts';
import { encryptedFileStore } from '../credentials/encrypted-file.ts';
import { memoryStore } from '../credentials/memory.ts';
import { connectorShape } from '../credentials/shape.ts';
import type { Credential, CredentialStore } from '../credentials/types.ts';
import { bundledCatalogue, type Catalogue } from '../spec/catalogue.ts';
import { readySpec } from '../spec/ready-spec.ts';
import { resolve } from '../spec/resolve.ts';
import { type ConnectOptions, connectSpec, connectStored, type Inputs } from './connect.ts';
import type { Connection } from './connection.ts';
import type { ConnectByNameOptions } from './connector.ts';
import { eventLog, type Verbosity } from './event-log.ts';
import { checkedFields, renewable } from './inputs.ts';
import type { NetworkOptions } from './options.ts';

export interface ConnectionStringOptions extends ConnectByNameOptions {
  /** For strings that name no connector, neither by `Connector=` nor by `Profile=…/Jumpseller.apip`. */
  connector?: string;
}

/** Where a path that stands in a string leads. */
type At = (path: string) => string;
const asWritten: At = (path) => path;

/** Opens a connection from one connection string. What `options` say goes before what the string says. */
export async function connectString(text: string, options: ConnectionStringOptions = {}): Promise<Connection> {
  const { catalogue = bundledCatalogue(), connector, ...rest } = options;
  const { path } = await catalogue.find(connector ?? (await connectorIn(text, catalogue)));
  const spec = await readySpec(path);
  const parsed = parseConnectionString(text.trim(), connectorShape(spec));
  return await connectParsed(spec, inputsOf(parsed), parsed, rest);
}

async function connectorIn(text: string, catalogue: Catalogue): Promise<string> {
  const { entries } = await catalogue.list();
  const names = entries.map(({ name }) => name);
  const found = connectorNamed(text, names);
  if (found !== undefined) return found;
  throw new FerruleError('connection_string_malformed', 'The connection string names no connector that is known', {
    where: 'Connector',
    next: `Put Connector=… in front, or pass { connector }. There are: ${names.join(', ')}.`,
  });
}

/** What the string says of inputs. */
export function inputsOf(parsed: ParsedConnection): Inputs {
  const { method, choices, fields, tokens } = parsed;
  return { method, choices, fields, tokens, ...scopesIn(parsed) };
}

/** Opens a connection with inputs (the string's own, or those and others) and all else that a string says. */
export async function connectParsed(
  spec: SpecDocument,
  inputs: Inputs,
  parsed: ParsedConnection,
  given: ConnectOptions = {},
  at: At = asWritten,
): Promise<Connection> {
  const options = over(await optionsOf(spec, parsed, at), given);
  if (parsed.storage === undefined || given.store !== undefined) return await connectSpec(spec, inputs, options);
  const kept = { ...options, store: storageOf(parsed.storage, given, at), name: given.name ?? spec.name };
  return await connectKept(spec, inputs, kept);
}

/** With the tokens that a connection before this one left in OAuthSettingsLocation; without any, as the first. */
async function connectKept(
  spec: SpecDocument,
  inputs: Inputs,
  options: ConnectOptions & { store: CredentialStore; name: string },
): Promise<Connection> {
  const { store, name } = options;
  const before = await store.get(name);
  const resolved = resolve(spec, { method: inputs.method!, choices: inputs.choices ?? {} });
  if (before?.connector !== spec.name || before.method !== resolved.method.name || before.state === 'reconnect')
    return await connectSpec(spec, inputs, options);
  // The string has the last word on everything but the tokens that it does not bring.
  const fields = checkedFields(resolved, inputs.fields ?? {}, { renewed: renewable(inputs.tokens, options.oauth) });
  const choices = Object.fromEntries(Object.entries(resolved.choices).map(([choice, { id = '' }]) => [choice, id]));
  await store.update(name, async (current) => ({ ...current, fields, choices }));
  return await connectStored(spec, name, options);
}

/** What `memory://<id>` names, for as long as the process lives. */
const MEMORY = new Map<string, CredentialStore>();

function storageOf(storage: TokenStorage, { clock, random }: ConnectOptions, at: At): CredentialStore {
  const time = { ...(clock && { clock }), ...(random && { random }) };
  if (storage.type === 'file') return encryptedFileStore({ folder: at(storage.path), ...time });
  const store = MEMORY.get(storage.id) ?? memoryStore(time);
  MEMORY.set(storage.id, store);
  return store;
}

/** All that a string says besides inputs. The caller's options go over it. */
export async function optionsOf(
  spec: SpecDocument,
  { method, initiate, oauth, runtime }: ParsedConnection,
  at: At = asWritten,
): Promise<ConnectOptions> {
  const { code, redirect_uri, state } = oauth;
  if (state !== undefined) {
    throw new FerruleError('not_supported', 'State is not supported', {
      where: 'State',
      next: 'Leave it out: Ferrule makes one for each consent and compares it.',
    });
  }
  const { retry, network, timeout, limit, log } = runtime;
  const effect = effectOf(spec, method, initiate);
  return {
    ...(effect && { oauth: effect }),
    ...(redirect_uri !== undefined && { redirectUri: redirect_uri }),
    // A code that the provider showed on another machine is all that a consent would bring.
    ...(code !== undefined && { consent: async () => code.reveal() }),
    ...(retry !== undefined && { retry }),
    ...(network !== undefined && { network: await networkOf(network, at) }),
    ...(timeout !== undefined && { timeout: { total: timeout } }),
    ...(limit !== undefined && { limit }),
    ...(log?.file !== undefined && { onEvent: eventLog(at(log.file), log.verbosity as Verbosity | undefined) }),
  };
}

/** InitiateOAuth is about methods with tokens alone. A renewal of client credentials asks as the first time. */
function effectOf(spec: SpecDocument, method: string, initiate: ParsedConnection['initiate']): ConnectOptions['oauth'] {
  const { method: resolved } = resolve(spec, { method, choices: anyChoices(spec) });
  if (resolved.token === undefined) return undefined;
  const { obtain, refresh } = initiateEffect(initiate);
  return { obtain: obtain || (refresh && resolved.authorize === undefined), refresh };
}

const anyChoices = ({ choices = {} }: SpecDocument): Record<string, string> =>
  Object.fromEntries(
    Object.entries(choices).map(([name, { options, default: preset }]) => [name, preset ?? Object.keys(options)[0] ?? '']),
  );

async function networkOf({ caFile, ...plain }: NonNullable<RuntimeOptions['network']>, at: At): Promise<NetworkOptions> {
  if (caFile === undefined) return plain;
  const ca = await readFile(at(caFile), 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new FerruleError('input_malformed', `SSLServerCert: ${caFile} cannot be read (${cause.code ?? 'unreadable'})`, {
      where: 'SSLServerCert',
      next: 'Give the path of a PEM file.',
      cause,
    });
  });
  return { ...plain, ca };
}

/** Options over options: sections merge, and both see every event. */
export function over(under: ConnectOptions, top: ConnectOptions): ConnectOptions {
  const seen = [under.onEvent, top.onEvent].filter((one) => one !== undefined);
  const details = [under, top].some((one) => one.onEvent !== undefined && one.eventDetails !== false);
  return {
    ...under,
    ...top,
    ...(under.network && { network: { ...under.network, ...top.network } }),
    ...(under.retry && { retry: { ...under.retry, ...top.retry } }),
    ...(under.timeout && { timeout: { ...under.timeout, ...top.timeout } }),
    ...(under.oauth && { oauth: { ...under.oauth, ...top.oauth } }),
    ...(seen.length > 0 && { onEvent: (event) => seen.forEach((see) => void see(event)), eventDetails: details }),
  };
}

/** A credential as one connection string, in CData's words; secrets masked unless `reveal`. */
export async function stringOf(credential: Credential, options: WriteOptions & { catalogue?: Catalogue } = {}): Promise<string> {
  const { catalogue = bundledCatalogue(), ...write } = options;
  const { path } = await catalogue.find(credential.connector);
  const shape = connectorShape(await readySpec(path));
  return toConnectionString(connectionOf(credential, shape), shape, write);
}
