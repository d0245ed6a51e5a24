import zlib from 'node:zlib';
import { FerruleError } from '../../core/errors.ts';
import type { DecodeGzip } from '../../core/spec-types.gen.ts';
import { refuseGrowth } from '../../http/decode.ts';
import { type Bytes, openBytes, peek } from './bytes.ts';
import { garbled, INFLATE, inflated } from './inflate.ts';
import { isGzip } from './recognise.ts';
import type { DecodeContext, Decoder } from './types.ts';

/** More layers are nobody's data. */
const MOST_LAYERS = 4;

/** By the bytes, not by the name: what is not compressed is read as it is, what was compressed twice is undone twice. */
export const gzip: Decoder<DecodeGzip> = {
  type: 'gzip',
  unpacks: true,
  async *read(bytes, _part, context, rest) {
    const layers: Bytes[] = [];
    let inner = bytes;
    try {
      while (isGzip(await peek(inner, 3))) {
        if (layers.length === MOST_LAYERS) throw tooMany(context);
        inner = openBytes(members(inner, context));
        layers.unshift(inner);
      }
      return yield* context.unpacked(inner, rest, context.contentType);
    } finally {
      for (const layer of layers) await layer.close();
    }
  },
};

/** One member after another, as RFC 1952 has them. Node's own reader of several drops what is no member; so does this. */
async function* members(bytes: Bytes, context: DecodeContext): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const piece of inflated(bytes, zlib.createGunzip(INFLATE), (cutOff) => garbled('The gzip answer', cutOff, context.where))) {
    size += piece.length;
    refuseGrowth(size, context.received(), 'gzip', context.where);
    yield piece;
  }
}

const tooMany = (context: DecodeContext): FerruleError =>
  new FerruleError('response_malformed', `The answer is compressed more than ${MOST_LAYERS} times, one gzip in another.`, {
    where: context.where(),
  });
