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

/** What was read of a body, and then the rest. */
export async function* joinedBody(begun: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield begun;
  yield* rest;
}
