import fc from 'fast-check';
import { isFerruleError } from '../../framework/core/errors.ts';
import { linkHeader, linkTarget } from '../../framework/streams/paginate/link-header.ts';
import { edit, edited, hostile } from './hostile.ts';
import { must, type Property, thrownBy } from './target.ts';

/** One link as it is meant, before it is written down. */
interface Link {
  target: string;
  parameters: Parameter[];
  /** White space and empty list elements in front of it, which RFC 9110, 5.6.1.2 has readers skip. */
  before: string;
}

interface Parameter {
  name: string;
  /** Without: the name alone. */
  value?: { text: string; quoted: boolean; escapes: number };
  /** Around `;` and `=`. */
  spaces: [string, string, string, string];
}

const space = fc.constantFrom('', '', '', ' ', '\t', '  ');
/** RFC 9110, 5.6.2. */
const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,6}$/);
/** RFC 3986: no `>`, no space. */
const uri = fc.oneof(
  fc.constantFrom('', '/', '?page=2', 'https://api.acme.test/v1/x?a=1,2;b="', '//other.test/x', "/a;b,c='d'", '/%3E'),
  fc.stringMatching(/^\/[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]{0,12}$/),
);
const RELATIONS = ['next', 'prev', 'last', 'first', 'NEXT', 'Next', 'next-archive', 'nextpage', 'https://rels.test/next', 'a,b;c', 'x"y\\'];
const relations = fc.array(fc.constantFrom(...RELATIONS), { maxLength: 3 }).map((words) => words.join(' '));
const others = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.constantFrom('; rel=next', '<x>; rel=next', 'a, <b>; rel="next"', 'rel=next', '"', '\\'),
);
/** RFC 9110, 5.6.4: what a quoted string can say. */
const sayable = (text: string): boolean => /^[\t\x20-\x7e\x80-\xff]*$/.test(text);
const isToken = (text: string): boolean => /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text);

const parameter: fc.Arbitrary<Parameter> = fc
  .record({
    named: fc.oneof(
      fc.record({ name: fc.constantFrom('rel', 'rel', 'Rel', 'REL'), text: relations }),
      fc.record({ name: fc.oneof(token, fc.constantFrom('title', 'rev', 'relx', 'title*', 'anchor')), text: others.filter(sayable) }),
    ),
    bare: fc.constantFrom(false, false, false, true),
    quoted: fc.boolean(),
    escapes: fc.nat(),
    spaces: fc.tuple(space, space, space, space),
  })
  .map(({ named: { name, text }, bare, quoted, escapes, spaces }) => ({
    name,
    spaces,
    ...(!bare && { value: { text, quoted: quoted || !isToken(text), escapes } }),
  }));

const link: fc.Arbitrary<Link> = fc.record({
  target: uri,
  parameters: fc.array(parameter, { maxLength: 4 }),
  before: fc.constantFrom('', '', '', ' ', ', ', ' ,\t,', ',,'),
});

/** RFC 8288, 3: `<` URI `>` *( OWS ";" OWS token BWS [ "=" BWS ( token / quoted-string ) ] ). */
function written(links: readonly Link[]): string {
  return links
    .map(({ target, parameters, before }) => {
      const texts = parameters.map(({ name, value, spaces: [a, b, c, d] }) => {
        if (value === undefined) return `${a};${b}${name}`;
        return `${a};${b}${name}${c}=${d}${value.quoted ? quoted(value.text, value.escapes) : value.text}`;
      });
      return `${before}<${target}>${texts.join('')}`;
    })
    .join(',');
}

/** A quote and a backslash must be escaped; any other character may be. */
const quoted = (text: string, escapes: number): string =>
  `"${[...text].map((char, at) => (char === '"' || char === '\\' || (escapes >> (at % 30)) & 1 ? `\\${char}` : char)).join('')}"`;

/** RFC 8288, 3.3: only the first `rel` of a link counts, its words compare without case. */
function expected(links: readonly Link[], rel: string): string | undefined {
  return links.find(({ parameters }) => {
    const first = parameters.find(({ name }) => name.toLowerCase() === 'rel');
    return first?.value?.text.toLowerCase().split(' ').includes(rel.toLowerCase());
  })?.target;
}

type Input = { links: Link[]; rel: string } | { text: string; rel: string };

const rel = fc.constantFrom('next', 'next', 'next', 'https://rels.test/next', 'Prev');
const wellFormed = fc.record({ links: fc.array(link, { maxLength: 5 }), rel });
const broken = fc
  .record({ links: fc.array(link, { maxLength: 4 }), edits: fc.array(edit(), { maxLength: 6 }), rel })
  .map(({ links, edits, rel: wanted }) => ({ text: edited([...written(links)], edits).join(''), rel: wanted }));
/** Node gives at most 64 KiB of headers. */
const long = fc
  .record({
    start: fc.constantFrom('', '<a>', '<a>;', '<a>;a=', '<a>;a="', '<', '<a>;a'),
    piece: fc.constantFrom(
      ' ',
      '\t',
      ';',
      ' ;',
      ';a',
      ';a=',
      ';a="',
      '"',
      '\\',
      '\\"',
      '<a>,',
      ',',
      '<',
      ';a=b ',
      '= ',
      '\t;a\t=\t',
      ';rel=x',
    ),
    times: fc.integer({ min: 1000, max: 30_000 }),
    end: fc.constantFrom('', '!', '"', '\u00e9', '>', ', <b>; rel=next'),
    rel,
  })
  .map(({ start, piece, times, end, rel: wanted }) => ({ text: (start + piece.repeat(times)).slice(0, 60_000) + end, rel: wanted }));

const PAGE = { size: 0, last: undefined, patch: {}, index: 0, count: 0, vars: {} };
const BASE = 'https://api.acme.test/v1/x';

export const linkHeaders: Property<Input> = {
  name: 'link-headers',
  input: fc.oneof(
    { weight: 10, arbitrary: wellFormed },
    { weight: 10, arbitrary: broken },
    { weight: 4, arbitrary: fc.record({ text: fc.array(hostile, { maxLength: 6 }).map((texts) => texts.join('')), rel }) },
    { weight: 1, arbitrary: long },
  ),
  check(input) {
    const text = 'links' in input ? written(input.links) : input.text;
    const began = performance.now();
    const found = linkTarget(text, input.rel);
    const took = performance.now() - began;
    // Linear: 60,000 characters take a few milliseconds; a reader that looks twice at each takes seconds.
    must(took < 500, () => `${text.length} characters took ${took} ms`);
    if ('links' in input) {
      const wanted = expected(input.links, input.rel);
      must(found === wanted, () => `${JSON.stringify(text)}: found ${JSON.stringify(found)}, meant ${JSON.stringify(wanted)}`);
    }
    const paginator = linkHeader.create({ type: 'link_header', rel: input.rel }, {});
    const response = { status: 200, headers: { link: text }, cookies: {}, body: null, bytes: new Uint8Array(), url: BASE };
    const thrown = thrownBy(() => paginator.next({ ...PAGE, response }));
    must(thrown === undefined || isFerruleError(thrown.error), () => `next() threw ${String(thrown?.error)}`);
  },
};
