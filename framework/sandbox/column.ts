import type { Column } from '../core/spec-types.gen.ts';
import type { Data } from './data.ts';
import { hex, scatter } from './seeded.ts';

/** Above 2^53 and odd: a reader that goes through a double gives another digit. */
export const BIG = 9007199254740993n;
const DAY = 86_400_000;
const FIRST_DAY = Date.UTC(2026, 0, 1);

const WORDS = ['Amber', 'Birch', 'Cobalt', 'Délta', 'Ember', 'Fjord', 'Garnet', 'Harbour', 'Iris', 'Jade', 'Kelp', '東京'];
const PEOPLE = ['Ana Lima', 'Ben Okoro', 'Chloë Martin', 'Dev Patel', 'Eva Novák', 'Finn Berg', 'Gao Lin', 'Hana Sato'];

/** A key column's value: another one for each index. */
export function keyValue(name: string, type: Column['type'], index: number, options: { big: boolean; seed: string }): Data {
  if (type === 'integer' || type === 'number') return options.big ? BIG + BigInt(index) * 2n : firstId(name, options.seed) + index;
  if (type === 'date') return day(FIRST_DAY + index * DAY);
  if (type === 'datetime') return stamp(FIRST_DAY + index * 60_000);
  if (type === 'boolean') return index % 2 === 0;
  return `${hex(6, options.seed, name)}-${index + 1}`;
}

const firstId = (name: string, seed: string): number => 1001 + (scatter(`${seed}.${name}`, 0) % 9) * 1000;

/** A value that could be real, by the column's type and name; the same for the same seed and index. */
export function columnValue(name: string, column: Column, index: number, seed: string): Data {
  const random = scatter(`${seed}.${name}`, index);
  switch (column.type) {
    case 'integer':
      return /id$|_by$|By$/i.test(name) ? 1001 + (random % 500) : random % 1000;
    case 'number':
      return (random % 100_000) / 100;
    case 'boolean':
      return random % 3 !== 0;
    case 'date':
      return day(FIRST_DAY + (random % 365) * DAY);
    case 'datetime':
      return stamp(FIRST_DAY + (random % (365 * 86_400)) * 1000);
    case 'object':
      return { name: `${pickOne(WORDS, random)} ${index + 1}`, value: random % 100 };
    case 'list':
      return [pickOne(WORDS, random), pickOne(WORDS, random >>> 8)].slice(0, random % 3);
    default:
      return textValue(name, column, index, random);
  }
}

function textValue(name: string, column: Column, index: number, random: number): string {
  const listed = listedIn(column.help ?? '');
  if (listed.length > 1) return pickOne(listed, random);
  const lower = name.toLowerCase();
  if (/email/.test(lower))
    return `${
      pickOne(WORDS, random)
        .normalize('NFKD')
        .replace(/[^A-Za-z]/g, '') || 'tokyo'
    }.${index + 1}@example.com`.toLowerCase();
  if (/url$|link$|permalink|website/.test(lower)) return `https://www.example.com/${lower}/${index + 1}`;
  if (/currency/.test(lower)) return pickOne(['EUR', 'USD', 'JPY', 'BRL'], random);
  if (/country/.test(lower)) return pickOne(['DE', 'US', 'JP', 'BR', 'CL'], random);
  if (/phone/.test(lower)) return `+49 30 ${String(random % 10_000_000).padStart(7, '0')}`;
  if (/firstname|first_name/.test(lower)) return pickOne(PEOPLE, random).split(' ')[0]!;
  if (/lastname|last_name/.test(lower)) return pickOne(PEOPLE, random).split(' ')[1]!;
  if (/user|author|customer|fullname|owner/.test(lower)) return pickOne(PEOPLE, random);
  if (/date|_at$|time$/.test(lower)) return stamp(FIRST_DAY + (random % (365 * 86_400)) * 1000);
  if (column.example !== undefined && random % 4 === 0) return String(column.example);
  if (/description|comment|note|text|details|body/.test(lower))
    return `${pickOne(WORDS, random)} and "${pickOne(WORDS, random >>> 8)}", line ${index + 1}\nnext line`;
  return `${pickOne(WORDS, random)} ${index + 1}`;
}

/** The values that a help sentence lists: `OPEN, CANCELLED or COMPLETED`. */
function listedIn(help: string): string[] {
  if (/^[a-z_]+(, [a-z_]+)* (and|or) [a-z_]+$/.test(help)) return help.split(/, | and | or /).filter((word) => word !== 'others');
  return [...help.matchAll(/\b[A-Z][A-Z_]{2,}\b/g)].map(([word]) => word);
}

const pickOne = <T>(list: readonly T[], random: number): T => list[random % list.length]!;
export const day = (time: number): string => new Date(time).toISOString().slice(0, 10);
const stamp = (time: number): string => new Date(time).toISOString().replace('.000Z', 'Z');
