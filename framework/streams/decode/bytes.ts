/** A body that is read piece by piece, and of which a piece that was not needed can be put back. */
export interface Bytes {
  /** The next piece, never an empty one; undefined at the end. */
  next(): Promise<Buffer | undefined>;
  /** Puts bytes back in front of all that is still to come. */
  unread(piece: Buffer): void;
  /** Ends the source, wherever it is. */
  close(): Promise<void>;
  /** Bytes that were taken from the source, those that were put back included. */
  taken(): number;
}

/**
 * A body that comes in one piece is still read in batches. And texts of more than 128 KiB cost ten times as much to make: the platform maps
 * memory for each.
 */
export const LONGEST_PIECE = 64 * 1024;

/** Errors of the source go through as they are. Its pieces are cut to 64 KiB at the most. */
export function openBytes(body: AsyncIterable<Uint8Array>): Bytes {
  const iterator = body[Symbol.asyncIterator]();
  const back: Buffer[] = [];
  let taken = 0;
  let done = false;
  const shortened = (piece: Buffer): Buffer => {
    if (piece.length <= LONGEST_PIECE) return piece;
    back.push(piece.subarray(LONGEST_PIECE));
    return piece.subarray(0, LONGEST_PIECE);
  };
  return {
    async next() {
      const piece = back.pop();
      if (piece) return shortened(piece);
      while (!done) {
        const step = await iterator.next();
        if (step.done) {
          done = true;
          break;
        }
        if (step.value.length === 0) continue;
        taken += step.value.length;
        return shortened(asBuffer(step.value));
      }
      return undefined;
    },
    unread(piece) {
      if (piece.length > 0) back.push(piece);
    },
    async close() {
      if (done) return;
      done = true;
      await iterator.return?.();
    },
    taken: () => taken,
  };
}

const asBuffer = (piece: Uint8Array): Buffer =>
  Buffer.isBuffer(piece) ? piece : Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);

/** The first bytes, which stay where they are: at least `wanted`, or all there are. */
export async function peek(bytes: Bytes, wanted: number): Promise<Buffer> {
  const head = await take(bytes, wanted);
  bytes.unread(head);
  return head;
}

/** At least `wanted` bytes in one piece, or all there are: a piece that came may be longer. */
async function take(bytes: Bytes, wanted: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  while (size < wanted) {
    const piece = await bytes.next();
    if (piece === undefined) break;
    pieces.push(piece);
    size += piece.length;
  }
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

/** Exactly so many bytes; fewer only at the end. */
export async function takeExactly(bytes: Bytes, wanted: number): Promise<Buffer> {
  const piece = await take(bytes, wanted);
  if (piece.length <= wanted) return piece;
  bytes.unread(piece.subarray(wanted));
  return piece.subarray(0, wanted);
}

/** The next `size` bytes as a body of their own: closing it leaves the source open. */
export function firstOf(bytes: Bytes, size: number): Bytes {
  let left = size;
  return {
    async next() {
      if (left === 0) return undefined;
      const piece = await bytes.next();
      if (piece === undefined) return undefined;
      const own = piece.subarray(0, left);
      bytes.unread(piece.subarray(own.length));
      left -= own.length;
      return own;
    },
    unread(piece) {
      left += piece.length;
      bytes.unread(piece);
    },
    async close() {},
    taken: () => size - left,
  };
}
