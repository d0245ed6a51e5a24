import type zlib from 'node:zlib';
import { FerruleError } from '../../core/errors.ts';
import type { Bytes } from './bytes.ts';

/** Larger pieces than zlib's own 16 KiB: each one costs a turn of the event loop. */
export const INFLATE = { chunkSize: 128 * 1024 };

/**
 * What a decompressor of node's makes of the bytes. It reads no further than the end of the compressed part: what comes behind it is put
 * back. The source is asked only when all that came is handed out, so that whoever stops here never leaves a read hanging.
 * @throws FerruleError response_malformed, said with `problem`, for data that is broken or cut off
 */
export async function* inflated(bytes: Bytes, stage: zlib.Gunzip | zlib.InflateRaw, problem: (cutOff: boolean) => FerruleError) {
  let wake = (): void => {};
  let broken: (Error & { code?: string }) | undefined;
  let ended = false;
  stage.on('readable', () => wake());
  stage.on('end', () => {
    ended = true;
    wake();
  });
  stage.on('error', (error) => {
    broken = error;
    wake();
  });
  try {
    while (!ended) {
      const piece = await bytes.next();
      const before = stage.bytesWritten;
      let written = false;
      if (piece === undefined) {
        stage.end();
      } else {
        stage.write(piece, () => {
          written = true;
          wake();
        });
      }
      while (!written && !ended) {
        if (broken) throw problem(broken.code === 'Z_BUF_ERROR');
        const made = stage.read() as Buffer | null;
        if (made) yield made;
        else if (!written && !ended)
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
      if (broken) throw problem(false);
      const used = stage.bytesWritten - before;
      if (piece === undefined || used === piece.length) continue;
      bytes.unread(piece.subarray(used));
      for (let made = stage.read() as Buffer | null; made; made = stage.read() as Buffer | null) yield made;
      return;
    }
  } finally {
    stage.destroy();
  }
}

/** For what is compressed and does not decompress. */
export const garbled = (what: string, cutOff: boolean, where: () => string): FerruleError =>
  new FerruleError('response_malformed', cutOff ? `${what} is cut off.` : `${what} does not decompress.`, {
    where: where(),
    next: cutOff ? 'Read it again; if that does not help, ask the provider.' : 'Correct decode in the spec, or ask the provider.',
  });
