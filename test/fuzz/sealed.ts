import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { isFerruleError } from '../../framework/core/errors.ts';
import { reveal, Secret } from '../../framework/core/secret.ts';
import { seal, unseal } from '../../framework/credentials/sealed.ts';
import { canary } from '../canary.ts';
import { must, type Property, thrownBy } from './target.ts';

const HIDDEN = canary('fuzz sealed');
const STEM = HIDDEN.slice(6, 30);
const KEY = new Uint8Array(32).fill(0xa1);
const OTHER = new Uint8Array(32).fill(0xb2);
const RANDOM = { float: () => 0.5, bytes: (size: number) => new Uint8Array(size).fill(7), uuid: () => '' };

/** One thing that happens to bytes on a disk. */
type Damage =
  | { kind: 'flip'; at: number; mask: number }
  | { kind: 'cut'; at: number }
  | { kind: 'drop'; at: number; length: number }
  | { kind: 'insert' | 'overwrite'; at: number; bytes: Uint8Array };

const at = fc.nat();
const bytes = fc.uint8Array({ minLength: 1, maxLength: 12 });
const damage: fc.Arbitrary<Damage> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('flip' as const), at, mask: fc.integer({ min: 1, max: 255 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cut' as const), at }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), at, length: fc.integer({ min: 1, max: 20 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('insert' as const, 'overwrite' as const), at, bytes }) },
);

function damaged(file: Buffer, all: readonly Damage[]): Buffer {
  let result: Buffer = Buffer.from(file);
  for (const one of all) {
    const here = result.length === 0 ? 0 : one.at % result.length;
    if (one.kind === 'flip' && result.length > 0) result[here] = result[here]! ^ one.mask;
    else if (one.kind === 'cut') result = result.subarray(0, here);
    else if (one.kind === 'drop') result = Buffer.concat([result.subarray(0, here), result.subarray(here + one.length)]);
    else if (one.kind === 'insert') result = Buffer.concat([result.subarray(0, here), one.bytes, result.subarray(here)]);
    else if (one.kind === 'overwrite') result.set(one.bytes.subarray(0, result.length - here), here);
  }
  return result;
}

/** As whoever changes a file on purpose would do it: the checksum at its end fits again. */
function withChecksum(file: Buffer): Buffer {
  const body = file.subarray(0, Math.max(0, file.length - 8));
  return Buffer.concat([body, createHash('sha256').update(body).digest().subarray(0, 8)]);
}

const key = fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom('$secret', '$', '$$secret', '__proto__', 'constructor', 'toJSON', 'é'));
const { data } = fc.letrec<{ data: unknown }>((tie) => ({
  data: fc.oneof(
    { maxDepth: 3 },
    fc.constant(null),
    fc.oneof(fc.string({ unit: 'grapheme', maxLength: 8 }), fc.boolean(), fc.integer()),
    fc.constant(new Secret(HIDDEN)),
    fc.array(tie('data'), { maxLength: 3 }),
    fc.dictionary(key, tie('data'), { maxKeys: 3, noNullPrototype: true }),
  ),
}));

interface Input {
  name: string;
  data: unknown;
  damage: Damage[];
  mended: boolean;
  opener: 'same' | 'other key' | 'other name';
}

/** Text of all that is in it, secrets told from texts. */
const written = (value: unknown): string =>
  JSON.stringify(value, function (this: Record<string, unknown>, name, shown: unknown) {
    const raw = this[name];
    return raw instanceof Secret ? `secret:${reveal(raw)}` : typeof shown === 'string' ? `text:${shown}` : shown;
  });

export const sealed: Property<Input> = {
  name: 'sealed',
  input: fc.record({
    name: fc.oneof(fc.string({ unit: 'grapheme', maxLength: 20 }), fc.constantFrom('one', 'é', '../x')),
    data,
    damage: fc.array(damage, { maxLength: 3 }),
    mended: fc.boolean(),
    opener: fc.constantFrom('same', 'same', 'same', 'other key', 'other name'),
  }),
  check({ name, data: content, damage: all, mended, opener }) {
    const file = seal(name, content, KEY, RANDOM);
    must(!file.includes(STEM), () => 'the sealed file shows the secret');
    const broken = mended ? withChecksum(damaged(file, all)) : damaged(file, all);
    let found: unknown;
    const thrown = thrownBy(() => {
      found = unseal(opener === 'other name' ? `${name}x` : name, broken, [opener === 'other key' ? OTHER : KEY], 'the file');
    });
    if (thrown === undefined) {
      must(broken.equals(file) && opener === 'same', () => `a changed file was opened: ${inspect(found)}`);
      must(written(found) === written(content), () => `${written(content)} came back as ${written(found)}`);
      return;
    }
    const { error } = thrown;
    must(isFerruleError(error), () => `it threw ${inspect(error)}`);
    must(error.code === 'store_unreadable' || error.code === 'store_key_wrong', () => `it threw ${error.code}`);
    must(!(broken.equals(file) && opener === 'same'), () => `a sound file was refused: ${error.message}`);
    must(!inspect(error, { depth: 9, showHidden: true }).includes(STEM), () => 'the error shows the secret');
  },
};
