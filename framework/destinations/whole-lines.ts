import type { FileHandle } from 'node:fs/promises';

const CHUNK = 1_048_576;
export const NEWLINE = 0x0a;

/** Writes all of it at `position`: one call may write less than it was given. */
export async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    written += (await handle.write(bytes, written, bytes.length - written, position + written)).bytesWritten;
  }
}

/** The bytes of a file in pieces, from `start` to `end`. A piece is good until the next one is asked for. */
export async function* eachChunk(handle: FileHandle, start = 0, end = Number.POSITIVE_INFINITY): AsyncGenerator<Buffer> {
  const chunk = Buffer.allocUnsafe(CHUNK);
  for (let position = start; position < end; ) {
    const { bytesRead } = await handle.read(chunk, 0, Math.min(CHUNK, end - position), position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}

/** The lines of a file that end in a newline, and where each ends; what follows the last newline is an empty text, which no line is. */
export async function* eachLine(handle: FileHandle): AsyncGenerator<{ text: string; end: number }> {
  let rest: Buffer[] = [];
  let position = 0;
  for await (const chunk of eachChunk(handle)) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      rest.push(chunk.subarray(start, end));
      start = end + 1;
      yield { text: Buffer.concat(rest).toString('utf8'), end: position + start };
      rest = [];
    }
    // Copied: the chunk is filled anew.
    if (start < chunk.length) rest.push(Buffer.from(chunk.subarray(start)));
    position += chunk.length;
  }
  if (rest.length > 0) yield { text: '', end: position };
}
