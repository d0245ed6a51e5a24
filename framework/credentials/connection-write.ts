import { reveal, Secret, type Text } from '../core/secret.ts';
import type { ParsedConnection, RuntimeOptions } from './connection.ts';
import { PROPERTIES } from './connection-properties.ts';
import { writeValue } from './connection-syntax.ts';
import { type ShapeMethod, schemeFor, targetOf } from './connection-target.ts';
import { MASK } from './mask.ts';
import type { ConnectorShape, Credential, FieldValue, InputField } from './types.ts';

export interface WriteOptions {
  /** Write secrets as they are. Without it they are masked, and the string cannot be read back as it stands. */
  reveal?: boolean;
}

type Entry = [name: string, value: Text | number | boolean | undefined];

/**
 * A connection as one connection string, in the words of CData's pages where there is one: what `readConnectionString` reads back
 * to the same. A proxy's password and extra headers count as secrets.
 */
export function toConnectionString(
  connection: ParsedConnection,
  shape: ConnectorShape,
  { reveal: open = false }: WriteOptions = {},
): string {
  const method = shape.methods.find(({ name }) => name === connection.method) ?? { name: connection.method, type: '', fields: [] };
  const scheme = schemeFor(method, shape);
  const entries: Entry[] = [
    ['Connector', connection.connector],
    scheme === undefined ? ['AuthMethod', method.name] : ['AuthScheme', scheme],
    ...Object.entries(connection.choices).map(([name, id]): Entry => [choiceKey(name, id, shape, method), id]),
    ...Object.entries(connection.fields).map(([name, value]): Entry => [fieldKey(name, reveal(value), shape, method), value]),
    ...optionEntries(connection).map(([name, value]): Entry => [optionKey(name, shape, method), value]),
  ];
  return entries
    .filter((entry): entry is [string, Text | number | boolean] => entry[1] !== undefined && entry[1] !== '')
    .map(([name, value]) => `${name}=${writeValue(value instanceof Secret ? (open ? value.reveal() : MASK) : String(value))}`)
    .join(';');
}

function optionEntries({ initiate, tokens, oauth, storage, runtime }: ParsedConnection): Entry[] {
  return [
    ['InitiateOAuth', initiate === 'OFF' ? undefined : initiate],
    ['OAuthAccessToken', tokens.access_token],
    ['OAuthRefreshToken', tokens.refresh_token],
    ...expiryEntries(tokens.expires_at),
    ['CallbackURL', oauth.redirect_uri],
    ['Scope', oauth.scope],
    ['State', oauth.state],
    ['OAuthVerifier', oauth.code],
    ['OAuthSettingsLocation', storage && (storage.type === 'memory' ? `memory://${storage.id}` : storage.path)],
    ...runtimeEntries(runtime),
  ];
}

/** A timestamp below it counts as seconds; the largest has 15 digits. */
const LEAST_MS = 1e11;
const MOST_MS = 999_999_999_999_999;

/** A timestamp alone cannot say when a token ends, and a lifetime is whole seconds: so an hour where that can be said, and the rest in milliseconds. */
function expiryEntries(expires: number | undefined): Entry[] {
  if (expires === undefined) return [];
  const early = expires - 3_600_000 < LEAST_MS;
  const lifetime = early ? 0 : Math.max(3600, Math.ceil((expires - MOST_MS) / 1000));
  const from = expires - lifetime * 1000;
  return [
    ['OAuthExpiresIn', lifetime],
    ['OAuthTokenTimestamp', from < LEAST_MS ? Math.floor(from / 1000) : from],
  ];
}

/** A connector may have a field of the same name. */
function optionKey(name: string, shape: ConnectorShape, method: ShapeMethod): string {
  const target = targetOf(name, '', shape, method);
  return target.kind === 'property' && target.property.name === name ? name : `options.${name}`;
}

/** The nicest name that leads back to the field. */
function fieldKey(name: string, value: string, shape: ConnectorShape, method: ShapeMethod): string {
  const field: InputField | undefined = [...method.fields, ...shape.fields].find((one) => one.name === name);
  const words = [...PROPERTIES.values()].filter((one) => one.kind === 'field' && one.fields.includes(name)).map((one) => one.name);
  const leadsBack = (key: string): boolean => {
    const target = targetOf(key, value, shape, method);
    return target.kind === 'field' && target.field === field;
  };
  return [...words, name].find(leadsBack) ?? `fields.${name}`;
}

