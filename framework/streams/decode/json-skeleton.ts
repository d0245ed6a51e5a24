/** Where the search for the list of records is in a document, between two pieces of it. */
export interface Skeleton {
  /** Where the list is: the steps of `records` before the first `*`. */
  readonly steps: readonly string[];
  /** Open brackets. */
  depth: number;
  /** The containers on the way to the list that are open: their kinds, and in a list the element's index. */
  open: { list: boolean; index: number }[];
  /** The value that comes, or is there, in the innermost of them is on the way. */
  onWay: boolean;
  /** In the innermost container, an object, a key comes next. */
  keyNext: boolean;
  inString: boolean;
  escaped: boolean;
  /** Bytes of the key that is being read; undefined: none is. */
  key: number[] | undefined;
  /** A list began where it is looked for. */
  found: boolean;
  /** A key on the way came: what was found under the same key before does not count any more, since the last one wins. */
  replaced: boolean;
}

export const startSkeleton = (steps: readonly string[]): Skeleton => ({
  steps,
  depth: 0,
  open: [],
  onWay: true,
  keyNext: false,
  inString: false,
  escaped: false,
  key: undefined,
  found: false,
  replaced: false,
});

/**
 * Walks a piece of the document from `at` on, up to where the list begins. It believes that the document is JSON; whoever uses what it
 * finds must have it parsed.
 * @returns the index behind the list's opening bracket (`found`), or the piece's length
 */
export function walkSkeleton(skeleton: Skeleton, piece: Uint8Array, at: number): number {
  for (let i = at; i < piece.length; i++) {
    const byte = piece[i]!;
    if (skeleton.inString) {
      inString(skeleton, byte);
    } else if (byte === 34) {
      skeleton.inString = true;
      if (skeleton.keyNext && isInnermost(skeleton)) skeleton.key = [];
    } else if (byte === 123 || byte === 91) {
      if (opened(skeleton, byte === 91)) return i + 1;
    } else if (byte === 125 || byte === 93) {
      closed(skeleton);
    } else if (isInnermost(skeleton)) {
      if (byte === 44) nextMember(skeleton);
      else if (byte === 58) skeleton.keyNext = false;
    }
  }
  return piece.length;
}

/** Whether the walk is directly in the innermost container on the way, and not deeper in something beside it. */
const isInnermost = (skeleton: Skeleton): boolean => skeleton.depth === skeleton.open.length;

function inString(skeleton: Skeleton, byte: number): void {
  if (skeleton.escaped) skeleton.escaped = false;
  else if (byte === 92) skeleton.escaped = true;
  else if (byte === 34) {
    skeleton.inString = false;
    if (skeleton.key) keyRead(skeleton, skeleton.key);
    return;
  }
  if (skeleton.key && skeleton.key.push(byte) > longestSpelling(skeleton)) skeleton.key = undefined;
}

/** Of the step that is looked for, in bytes: six for each UTF-16 unit (`\u0061`). A longer key is another one, and not kept. */
const longestSpelling = (skeleton: Skeleton): number => 6 * (skeleton.steps[skeleton.open.length - 1] ?? '').length;

function keyRead(skeleton: Skeleton, key: number[]): void {
  skeleton.key = undefined;
  skeleton.onWay = textOf(key) === skeleton.steps[skeleton.open.length - 1];
  if (skeleton.onWay) skeleton.replaced = true;
}

/** Undefined for a key that is no JSON: the document's parser will say so. */
function textOf(key: number[]): string | undefined {
  const text = Buffer.from(key).toString('utf8');
  if (!text.includes('\\')) return text;
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    return undefined;
  }
}

/** True when it is the list that is looked for. */
function opened(skeleton: Skeleton, list: boolean): boolean {
  const here = skeleton.onWay && isInnermost(skeleton);
  if (here && skeleton.open.length === skeleton.steps.length) {
    skeleton.onWay = false;
    if (list) {
      skeleton.found = true;
      return true;
    }
    skeleton.depth += 1;
    return false;
  }
  skeleton.depth += 1;
  if (here) {
    skeleton.open.push({ list, index: 0 });
    skeleton.keyNext = !list;
    skeleton.onWay = list && isIndex(skeleton, 0);
  }
  return false;
}

function closed(skeleton: Skeleton): void {
  skeleton.depth -= 1;
  if (skeleton.depth >= skeleton.open.length) return;
  skeleton.open.pop();
  skeleton.onWay = false;
  skeleton.keyNext = false;
}

function nextMember(skeleton: Skeleton): void {
  const container = skeleton.open.at(-1);
  if (container === undefined) return;
  container.index += 1;
  skeleton.onWay = container.list && isIndex(skeleton, container.index);
  skeleton.keyNext = !container.list;
}

/** As `core/path.ts` reads a step in a list. */
function isIndex(skeleton: Skeleton, index: number): boolean {
  const step = skeleton.steps[skeleton.open.length - 1] ?? '';
  return /^\d{1,9}$/.test(step) && Number(step) === index;
}
