import type { Column } from '../core/spec-types.gen.ts';
import type { Data } from './data.ts';
import { hex, scatter } from './seeded.ts';

/** Above 2^53 and odd: a reader that goes through a double gives another digit. */
export const BIG = 9007199254740993n;
const DAY = 86_400_000;
const FIRST_DAY = Date.UTC(2026, 0, 1);

const WORDS = ['Amber', 'Birch', 'Cobalt', 'Délta', 'Ember', 'Fjord', 'Garnet', 'Harbour', 'Iris', 'Jade', 'Kelp', '東京'];
const NICKNAMES = ['ana', 'ben', 'chloe', 'dev', 'eva', 'finn', 'gao', 'hana'];
const PEOPLE = ['Ana Lima', 'Ben Okoro', 'Chloë Martin', 'Dev Patel', 'Eva Novák', 'Finn Berg', 'Gao Lin', 'Hana Sato'];

/** Makes a key column's values: another one for each index. */
export function keyMaker(name: string, type: Column['type'], options: { big: boolean; seed: string }): (index: number) => Data {
  const { big, seed } = options;
  if (type === 'boolean') return (index) => index % 2 === 0;
  if (type === 'integer' || type === 'number') {
    const first = 1001 + (scatter(`${seed}.${name}`)(0) % 9) * 1000;
    return (index) => (big ? BIG + BigInt(index) * 2n : first + index);
  }
  const prefix = hex(6, seed, name);
  return (index) => `${prefix}-${index + 1}`;
}

/** Makes a column's values: such as could be real, by its type and name; the same for the same seed and index. */
export function columnMaker(name: string, column: Column, seed: string): (index: number) => Data {
  const random = scatter(`${seed}.${name}`);
  switch (column.type) {
    case 'integer': {
      const reference = /id$|_by$|By$/i.test(name);
      return (index) => (reference ? 1001 + (random(index) % 500) : random(index) % 1000);
    }
    case 'number':
      return (index) => (random(index) % 100_000) / 100;
    case 'boolean':
      return (index) => random(index) % 3 !== 0;
    case 'date':
      return (index) => day(FIRST_DAY + (random(index) % 365) * DAY);
    case 'datetime':
      return (index) => stamp(FIRST_DAY + (random(index) % (365 * 86_400)) * 1000);
    case 'object':
      return (index) => ({ name: `${pickOne(WORDS, random(index))} ${index + 1}`, value: random(index) % 100 });
    case 'list':
      return (index) => [pickOne(WORDS, random(index)), pickOne(WORDS, random(index) >>> 8)].slice(0, random(index) % 3);
    default: {
      const text = textMaker(name, column);
      return (index) => text(index, random(index));
    }
  }
}

type TextMaker = (index: number, random: number) => string;

/** By the words in the column's name; the first that fits. */
const NAMED: [RegExp, TextMaker][] = [
  [/email/, (index, random) => `${pickOne(NICKNAMES, random)}.${index + 1}@example.com`],
  [/url$|link$|permalink|website/, (index) => `https://www.example.com/pages/${index + 1}`],
  [/currency/, (_, random) => pickOne(['EUR', 'USD', 'JPY', 'BRL'], random)],
  [/country/, (_, random) => pickOne(['DE', 'US', 'JP', 'BR', 'CL'], random)],
  [/phone/, (_, random) => `+49 30 ${String(random % 10_000_000).padStart(7, '0')}`],
  [/firstname|first_name/, (_, random) => pickOne(PEOPLE, random).split(' ')[0]!],
  [/lastname|last_name/, (_, random) => pickOne(PEOPLE, random).split(' ')[1]!],
  [/user|author|customer|fullname|owner/, (_, random) => pickOne(PEOPLE, random)],
  [/date|_at$|time$/, (_, random) => stamp(FIRST_DAY + (random % (365 * 86_400)) * 1000)],
  [
    /description|comment|note|text|details|body/,
    (index, random) => `${pickOne(WORDS, random)} and "${pickOne(WORDS, random >>> 8)}", line ${index + 1}\nnext line`,
  ],
];

function textMaker(name: string, { help, example }: Column): TextMaker {
  const listed = listedIn(help ?? '');
  if (listed.length > 1) return (_, random) => pickOne(listed, random);
  const named = NAMED.find(([words]) => words.test(name.toLowerCase()))?.[1];
  const plain: TextMaker = named ?? ((index, random) => `${pickOne(WORDS, random)} ${index + 1}`);
  return example === undefined ? plain : (index, random) => (random % 4 === 0 ? String(example) : plain(index, random));
}

/** The values that a help sentence lists: `OPEN, CANCELLED or COMPLETED`. */
function listedIn(help: string): string[] {
  if (/^[a-z_]+(, [a-z_]+)* (and|or) [a-z_]+$/.test(help)) return help.split(/, | and | or /).filter((word) => word !== 'others');
  return [...help.matchAll(/\b[A-Z][A-Z_]{2,}\b/g)].map(([word]) => word);
}

const pickOne = <T>(list: readonly T[], random: number): T => list[random % list.length]!;
export const day = (time: number): string => new Date(time).toISOString().slice(0, 10);
export const stamp = (time: number): string => new Date(time).toISOString().replace('.000Z', 'Z');