function choiceKey(name: string, id: string, shape: ConnectorShape, method: ShapeMethod): string {
  const target = targetOf(name, id, shape, method);
  return target.kind === 'choice' && target.choice.name === name ? name : `choices.${name}`;
}

function runtimeEntries({ retry = {}, network = {}, log = {}, timeout, limit }: RuntimeOptions): Entry[] {
  const lines = (map: Record<string, Secret>, join: (name: string, value: string) => string, by: string) =>
    new Secret(
      Object.entries(map)
        .map(([name, value]) => join(name, value.reveal()))
        .join(by),
    );
  return [
    ['RetryMode', retry.mode],
    ['RetryStatusCodeList', retry.statuses?.join('|')],
    ['RetryCountMax', retry.countMax],
    ['RetryMultiplyWaitTime', retry.multiplyWaitTime === undefined ? undefined : retry.multiplyWaitTime ? 'True' : 'False'],
    ...proxyEntries(network.proxy),
    ['ProxyExceptions', network.noProxy],
    ['SSLServerCert', network.ca ?? network.caFile],
    ['CustomHeaders', network.headers && lines(network.headers, (name, value) => `${name}: ${value}`, '\n')],
    ['CustomUrlParams', network.query && lines(network.query, (name, value) => new URLSearchParams([[name, value]]).toString(), '&')],
    ['AuthorizationHeaderPrefix', network.authorizationPrefix?.trimEnd()],
    // Whole seconds are all that Timeout can say.
    ['Timeout', timeout === undefined ? undefined : Math.max(1, Math.round(timeout / 1000))],
    ['MaxRows', limit],
    ['Logfile', log.file],
    ['Verbosity', log.verbosity],
  ];
}

function proxyEntries(proxy: Secret | undefined): Entry[] {
  if (!proxy) return [];
  const url = new URL(proxy.reveal());
  const tls = url.protocol === 'https:';
  return [
    ['ProxyServer', url.hostname],
    ['ProxyPort', url.port || (tls ? 443 : 80)],
    ['ProxyUser', decodeURIComponent(url.username)],
    ['ProxyPassword', url.password === '' ? undefined : new Secret(decodeURIComponent(url.password))],
    ['ProxySSLType', tls ? 'ALWAYS' : undefined],
  ];
}

/**
 * A stored credential as a connection, its own tokens with it. What was captured besides has no place in a connection
 * string; nor has the mark of a sandbox, whose credentials are worth nothing elsewhere.
 */
export function connectionOf(credential: Credential, shape: ConnectorShape): ParsedConnection {
  const { access_token, refresh_token } = credential.captures;
  const secretOf = (value: unknown) => (value instanceof Secret ? value : typeof value === 'string' ? new Secret(value) : undefined);
  const oauth = shape.methods.find(({ name }) => name === credential.method)?.type.startsWith('oauth2_') ?? false;
  const access = oauth ? secretOf(access_token) : undefined;
  const refresh = oauth ? secretOf(refresh_token) : undefined;
  const expires = credential.expires.access_token ?? credential.expires.token;
  return {
    connector: credential.connector,
    method: credential.method,
    initiate: oauth ? (refresh ? 'REFRESH' : 'GETANDREFRESH') : 'OFF',
    choices: { ...credential.choices },
    fields: Object.fromEntries(Object.entries(credential.fields).map(([name, value]) => [name, fieldText(value)])),
    tokens: {
      ...(access && { access_token: access }),
      ...(refresh && { refresh_token: refresh }),
      ...(access && expires !== undefined && { expires_at: expires }),
    },
    oauth: {},
    runtime: {},
  };
}

function fieldText(value: FieldValue): Text {
  if (typeof value === 'string' || value instanceof Secret) return value;
  if (!Array.isArray(value)) return String(value);
  return value.some((item) => item.includes(',') || item.trim() !== item || item.startsWith('[')) ? JSON.stringify(value) : value.join(',');
}
