import type { BigIntegers } from '../../core/json.ts';
import type { Path } from '../../core/path.ts';
import type { DecodeChain } from '../../core/resolved.ts';
import type { Json, JsonObject } from '../../core/value.ts';
import type { RecordsPlace } from '../records.ts';
import type { Bytes } from './bytes.ts';

/** Records in batches; at the end what is left of the document, null where there is none. */
export type Records = AsyncGenerator<JsonObject[], Json>;

/** What every decoder knows of the answer. */
export interface DecodeContext {
  /** Of the bytes that the decoder gets: undefined where only the outer ones had one. */
  contentType: string | undefined;
  records: Path;
  place: RecordsPlace;
  bigIntegers: BigIntegers;
  /** For errors that are not about `records`: `streams.orders`. */
  where: () => string;
  batchBytes: number;
  /** Bytes that came over the wire so far: what any decompression is measured by. */
  received: () => number;
  /** Goes on with what a decoder unpacked; an empty chain means by content type or first bytes. */
  unpacked(bytes: Bytes, chain: DecodeChain, contentType: string | undefined): Records;
}

export type DecodePart = DecodeChain[number];

/** One way to read bytes. `type` is the word in the YAML; its schema is schemas/decode/<type>.schema.json. */
export interface Decoder<P extends DecodePart = DecodePart> {
  type: P['type'];
  /** Its result is bytes again, so that another part may follow. */
  unpacks: boolean;
  /** `rest`: the parts that follow, for those that unpack. */
  read(bytes: Bytes, part: P, context: DecodeContext, rest: DecodeChain): Records;
}
