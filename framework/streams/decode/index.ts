import type { DecodeChain } from '../../core/resolved.ts';
import type { Json, JsonObject } from '../../core/value.ts';
export interface DecodeOptions {
  chain: DecodeChain;
  contentType: string | undefined;
  records: string;
  bigIntegers: 'number' | 'text';
  where: string;
  batchBytes?: number;
}
export function decodeStream(_body: AsyncIterable<Uint8Array>, _options: DecodeOptions): AsyncGenerator<JsonObject[], Json> {
  throw new Error('later');
}
export const isStreamed = (_chain: DecodeChain, _contentType: string | undefined): boolean => false;
