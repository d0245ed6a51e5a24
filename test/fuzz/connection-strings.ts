import { inspect } from 'node:util';
import fc from 'fast-check';
import { isFerruleError } from '../../framework/core/errors.ts';
import { reveal, Secret } from '../../framework/core/secret.ts';
import { PROPERTIES } from '../../framework/credentials/connection-properties.ts';
import { connectorNamed, parseConnectionString, readConnectionString } from '../../framework/credentials/connection-string.ts';
import { readPairs } from '../../framework/credentials/connection-syntax.ts';
import { toConnectionString } from '../../framework/credentials/connection-write.ts';
import { connectorShape } from '../../framework/credentials/shape.ts';
import type { ConnectorShape } from '../../framework/credentials/types.ts';
import { loadSpec } from '../../framework/spec/load.ts';
import { canary } from '../canary.ts';
import { LARGE, SMALL } from './corpus.ts';
import { edit, edited, hostile } from './hostile.ts';
import { must, type Property, thrownBy } from './target.ts';

const HIDDEN = canary('fuzz connection string');
const STEM = HIDDEN.slice(6, 30);

/** The five connectors, and of the small specs those that load. */
const SHAPES: ConnectorShape[] = [...LARGE, ...SMALL.slice(0, 60)].flatMap((text) => {
  const found: ConnectorShape[] = [];
  thrownBy(() => found.push(connectorShape(loadSpec(text, 'acme.yaml'))));
  return found;
});

/** One property as it is meant, and how it is written. */
interface Meant {
  key: string;
  value: string;
  style: 'plain' | '"' | "'" | '{';
  spaces: [string, string, string, string];
}

const space = fc.constantFrom('', '', '', ' ', '\t', '\n ');
const ownNames = SHAPES.flatMap(({ fields, methods, choices }) => [
  ...[...fields, ...methods.flatMap((method) => method.fields)].flatMap(({ name, aliases = [], title }) => [
    name,
    `fields.${name}`,
    title,
    ...aliases,
  ]),
  ...choices.flatMap(({ name }) => [name, `choices.${name}`]),
]);
const vendors = [...PROPERTIES.values()].map(({ name }) => name);
const WORKING = [
  ...[
    'AuthScheme',
    'AuthMethod',
    'InitiateOAuth',
    'InitiateOAuth',
    'OAuthClientId',
    'OAuthClientSecret',
    'User',
    'Password',
    'APIKey',
    'Connector',
  ],
  ...[
    'OAuthAccessToken',
    'OAuthRefreshToken',
    'OAuthExpiresIn',
    'OAuthTokenTimestamp',
    'ProxyServer',
    'ProxyPort',
    'ProxyUser',
    'ProxyPassword',
  ],
  ...[
    'CustomHeaders',
    'CustomUrlParams',
    'Timeout',
    'MaxRows',
    'RetryMode',
    'SSLServerCert',
    'ProfileSettings',
    'Profile',
    'ProxyExceptions',
  ],
];
const key = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...WORKING) },
  { weight: 3, arbitrary: fc.constantFrom(...new Set(ownNames)) },
  { weight: 2, arbitrary: fc.constantFrom(...vendors) },
  { weight: 1, arbitrary: fc.constantFrom(...vendors, ...WORKING).map((name) => `options.${name}`) },
  { weight: 1, arbitrary: hostile },
);
const VALUES = [
  ...[
    'GETANDREFRESH',
    'REFRESH',
    'OFF',
    'OAuth',
    'Basic',
    'APIKey',
    'None',
    'NTLM',
    'oauth',
    'basic',
    'key',
    'true',
    'False',
    '0',
    '1',
    '443',
    '3600',
    '1700000000',
  ],
  ...[
    '1700000000000',
    '999999999999999',
    '99999999999',
    '100000000000',
    '103600000000',
    '-1',
    'RetryAny',
    '429|503',
    'p.example',
    'C:\\Jumpseller.apip',
    'jumpseller',
    'amazon-ads',
  ],
  ...[
    'A: b\nC: d',
    '__proto__: x',
    'a=1&b=2',
    '__proto__=1',
    'memory://x',
    '-----BEGIN X',
    '*',
    'eu',
    'https://www.amazon.com/',
    'Driver=CData;User=a',
    'User="a;b";Password={c}',
  ],
];
const value = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...VALUES) },
  { weight: 3, arbitrary: fc.tuple(hostile, hostile).map(([before, after]) => before + HIDDEN + after) },
  { weight: 3, arbitrary: fc.string({ maxLength: 10 }) },
  { weight: 2, arbitrary: hostile },
);
const meant: fc.Arbitrary<Meant> = fc.record({
  key: key.map((name) => name.replace(/[;=]/g, '').trim() || 'User'),
  value,
  style: fc.constantFrom('plain', '"', "'", '{'),
  spaces: fc.tuple(space, space, space, space),
});

