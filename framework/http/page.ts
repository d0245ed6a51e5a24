import type { Answer } from './answer.ts';
import type { PagedResponse } from './types.ts';

/** A whole answer, as a page of a stream is given. */
export const pagedOf = (answer: Answer): PagedResponse => ({
  status: answer.status,
  headers: answer.headers,
  get cookies() {
    return answer.cookies;
  },
  get url() {
    return answer.url;
  },
  empty: answer.empty,
  attempts: answer.attempts,
  bytes: answer.bytes,
  json: () => answer.decode('json'),
  stream: undefined,
});

/** The first bytes of a body; without a rest they are all of it. */
export async function beginning(body: AsyncIterable<Buffer>, most: number): Promise<{ begun: Buffer; rest?: AsyncIterator<Buffer> }> {
  const chunks: Buffer[] = [];
  let size = 0;
  const rest = body[Symbol.asyncIterator]();
  for (;;) {
    const { value, done } = await rest.next();
    if (done) return { begun: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size) };
    chunks.push(value);
    size += value.length;
    if (size > most) return { begun: Buffer.concat(chunks, size), rest };
  }
}

/** What was read of a body, and then the rest. */
export async function* joinedBody(begun: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield begun;
    for (;;) {
      const { value, done } = await rest.next();
      if (done) return;
      yield value;
    }
  } finally {
    await rest.return?.();
  }
}
