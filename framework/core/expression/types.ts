import type { Absent } from '../absent.ts';
import type { Value } from '../value.ts';

/** What stands at a key, of the kinds that may hold `${…}`. The key decides, never the content. */
export type Kind = 'text' | 'value' | 'condition' | 'number' | 'computed_path';

/**
 * Where a result lands, which decides how it is escaped and whether it may be secret. `url` is the text of a whole URL
 * or of a path under the base URL, `path` one segment, `query` the value of one query entry, `body` a leaf of a body.
 */
export type Place =
  | 'plain'
  | 'header'
  | 'cookie'
  | 'query'
  | 'path'
  | 'url'
  | 'host'
  | 'body'
  | 'label'
  | 'graphql'
  | 'xml'
  | 'data'
  | 'key';

export type ScopeType = 'text' | 'number' | 'bool' | 'any' | 'list' | 'map' | 'time' | 'bytes';

/** What is known of a name before any run. */
export interface ScopeEntry {
  type: ScopeType;
  secret?: boolean;
  /** May be without a value. */
  absent?: boolean;
  /** May stand in the host of a URL; `label`: its value is one DNS label. */
  host?: boolean | 'label';
  /** Its value is scheme, host and path; it may stand at the very start of a URL. `whole`: with a query, such as a signature, as it came. */
  url?: boolean | 'whole';
  /** Text of the spec itself: in a path it may hold several segments. */
  trusted?: boolean;
  /** The closed set of names below it. Without: unknown content. */
  members?: Record<string, ScopeEntry>;
  /** What any name below it is, where the names are not known. */
  others?: ScopeEntry;
}

export type Scope = Record<string, ScopeEntry>;

export interface Problem {
  rule: 'expression_syntax' | 'expression_name' | 'expression_type' | 'expression_place' | 'expression_refused';
  message: string;
  hint?: string;
  /** Offsets in the given text. */
  start: number;
  end: number;
}

/** Values by root name. Secrets may stand anywhere; times are `Date` or epoch milliseconds; undefined is no value. */
export type Vars = Record<string, unknown>;

/** Which part of a URL an expression stands in; `text` where the place is no URL. */
export type Stands = 'text' | 'url' | 'host' | 'path' | 'query';

export type Part =
  | { text: string }
  | {
      source: string;
      start: number;
      end: number;
      /** Declared names that it reads: `[['fields', 'site']]`. */
      mentions: string[][];
      /** The names of a plain look-up; undefined for any other expression. */
      lookup: string[] | undefined;
      /** Is it host_label(…)? */
      hostLabel: boolean;
      stands: Stands;
    };

export interface Template {
  readonly source: string;
  readonly kind: Kind;
  readonly place: Place;
  /** Its result is a Secret; of a list or map, the text leaves are. */
  readonly secret: boolean;
  /** It holds no expression. */
  readonly literal: boolean;
  readonly canBeAbsent: boolean;
  /** Declared names only: what lies below an entry of unknown content is not listed. */
  readonly mentions: readonly (readonly string[])[];
  readonly parts: readonly Part[];
  /** @throws FerruleError path_missing, expression_failed, input_malformed: with names, never with values */
  evaluate(vars: Vars): Value | Absent;
}

export interface Compiled {
  /** Undefined when there are problems. */
  template: Template | undefined;
  problems: readonly Problem[];
}

/** One expression, ready to run. `source` is what stands between the braces. */
export interface Expression {
  source: string;
  mentions: string[][];
  lookup: string[] | undefined;
  /** The entry that a plain look-up reaches. */
  entry: ScopeEntry | undefined;
  hostLabel: boolean;
  secret: boolean;
  canBeAbsent: boolean;
  /** What the check says that it gives; any when only a run can tell. */
  type: ScopeType | 'null' | 'duration' | 'type';
  run(vars: Vars, opened: Opened): unknown;
}

/** Set while an expression runs when a Secret was opened, so that the result is wrapped again. */
export interface Opened {
  secret: boolean;
}
