import { FerruleError } from '../../core/errors.ts';
import { compilePath } from '../../core/path.ts';
import type { DecodeChain } from '../../core/resolved.ts';
import type { Json, JsonObject } from '../../core/value.ts';
import { recordsPlace } from '../records.ts';
import { type Bytes, openBytes, peek } from './bytes.ts';
import { csv } from './csv.ts';
import { gzip } from './gzip.ts';
import { json } from './json.ts';
import { jsonl } from './jsonl.ts';
import { chainOfBytes, chainOfType, isGzip } from './recognise.ts';
import { text } from './text.ts';
import type { DecodeContext, Decoder, Records } from './types.ts';
import { xml } from './xml.ts';
import { zip } from './zip.ts';

export interface DecodeOptions {
  /** From the spec, outermost first. Empty: by content type, else by the first bytes. */
  chain: DecodeChain;
  contentType: string | undefined;
  /** Path text of the stream's `records`, never computed: `$`, `data.rows`, `$.*.order`, `data?`. */
  records: string;
  bigIntegers: 'number' | 'text';
  /** For errors: `streams.orders.records`. */
  where: string;
  /** About so many bytes of input make one batch. Default 256 KiB. */
  batchBytes?: number;
}

const ALL = [json, jsonl, csv, xml, text, gzip, zip] as unknown as Decoder[];

/** Every decoder by its word in the YAML. */
export const DECODERS: ReadonlyMap<string, Decoder> = new Map(ALL.map((decoder) => [decoder.type, Object.freeze(decoder)]));
if (DECODERS.size !== ALL.length) throw new FerruleError('internal', 'two decoders have one name');

const BATCH = 256 * 1024;
/** Archives in archives: no real answer has more. */
const MOST_PARTS = 8;

/**
 * The records of an answer, in batches, as its bytes come: no more is kept than a batch, and what the document has besides the records.
 * Ends the body, however it ends itself. Errors of the body go through as they are.
 * @returns what is left of the document (JSON and XML: without the records in a list), for paginators and captures; null where there is none
 * @throws FerruleError response_malformed, records_missing, number_too_large; all may come after batches that are good
 */
export async function* decodeStream(body: AsyncIterable<Uint8Array>, options: DecodeOptions): AsyncGenerator<JsonObject[], Json> {
  const bytes = openBytes(body);
  try {
    const stream = /^streams\.(.+)\.records$/.exec(options.where)?.[1] ?? options.where;
    const place = { ...recordsPlace(stream, options.records), where: options.where };
    const context = {
      contentType: options.contentType,
      records: compilePath(options.records),
      place,
      bigIntegers: options.bigIntegers,
      where: () => options.where.replace(/\.records$/, ''),
      batchBytes: options.batchBytes ?? BATCH,
      received: bytes.taken,
    };
    return yield* read(bytes, options.chain, { ...context, unpacked: () => never() }, 0);
  } finally {
    await bytes.close();
  }
}

/** Whether an answer of this content type must be read by decodeStream, rather than as one JSON text. */
export function isStreamed(chain: DecodeChain, contentType: string | undefined): boolean {
  if (chain.length > 0) return true;
  const found = chainOfType(contentType)?.[0];
  return found !== undefined && found.type !== 'json';
}

async function* read(bytes: Bytes, chain: DecodeChain, context: DecodeContext, depth: number): Records {
  if (depth > MOST_PARTS) throw malformed(`The answer is packed more than ${MOST_PARTS} times, one in another.`, context);
  const [part, ...rest] = chain.length > 0 ? chain : await recognised(bytes, context);
  const decoder = DECODERS.get(part!.type);
  if (decoder === undefined)
    throw new FerruleError('spec_invalid', `decode ${part!.type} is unknown; known: ${[...DECODERS.keys()].join(', ')}`, {
      where: `${context.where()}.decode`,
    });
  if (!decoder.unpacks && rest.length > 0)
    throw new FerruleError('spec_invalid', `Nothing can follow ${part!.type} under decode: it makes records, not bytes.`, {
      where: `${context.where()}.decode`,
    });
  const inner: DecodeContext = {
    ...context,
    unpacked: (next, nextChain, contentType) => read(next, nextChain, { ...context, contentType }, depth + 1),
  };
  return yield* decoder.read(bytes, part!, inner, rest);
}

/** By content type, but what is compressed is uncompressed first whatever it is called; else by the first bytes. */
async function recognised(bytes: Bytes, context: DecodeContext): Promise<DecodeChain> {
  if (isGzip(await peek(bytes, 3))) return [{ type: 'gzip' }];
  const byType = chainOfType(context.contentType);
  // Behind gzip the type may still be that of the outer bytes.
  if (byType && byType[0]?.type !== 'gzip') return byType;
  const head = await peek(bytes, 512);
  const byBytes = chainOfBytes(head);
  if (byBytes) return byBytes;
  if (head.length === 0) return [{ type: 'json' }];
  const type = context.contentType === undefined ? 'has no content type' : `is ${context.contentType.split(';', 1)[0]?.slice(0, 60)}`;
  throw malformed(
    `The answer ${type}, and its first bytes do not say what it is.`,
    context,
    'Write decode in the spec: csv, jsonl, text …',
  );
}

const malformed = (message: string, context: DecodeContext, next?: string): FerruleError =>
  new FerruleError('response_malformed', message, { where: context.where(), ...(next !== undefined && { next }) });

/** Stands where `read` puts the real one. */
function never(): never {
  throw new FerruleError('internal', 'a decoder went on without its chain');
}
