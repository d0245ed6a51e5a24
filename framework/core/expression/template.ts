import { ABSENT, type Absent } from '../absent.ts';
import { FerruleError } from '../errors.ts';
import { plainNumber } from '../json.ts';
import { Secret, type Text } from '../secret.ts';
import { timeText } from '../time.ts';
import type { Value } from '../value.ts';
import { LONGEST_TEXT, TOO_LARGE } from './functions.ts';
import { assertHost } from './host.ts';
import { type Compound, placed } from './place.ts';
import type { Expression, Kind, Opened, Part, Place, Stands, Template, Vars } from './types.ts';

export class CompiledTemplate implements Template {
  readonly source: string;
  readonly kind: Kind;
  readonly place: Place;
  readonly secret: boolean;
  readonly literal: boolean;
  readonly canBeAbsent: boolean;
  readonly #compounds: readonly Compound[];
  readonly #stands: readonly Stands[];
  /** The expression, when the text is exactly one. */
  readonly #only: Expression | undefined;
  /** The host is put together at run time, so it is proved there. */
  readonly #proveHost: boolean;

  constructor(source: string, kind: Kind, place: Place, compounds: readonly Compound[], stands: readonly Stands[]) {
    this.source = source;
    this.kind = kind;
    this.place = place;
    let secret = false;
    let literal = true;
    let canBeAbsent = false;
    for (const compound of compounds) {
      if ('text' in compound) continue;
      literal = false;
      secret ||= compound.expression.secret;
      canBeAbsent ||= compound.expression.canBeAbsent;
    }
    this.secret = secret && kind !== 'condition' && kind !== 'number';
    this.literal = literal;
    this.canBeAbsent = canBeAbsent;
    this.#compounds = compounds;
    this.#stands = stands;
    this.#only = compounds.length === 1 && !('text' in compounds[0]!) ? compounds[0]!.expression : undefined;
    this.#proveHost = place === 'url' && stands.includes('host');
  }

  get mentions(): readonly (readonly string[])[] {
    return this.#compounds.flatMap((compound) => ('text' in compound ? [] : compound.expression.mentions));
  }

  get parts(): readonly Part[] {
    return this.#compounds.map((compound, index) => partOf(compound, this.#stands[index]!));
  }

  evaluate(vars: Vars): Value | Absent {
    const opened = { secret: false };
    const only = this.#only;
    if (!only) {
      const text = this.#text(vars, opened);
      return this.kind === 'number' ? Number(text) : this.#sealed(text, opened);
    }
    const value = only.run(vars, opened);
    if (value === ABSENT) {
      if (this.canBeAbsent) return ABSENT;
      throw this.#failed('it has no value');
    }
    switch (this.kind) {
      case 'condition':
        if (typeof value !== 'boolean') throw this.#failed(`a condition must be true or false, it is ${nameOf(value)}`);
        return value;
      case 'number':
        if (typeof value !== 'number' || !Number.isFinite(value)) throw this.#failed(`a number is wanted, it is ${nameOf(value)}`);
        return value;
      case 'text':
        if (this.place === 'key' && value instanceof Uint8Array) return this.#sealed(keyOf(value), opened);
        return this.#sealed(this.#proved(placed(this.#asText(value), only, this.place, this.#stands[0]!)), opened);
      default:
        return this.#sealed(this.#asValue(value, only), opened);
    }
  }

  #text(vars: Vars, opened: Opened): string {
    let text = '';
    for (let i = 0; i < this.#compounds.length; i++) {
      const compound = this.#compounds[i]!;
      if ('text' in compound) {
        text += compound.text;
        continue;
      }
      const value = compound.expression.run(vars, opened);
      if (value === ABSENT) throw this.#failed('a part of it has no value');
      text += placed(this.#asText(value), compound.expression, this.place, this.#stands[i]!);
      if (text.length > LONGEST_TEXT) throw this.#failed(TOO_LARGE);
    }
    return this.#proved(text);
  }

  #proved(text: string): string {
    if (this.#proveHost) assertHost(text, /^[^:]*:\/\/([^/?#]*)/.exec(text)?.[1] ?? '');
    return text;
  }

  /** A string as it is, true or false, plain digits, a time in RFC 3339; nothing else has a text. */
  #asText(value: unknown): string {
    switch (typeof value) {
      case 'string':
        return value;
      case 'boolean':
        return String(value);
      case 'number':
        if (Number.isFinite(value)) return plainNumber(value);
        break;
      default:
        if (value instanceof Date) return timeText(value);
    }
    throw this.#failed(`a text cannot hold ${nameOf(value)}`);
  }

  #asValue(value: unknown, expression: Expression): Value {
    if (typeof value === 'string') return placed(value, expression, this.place, this.#stands[0]!);
    if (value instanceof Date) return timeText(value);
    if (value instanceof Uint8Array) throw this.#failed('bytes are no text; use base64() or hex()');
    return value as Value;
  }

  /**
   * What was made from a Secret is one. The check at load decides; a Secret that a caller put where the scope did not
   * say so is sealed again all the same.
   */
  #sealed(value: Value, opened: Opened): Value {
    if (!this.secret && !opened.secret) return value;
    if (opened.secret && !this.secret && (this.place === 'label' || this.place === 'data' || this.place === 'host')) {
      throw new FerruleError('internal', 'A secret came to a place that may not have one.', { where: this.source });
    }
    return seal(value);
  }

  #failed(why: string): FerruleError {
    return new FerruleError('expression_failed', `The expression failed: ${why}.`, { where: this.source });
  }
}

/** Bytes that are a key: as a JWK (RFC 7518, 6.4), which is text. */
const keyOf = (bytes: Uint8Array): string => JSON.stringify({ kty: 'oct', k: Buffer.from(bytes).toString('base64url') });

function seal(value: Value): Value {
  if (typeof value === 'string') return new Secret(value);
  if (Array.isArray(value)) return value.map(seal);
  if (value === null || typeof value !== 'object' || value instanceof Secret) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, seal(item)]));
}

function nameOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Uint8Array) return 'bytes';
  if (typeof value === 'object') return 'a map';
  return typeof value === 'string' ? 'a text' : typeof value === 'number' ? 'a number' : `a ${typeof value}`;
}

function partOf(compound: Compound, stands: Stands): Part {
  if ('text' in compound) return compound;
  const { source, mentions, lookup, hostLabel } = compound.expression;
  return { source, start: compound.start, end: compound.end, mentions, lookup, hostLabel, stands };
}

/** The result of a template of kind text. */
export const evaluateText = (template: Template, vars: Vars): Text | Absent => template.evaluate(vars) as Text | Absent;

/** The result of a template of kind condition. */
export const evaluateCondition = (template: Template, vars: Vars): boolean => template.evaluate(vars) as boolean;

/** The result of a template of kind number. */
export const evaluateNumber = (template: Template, vars: Vars): number => template.evaluate(vars) as number;
