import { FerruleError } from '../core/errors.ts';
import type { Finding, Position } from '../core/finding.ts';
import { Secret } from '../core/secret.ts';
import { suggest } from '../core/suggest.ts';
import type { ParsedConnection, RuntimeOptions } from './connection.ts';
import { chooseByAddress } from './connection-address.ts';
import { type Extent, PROPERTIES, type Property, plainName } from './connection-properties.ts';
import type { ConnectionDraft, Given } from './connection-readers.ts';
import { type Pair, readPairs } from './connection-syntax.ts';
import {
  FOREIGN_SCHEMES,
  isProfilePath,
  isScheme,
  knownNames,
  methodFor,
  type ShapeMethod,
  type Target,
  targetOf,
} from './connection-target.ts';
import { MASK } from './mask.ts';
import type { ConnectorShape, InputField } from './types.ts';

type Code = 'connection_string_malformed' | 'not_supported';

export interface ConnectionReading {
  /** Present when no finding is an error. */
  connection?: ParsedConnection;
  /** `rule` is the error's code; `path` the property's name. */
  findings: Finding[];
}

/**
 * Which connector a string is for: `Connector=…`, or the profile's file name. Undefined when it does not say, or does
 * not parse: the connector must then be named besides, and `readConnectionString` reports the rest. `names` are the catalogue's.
 */
