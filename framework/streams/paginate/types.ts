import type { Scope, Vars } from '../../core/expression/index.ts';
import type { Paginate } from '../../core/spec-types.gen.ts';
import type { Json, JsonObject, Patch, Response } from '../../core/value.ts';

/** What a paginator sees of the page that just came. */
export interface PageSeen {
  response: Response;
  /** How many records it has, as the provider sent them: before keep, add and remove. */
  size: number;
  /** The last of them. */
  last: JsonObject | undefined;
  /** The patch that asked for this page. */
  patch: Patch;
  /** 0 for the first. */
  index: number;
  /** Records so far, this page included. */
  count: number;
  vars: Vars;
}

/** Two functions over JSON: nothing is kept between calls, so any page can be asked for again from its patch. */
export interface Paginator {
  first(): Patch;
  /** The next page's patch; undefined on the last page. */
  next(page: PageSeen): Patch | undefined;
}

/** One way to page. `type` is the word in the YAML; its schema is schemas/paginate/<type>.schema.json. */
export interface PaginateStrategy<T extends Paginate = Paginate> {
  type: T['type'];
  create(options: T, scope: Scope): Paginator;
}

/** Reads a path or a computed path from a page. */
export type PageReader = (page: PageSeen) => Json | undefined;
