import { FerruleError } from '../../core/errors.ts';
import type { DecodeZip } from '../../core/spec-types.gen.ts';
import { openBytes } from './bytes.ts';
import { chainOfName } from './recognise.ts';
import type { Decoder } from './types.ts';
import { zipFiles } from './zip-files.ts';

/** The files of an archive in its order, those that match `file`; each is read by the parts that follow, else by its own ending. */
export const zip: Decoder<DecodeZip> = {
  type: 'zip',
  unpacks: true,
  async *read(bytes, part, context, rest) {
    let files = 0;
    let read = 0;
    for await (const file of zipFiles(bytes, context)) {
      files += 1;
      if (!fits(file.name, part.file)) continue;
      read += 1;
      const contents = openBytes(file.contents);
      yield* context.unpacked(contents, rest.length > 0 ? rest : (chainOfName(file.name) ?? []), undefined);
    }
    if (read === 0 && !context.records.optional) {
      const what = part.file === undefined ? 'It holds no file.' : `None of its ${files} files matches ${part.file}.`;
      throw new FerruleError('records_missing', `The ZIP archive has nothing to read. ${what}`, {
        where: context.place.where,
        next: 'Correct file under decode in the spec; a trailing ? on records allows absence.',
      });
    }
    return null;
  },
};

/** `*` stands for any text, folders too; a pattern without a folder fits a file in any. A walk, since the names are the provider's. */
function fits(name: string, file: string | undefined): boolean {
  if (file === undefined) return true;
  const [first = '', ...others] = file.split('*');
  const whole = file.includes('/') ? name : name.slice(name.lastIndexOf('/') + 1);
  const last = others.pop();
  if (last === undefined) return whole === first;
  if (!whole.startsWith(first) || !whole.endsWith(last)) return false;
  let at = first.length;
  for (const part of others) {
    const found = whole.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at + last.length <= whole.length;
}
