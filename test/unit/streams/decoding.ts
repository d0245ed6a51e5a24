import type { Json, JsonObject } from '../../../framework/core/value.ts';
import { type DecodeOptions, decodeStream } from '../../../framework/streams/decode/index.ts';

/** Bytes in pieces that end at these places. */
export async function* pieces(bytes: Uint8Array, cuts: readonly number[] = []): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    const to = Math.min(Math.max(cut, from), bytes.length);
    yield bytes.subarray(from, to);
    from = to;
  }
  yield bytes.subarray(from);
}

/** The same in pieces of one size. */
export const piecesOf = (bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> =>
  pieces(
    bytes,
    Array.from({ length: Math.floor(bytes.length / size) }, (_, i) => (i + 1) * size),
  );

export interface Decoded {
  records: JsonObject[];
  rest: Json;
  batches: number;
}

/** Reads to the end. */
export async function decode(
  body: AsyncIterable<Uint8Array> | string | Uint8Array,
  options: Partial<DecodeOptions> = {},
): Promise<Decoded> {
  const source = typeof body === 'string' ? pieces(Buffer.from(body)) : body instanceof Uint8Array ? pieces(body) : body;
  const stream = decodeStream(source, {
    chain: [],
    contentType: undefined,
    records: '$',
    bigIntegers: 'number',
    where: 'streams.orders.records',
    ...options,
  });
  const records: JsonObject[] = [];
  for (let batches = 0; ; batches++) {
    const step = await stream.next();
    if (step.done) return { records, rest: step.value, batches };
    for (const record of step.value) records.push(record);
  }
}