export function connectorNamed(text: string, names: Iterable<string>): string | undefined {
  const { pairs } = readPairs(text);
  const known = [...names];
  for (const { key, value } of pairs) {
    const name = plainName(key) === 'connector' ? value : isProfilePath(key, value) ? profileName(value) : undefined;
    const found = name === undefined ? undefined : known.find((one) => sameWord(one, name));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Of Windows and POSIX paths alike. */
const profileName = (path: string): string => (path.split(/[\\/]/).at(-1) ?? '').replace(/\.apip$/i, '');
const sameWord = (a: string, b: string): boolean => a.toLowerCase().replace(/[^a-z0-9]/g, '') === b.toLowerCase().replace(/[^a-z0-9]/g, '');

/** Reads a connection string for a connector; every mistake is a finding with its place, and none repeats a value. */
export function readConnectionString(text: string, shape: ConnectorShape): ConnectionReading {
  return new Reading(text, shape).read();
}

/** As `readConnectionString`, but throws all findings as one error: `not_supported` when that is all that is wrong. */
export function parseConnectionString(text: string, shape: ConnectorShape): ParsedConnection {
  const { connection, findings } = readConnectionString(text, shape);
  if (connection) return connection;
  const errors = findings.filter(({ severity }) => severity === 'error');
  const malformed = errors.find(({ rule }) => rule === 'connection_string_malformed');
  const first = (malformed ?? errors[0])!;
  const more =
    errors.length === 1
      ? ''
      : ` And ${errors.length - 1} more: ${errors
          .filter((one) => one !== first)
          .map((one) => one.message)
          .join(' ')}`;
  throw new FerruleError(first.rule as Code, first.message + more, {
    where: first.path.join('.') || `character ${first.start.offset + 1}`,
    findings: errors,
    ...(first.hint !== undefined && { next: first.hint }),
  });
}

/** What must not be given twice; fields.a_b and fields.ab are two fields. */
const ownName = ({ key }: Pair): string => (/^(?:fields|choices)\./.test(key) ? key : plainName(key.replace(/^options\./, 'options:')));

/** Whether what stands there is a secret, or may be: another method's field is not looked at. */
const holdsSecret = (target: Target): boolean =>
  target.kind === 'other' || (target.kind === 'field' ? target.field.secret : 'property' in target && target.property.secret === true);

class Reading {
  readonly #text: string;
  readonly #shape: ConnectorShape;
  readonly #findings: Finding[] = [];
  readonly #draft: ConnectionDraft = { tokens: {}, oauth: {}, retry: {}, network: {}, log: {}, proxy: {} };
  readonly #fields: Record<string, string | Secret> = {};
  readonly #choices: Record<string, string> = {};
  #method: ShapeMethod;

  constructor(text: string, shape: ConnectorShape) {
    this.#text = text;
    this.#shape = shape;
    this.#method = shape.methods[0]!;
  }

  read(): ConnectionReading {
    const all = this.#pairs();
    const named = new Map<string, Pair>();
    // An empty value means "not set", as in both products; the name is still looked at.
    for (const pair of all) if (pair.value !== '' && !named.has(ownName(pair))) named.set(ownName(pair), pair);
    const pairs = [...named.values()];
    this.#readFrame(pairs);
    // What chooses an option by its address comes last: it may have to agree with a choice by name, or take a field that nobody gave.
    const addresses: { pair: Pair; property: Property }[] = [];
    const seen = new Set<string>();
    let before: { pair: Pair; secret: boolean } | undefined;
    for (const pair of all) {
      const target = targetOf(pair.key, pair.value, this.#shape, this.#method);
      const secret = holdsSecret(target);
      if (target.kind === 'unknown') this.#unknown(pair, before?.secret === true && !before.pair.quoted);
      else if (seen.has(ownName(pair))) this.#wrong(pair, 'is given twice', 'Leave one of them out.');
      else if (pair.value === MASK) this.#wrong(pair, 'is masked', 'Put the real value in its place.');
      else if (/\p{Cs}/u.test(pair.value)) this.#wrong(pair, 'has half of a character (a lone surrogate)', 'Copy it again.');
      else if (target.kind === 'property' && target.property.kind === 'address' && pair.value !== '')
        addresses.push({ pair, property: target.property });
      else if (pair.value !== '') this.#readPair(pair, target);
      seen.add(ownName(pair));
      if (pair.value !== '') before = { pair, secret };
    }
    for (const { pair, property } of addresses) this.#readAddress(pair, property.kind === 'address' && property.fills);
    const runtime = this.#finish(pairs);
    if (this.#findings.some(({ severity }) => severity === 'error')) return { findings: this.#findings };
    const { initiate = 'OFF', tokens, oauth, storage } = this.#draft;
    const { name: connector } = this.#shape;
    const given = { choices: this.#choices, fields: this.#fields, tokens, oauth, ...(storage && { storage }), runtime };
    return { connection: { connector, method: this.#method.name, initiate, ...given }, findings: this.#findings };
  }

  /** All properties, those inside ProfileSettings too. */
  #pairs(): Pair[] {
    const outer = this.#syntax(readPairs(this.#text));
    return outer.flatMap((pair) =>
      plainName(pair.key) === 'profilesettings' ? this.#syntax(readPairs(pair.value, pair.offsets)) : [pair],
    );
  }

  #syntax({ pairs, problems }: ReturnType<typeof readPairs>): Pair[] {
    for (const { at, message, hint } of problems) this.#report('connection_string_malformed', message, at, undefined, hint);
    return pairs;
  }

  /** Connector and method: what all other names depend on. */
  #readFrame(pairs: readonly Pair[]): void {
    const words: Pair[] = [];
    for (const pair of pairs) {
      const property = PROPERTIES.get(plainName(pair.key));
      if (property?.kind !== 'frame') continue;
      if (property.name === 'Connector') this.#checkConnector(pair, pair.value);
      else if (isProfilePath(pair.key, pair.value)) this.#checkConnector(pair, profileName(pair.value));
      else if (property.name === 'Driver') this.#checkDriver(pair);
      else if (property.name !== 'Profile') words.push(pair);
    }
    // The method's own name is the clearest word, then the scheme, then the grant.
    const rank = (pair: Pair) => ['authmethod', 'authscheme', 'oauthgranttype', 'granttype'].indexOf(plainName(pair.key));
    let chosen: Pair | undefined;
    for (const pair of words.sort((a, b) => rank(a) - rank(b))) {
      const method = this.#methodOf(pair);
      if (!method) continue;
      if (!chosen) this.#method = method;
      else if (method !== this.#method) this.#wrong(pair, `asks for another auth method than ${chosen.key}`, 'Leave one of them out.');
      chosen ??= pair;
    }
  }

  #checkConnector(pair: Pair, name: string): void {
    if (sameWord(name, this.#shape.name)) return;
    this.#wrong(
      pair,
      `is not for ${this.#shape.name}`,
      `This string is read for the connector ${this.#shape.name}: name that one, or leave it out.`,
    );
  }

  #checkDriver(pair: Pair): void {
    if (/^(?:zappysys|cdata)\b/i.test(pair.value)) return;
    this.#report('not_supported', `${pair.key} names a driver that is not known.`, pair.valueAt, pair.key, 'Leave it out.');
  }

  #methodOf(pair: Pair): ShapeMethod | undefined {
    const plain = plainName(pair.value);
    const exact = plainName(pair.key) === 'authmethod' ? this.#shape.methods.find(({ name }) => name === pair.value) : undefined;
    const method = exact ?? methodFor(pair.value, this.#shape);
    if (method) return method;
    const accepted = `${this.#shape.name} has: ${this.#shape.methods.map(({ name, type }) => `${name} (${type})`).join(', ')}.`;
    const foreign = FOREIGN_SCHEMES.get(plain);
    if (foreign !== undefined) {
      this.#report('not_supported', `${pair.key} is not supported with this value.`, pair.valueAt, pair.key, `${foreign} ${accepted}`);
    } else if (isScheme(pair.value)) {
      this.#wrong(pair, `names a way to sign in that ${this.#shape.name} does not have`, accepted);
    } else {
      const near = suggest(pair.value, [
        'NONE',
        'BASIC',
        'OAUTH',
        'OAUTH_CLIENT',
        'APIKEY',
        ...this.#shape.methods.map(({ name }) => name),
      ]);
      this.#wrong(pair, 'has a value that it cannot have', `${near === undefined ? '' : `Did you mean ${near}? `}${accepted}`);
    }
    return undefined;
  }

  #readPair(pair: Pair, target: Exclude<ReturnType<typeof targetOf>, { kind: 'unknown' }>): void {
    const method = this.#method.name;
    if (target.kind === 'field') this.#readField(pair, target.field);
    else if (target.kind === 'choice') this.#choose(pair, target.choice.name, pair.value);
    else if (target.kind === 'other') {
      this.#wrong(
        pair,
        `belongs to the auth method ${target.method}`,
        `This string is for ${method}: leave it out, or set AuthMethod=${target.method}.`,
      );
    } else if (target.kind === 'nothing') this.#wrong(pair, `is nothing that ${this.#shape.name} asks for`, 'Leave it out.');
    else if (target.property.kind === 'unsupported') {
      this.#report('not_supported', `${target.property.name} is not supported.`, pair.keyAt, target.property.name, target.property.instead);
    } else if (target.property.kind === 'option') {
      if (!fits(target.property.extent, this.#method.type))
        this.#wrong(pair, `has no meaning for the auth method ${method}`, 'Leave it out.');
      else target.property.read(this.#given(pair), this.#draft);
    }
  }

  #given(pair: Pair): Given {
    return {
      text: pair.value,
      wrong: (problem, hint) => this.#wrong(pair, problem, hint),
      notSupported: (problem, instead) => this.#report('not_supported', `${pair.key}: ${problem}`, pair.valueAt, pair.key, instead),
    };
  }

  #readField(pair: Pair, field: InputField): void {
    if (field.value !== undefined) this.#wrong(pair, 'has a fixed value in the spec', 'Leave it out.');
    else if (Object.hasOwn(this.#fields, field.name))
      this.#wrong(pair, `is ${field.name}, which is given already`, 'Leave one of them out.');
    else this.#fields[field.name] = field.secret ? new Secret(pair.value) : pair.value;
  }

  #choose(pair: Pair, name: string, word: string): void {
    const ids = this.#shape.choices.find((choice) => choice.name === name)!.options.map(({ id }) => id);
    const id = ids.find((one) => one.toLowerCase() === word.toLowerCase());
    const other = this.#choices[name];
    if (id === undefined) {
      const near = suggest(word, ids);
      this.#wrong(pair, 'is no such option', `${near === undefined ? '' : `Did you mean ${near}? `}The options are: ${ids.join(', ')}.`);
    } else if (other !== undefined && other !== id) {
      this.#wrong(pair, `asks for ${name} ${id}, another property for ${other}`, 'Leave one of them out.');
    } else this.#choices[name] = id;
  }

  #readAddress(pair: Pair, fills: boolean): void {
    const chosen = chooseByAddress(pair.value, this.#shape, this.#choices);
    const site = this.#shape.fields.find(({ type, value }) => value === undefined && (type === 'url' || type === 'host'));
    if (chosen === 'malformed') this.#wrong(pair, 'is no https URL');
    else if (chosen === 'several') this.#wrong(pair, 'stands for several options', 'Name the option instead.');
    else if (chosen) this.#choose(pair, chosen.choice, chosen.id);
    else if (fills && site) this.#readField(pair, site);
    else {
      const instead = `The spec of ${this.#shape.name} has its addresses: leave it out.`;
      this.#report('not_supported', `${pair.key} cannot change the provider's address.`, pair.valueAt, pair.key, instead);
    }
  }

  #unknown(pair: Pair, mayBeSecret: boolean): void {
    const near = suggest(pair.key, knownNames(this.#shape, this.#method));
    // Behind a secret that is not quoted, a strange name may be the secret's own end: it is not repeated.
    if (near === undefined && mayBeSecret) {
      const hint = 'If the value before has a ; in it, put that value in quotes.';
      this.#report('connection_string_malformed', 'There is no property of the name that stands here.', pair.keyAt, undefined, hint);
      return;
    }
    const hint = near === undefined ? 'Leave it out.' : `Did you mean ${near}?`;
    this.#report(
      'connection_string_malformed',
      `There is no property ${JSON.stringify(pair.key.slice(0, 60))}.`,
      pair.keyAt,
      pair.key,
      hint,
    );
  }

  /** What only shows when all properties are known. */
  #finish(pairs: readonly Pair[]): RuntimeOptions {
    const { tokens, expiresIn, tokenTimestamp, initiate = 'OFF', oauth } = this.#draft;
    const place = (name: string) => pairs.find(({ key }) => plainName(key.replace(/^options\./, '')) === plainName(name));
    const need = (name: string, problem: string, hint: string) => {
      const pair = place(name);
      if (pair) this.#wrong(pair, problem, hint);
    };
    if (expiresIn !== undefined && tokenTimestamp === undefined)
      need('OAuthExpiresIn', 'says nothing without OAuthTokenTimestamp', 'Add OAuthTokenTimestamp: when the token was issued.');
    if (tokenTimestamp !== undefined && expiresIn === undefined)
      need('OAuthTokenTimestamp', 'says nothing without OAuthExpiresIn', 'Add OAuthExpiresIn: the lifetime in seconds.');
    if (expiresIn !== undefined && tokenTimestamp !== undefined) tokens.expires_at = tokenTimestamp + expiresIn * 1000;
    if (oauth.code && initiate !== 'GETANDREFRESH')
      need('OAuthVerifier', 'needs InitiateOAuth=GETANDREFRESH', 'Set it, and leave OAuthVerifier out once connected.');
    if (this.#method.type.startsWith('oauth2_')) this.#checkInitiate(place('InitiateOAuth'));
    return this.#runtime(need);
  }

  /** What each word of InitiateOAuth needs; OFF is what is meant when there is none. */
  #checkInitiate(pair: Pair | undefined): void {
    const { initiate = 'OFF', tokens, storage } = this.#draft;
    const at = pair?.keyAt ?? 0;
    if (initiate === 'OFF' && tokens.access_token === undefined) {
      const hint = 'Set InitiateOAuth=GETANDREFRESH, or give OAuthAccessToken.';
      this.#report(
        'connection_string_malformed',
        'InitiateOAuth=OFF, which is what holds when it is left out, needs OAuthAccessToken.',
        at,
        'InitiateOAuth',
        hint,
      );
    } else if (
      initiate === 'REFRESH' &&
      tokens.refresh_token === undefined &&
      !storage &&
      this.#method.type !== 'oauth2_client_credentials'
    ) {
      const hint = 'Give OAuthRefreshToken, or OAuthSettingsLocation with tokens in it.';
      this.#report('connection_string_malformed', 'InitiateOAuth=REFRESH needs a first token.', at, 'InitiateOAuth', hint);
    }
  }

  #runtime(need: (name: string, problem: string, hint: string) => void): RuntimeOptions {
    const { retry, network, log, proxy, timeout, limit } = this.#draft;
    const { server, port, user, password, tls } = proxy;
    if (server !== undefined) {
      const person = user === undefined ? '' : `${encodeURIComponent(user)}:${encodeURIComponent(password?.reveal() ?? '')}@`;
      network.proxy = new Secret(`${tls ? 'https' : 'http'}://${person}${server}:${port ?? 80}`);
    } else
      for (const name of ['ProxyPort', 'ProxyUser', 'ProxyPassword']) need(name, 'says nothing without ProxyServer', 'Add ProxyServer.');
    if (server !== undefined && user === undefined) need('ProxyPassword', 'says nothing without ProxyUser', 'Add ProxyUser.');
    const given = <T extends object>(name: string, value: T) => (Object.keys(value).length > 0 ? { [name]: value } : {});
    return {
      ...given('retry', retry),
      ...given('network', network),
      ...given('log', log),
      ...(timeout !== undefined && { timeout }),
      ...(limit !== undefined && { limit }),
    };
  }

  #wrong(pair: Pair, problem: string, hint?: string): void {
    this.#report('connection_string_malformed', `${pair.key} ${problem}.`, pair.keyAt, pair.key, hint);
  }

  #report(rule: Code, message: string, offset: number, property?: string, hint?: string): void {
    const start = positionAt(this.#text, offset);
    const where = `${message} (character ${start.offset + 1})`;
    const path = property === undefined ? [] : [property];
    this.#findings.push({
      rule,
      severity: 'error',
      message: where,
      file: 'connection string',
      path,
      start,
      end: start,
      ...(hint !== undefined && { hint }),
    });
  }
}

const fits = (extent: Extent, type: string): boolean =>
  extent === 'any' || (extent === 'oauth' ? type.startsWith('oauth2_') : type === 'oauth2_authorization_code');

function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n'), offset };
}