/** Could it stand without quotes and be read back? */
const isPlain = (text: string): boolean => text !== '' && !text.includes(';') && !/^["'{]/.test(text) && text.trim() === text;

/** ADO.NET's and ODBC's rule, by hand: the closing quote stands twice where it is meant as itself. */
function written(all: readonly Meant[]): string {
  return all
    .map(({ key: name, value: text, style, spaces: [a, b, c, d] }) => {
      const quote = style === 'plain' && !isPlain(text) ? '"' : style;
      const close = quote === '{' ? '}' : quote;
      return `${a}${name}${b}=${c}${quote === 'plain' ? text : quote + text.replaceAll(close, close + close) + close}${d}`;
    })
    .join(';');
}

type Input = { meant: Meant[]; shape: number } | { text: string; shape: number };

const TOKEN = /[\w.]+|\W/g;
const strings = fc.array(meant, { maxLength: 6 });
const shape = fc.nat({ max: SHAPES.length - 1 });
/** What works, so that many a change leaves a string that still does. */
const expiring = fc
  .tuple(
    fc.constantFrom('0', '1', '3600', '10000000000'),
    fc.constantFrom('1', '99999999999', '100000000000', '1700000000123', '999999999999999'),
  )
  .map(([lifetime, from]) => `InitiateOAuth=GETANDREFRESH;OAuthAccessToken=x;OAuthExpiresIn=${lifetime};OAuthTokenTimestamp=${from}`);
const proxied = fc
  .tuple(value, value)
  .map(
    ([user, password]) => `InitiateOAuth=GETANDREFRESH;ProxyServer=p.example;ProxyUser=${quoted(user)};ProxyPassword=${quoted(password)}`,
  );
const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const start = fc.oneof(
  fc.constantFrom('InitiateOAuth=GETANDREFRESH', 'OAuthAccessToken=x', 'AuthScheme=Basic', 'AuthMethod=oauth', ''),
  expiring,
  proxied,
);
const sound = fc.tuple(start, strings).map(([first, more]) => `${first};${written(more)}`);
const mutated = fc
  .record({ text: sound, edits: fc.array(edit(), { maxLength: 4 }) })
  .map(({ text, edits }) => edited(text.match(TOKEN) ?? [], edits).join(''));
const noise = fc
  .array(fc.oneof(hostile, key, fc.constantFrom('=', ';', '"', '{', '}', "'", '=;')), { maxLength: 12 })
  .map((texts) => texts.join(''));

/** Secrets laid open, so that two connections can be compared. */
const opened = (connection: unknown): string =>
  JSON.stringify(connection, function (this: Record<string, unknown>, name: string, shown: unknown) {
    const raw = this[name];
    if (raw instanceof Secret) return { secret: reveal(raw) };
    if (typeof shown !== 'object' || shown === null || Array.isArray(shown)) return shown;
    return Object.fromEntries(Object.entries(shown).sort(([a], [b]) => (a < b ? -1 : 1)));
  });

/**
 * A name is shown, a value never. Where a broken quote makes a name of a secret's text nobody can tell, but behind a secret without
 * quotes a strange name is taken for its end.
 */
function mayShow(text: string, of: ConnectorShape): boolean {
  const { pairs } = readPairs(text);
  const secret = new Set(['password', 'oauthclientsecret', 'apikey', 'oauthaccesstoken', 'oauthrefreshtoken', 'proxypassword']);
  return pairs.some((pair, at) => {
    if (!pair.key.includes(STEM))
      return pair.value.includes(STEM) && /^\s*profile\s*settings\s*$/i.test(pair.key) && mayShow(pair.value, of);
    const before = pairs[at - 1];
    return before === undefined || before.quoted || before.value === '' || !secret.has(before.key.toLowerCase().replace(/[\s_-]/g, ''));
  });
}

function checkRead(text: string, of: ConnectorShape): void {
  connectorNamed(text, ['jumpseller', 'acme']);
  const { connection, findings } = readConnectionString(text, of);
  for (const { start, end, message } of findings) {
    must(start.offset >= 0 && start.offset <= text.length && end.offset >= start.offset, () => `outside of the text: ${message}`);
    must(start.line === text.slice(0, start.offset).split('\n').length && start.column >= 1, () => `on no such line: ${message}`);
  }
  must(
    (connection === undefined) === findings.some(({ severity }) => severity === 'error'),
    () => 'neither a connection nor an error, or both',
  );
  const thrown = thrownBy(() => parseConnectionString(text, of));
  must(thrown === undefined || isFerruleError(thrown.error), () => `it threw ${inspect(thrown?.error)}`);
  const said =
    JSON.stringify(findings) + (thrown === undefined ? '' : inspect(thrown.error, { depth: 9, showHidden: true, maxStringLength: null }));
  must(!said.includes(STEM) || mayShow(text, of), () => `a value is shown: ${said.slice(0, 1500)}`);
  if (connection === undefined) return;
  must(thrown === undefined, () => 'it is read, and parsing throws');
  const again = toConnectionString(connection, of, { reveal: true });
  const back = readConnectionString(again, of);
  must(back.connection !== undefined, () => `written as ${JSON.stringify(again)}, which has ${back.findings.map((one) => one.message)}`);
  must(
    opened(back.connection) === opened(connection),
    () => `${opened(connection)} was written as ${JSON.stringify(again)}, which is ${opened(back.connection)}`,
  );
  // A proxy's user and host are shown, its password is not.
  const { proxy } = connection.runtime.network ?? {};
  const address = proxy && new URL(reveal(proxy));
  const plainly = JSON.stringify(connection) + (address ? decodeURIComponent(address.username) + address.host : '');
  const masked = toConnectionString(connection, of);
  must(!masked.includes(STEM) || plainly.includes(STEM), () => `the masked string shows a secret: ${masked}`);
}

export const connectionStrings: Property<Input> = {
  name: 'connection-strings',
  input: fc.oneof(
    { weight: 3, arbitrary: fc.record({ meant: strings, shape }) },
    { weight: 6, arbitrary: fc.record({ text: mutated, shape }) },
    { weight: 1, arbitrary: fc.record({ text: noise, shape }) },
  ),
  check(input) {
    const text = 'meant' in input ? written(input.meant) : input.text;
    if ('meant' in input) {
      const { pairs, problems } = readPairs(text);
      const wanted = input.meant.map((one) => [one.key, one.value]);
      must(problems.length === 0, () => `${JSON.stringify(text)}: ${problems.map(({ message }) => message)}`);
      must(
        JSON.stringify(pairs.map((one) => [one.key, one.value])) === JSON.stringify(wanted),
        () => `${JSON.stringify(text)} is read as ${JSON.stringify(pairs)}`,
      );
      // Where a value stands: each character at its own offset.
      for (const { value: own, offsets } of pairs) {
        must(
          offsets.length === own.length && [...offsets].every((at, index) => text[at] === own[index]),
          () => `${JSON.stringify(text)}: offsets ${offsets}`,
        );
      }
    }
    checkRead(text, SHAPES[input.shape]!);
  },
};
