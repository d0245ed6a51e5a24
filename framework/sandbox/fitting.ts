import { digest } from './seeded.ts';

/** How often something without an upper bound is repeated beyond its lower one. */
const MORE = 12;

/** A text that a regular expression of a spec takes: the same for the same seed. Undefined where it has something beyond what is read here. */
export function fitting(pattern: string, ...seed: (string | number)[]): string | undefined {
  const bytes = digest('fitting', ...seed);
  let drawn = 0;
  const draw = (below: number): number => bytes[drawn++ % bytes.length]! % below;
  try {
    const text = new Reader(pattern.replace(/^\^/, '').replace(/\$$/, ''), draw).alternatives();
    return new RegExp(pattern, 'u').test(text) ? text : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const CLASSES: Readonly<Record<string, string>> = {
  d: '0123456789',
  w: 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_',
  s: ' ',
};

/** Literals, classes, groups, alternatives and counts; the text is made on the way. */
class Reader {
  readonly #text: string;
  readonly #draw: (below: number) => number;
  #at = 0;

  constructor(text: string, draw: (below: number) => number) {
    this.#text = text;
    this.#draw = draw;
  }

  /** The first one: the others are stepped over. */
  alternatives(): string {
    const made = [this.#sequence()];
    while (this.#take('|')) made.push(this.#sequence());
    return made[0]!;
  }

  #sequence(): string {
    let made = '';
    while (this.#at < this.#text.length && !'|)'.includes(this.#text[this.#at]!)) {
      const start = this.#at;
      const first = this.#atom();
      const end = this.#at;
      const times = this.#times();
      const after = this.#at;
      made += times > 0 ? first : '';
      for (let count = 1; count < times; count++) {
        this.#at = start;
        made += this.#atom();
      }
      this.#at = Math.max(after, end);
    }
    return made;
  }

  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #times(): number {
    if (this.#take('?')) return 1;
    if (this.#take('*')) return MORE;
    if (this.#take('+')) return MORE;
    const bounds = /^\{(\d+)(,(\d*))?\}/.exec(this.#text.slice(this.#at));
    if (bounds === null) return 1;
    this.#at += bounds[0].length;
    const [least, most] = [Number(bounds[1]), bounds[3]];
    return bounds[2] === undefined ? least : Math.min(Math.max(least, MORE), most ? Number(most) : Number.POSITIVE_INFINITY);
  }

  #atom(): string {
    if (this.#take('(')) {
      if (this.#take('?') && !this.#take(':')) throw new RangeError('a group of another kind');
      const inner = this.alternatives();
      if (!this.#take(')')) throw new RangeError('no end of the group');
      return inner;
    }
    if (this.#take('[')) return this.#pick(this.#members());
    if (this.#take('.')) return this.#pick(CLASSES.w!);
    const char = this.#text[this.#at++]!;
    return char === '\\' ? this.#pick(this.#escaped()) : char;
  }

  #pick(from: string): string {
    if (from === '') throw new RangeError('nothing to take');
    return from[this.#draw(from.length)]!;
  }

  #escaped(): string {
    const char = this.#text[this.#at++] ?? '';
    if (/[A-Za-z0-9]/.test(char) && CLASSES[char] === undefined) throw new RangeError('another escape');
    return CLASSES[char] ?? char;
  }

  #members(): string {
    let members = '';
    if (this.#take('^')) throw new RangeError('what must not be there');
    while (!this.#take(']')) {
      const range = /^([A-Za-z0-9])-([A-Za-z0-9])/.exec(this.#text.slice(this.#at));
      if (range === null) {
        const char = this.#text[this.#at++];
        if (char === undefined) throw new RangeError('no end of the class');
        members += char === '\\' ? this.#escaped() : char;
        continue;
      }
      this.#at += range[0].length;
      for (let code = range[1]!.charCodeAt(0); code <= range[2]!.charCodeAt(0); code++) members += String.fromCharCode(code);
    }
    return members;
  }
}
