import { strictEqual as equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { systemRandom } from '../../../../framework/core/clock.ts';
import { encodeBody } from '../../../../framework/core/encode.ts';
import { isFerruleError } from '../../../../framework/core/errors.ts';
import { compile, compileOrThrow, type Place, type Scope } from '../../../../framework/core/expression/index.ts';
import type { Value } from '../../../../framework/core/value.ts';

const scope: Scope = {
  v: { type: 'text' },
  w: { type: 'text' },
  label: { type: 'text', host: 'label' },
  host: { type: 'text', host: true },
  site: { type: 'text', url: true },
  choice: { type: 'text', host: true, trusted: true },
  secret: { type: 'text', secret: true },
};

/** What a text becomes, or the code of the error that refuses it. */
function given(source: string, place: Place, vars: Record<string, unknown>): { text: string } | { refused: string } {
  try {
    return { text: compileOrThrow(source, 'text', place, scope).evaluate(vars) as string };
  } catch (error) {
    if (isFerruleError(error) && error.code === 'input_malformed') return { refused: error.message };
    throw error;
  }
}

const HOSTILE = [
  ...['', '.', '..', '...', '../x', '..\\x', '%2e%2e', '%2F', '/', '//', '//evil.com', 'evil.com/', 'evil.com#', 'evil.com?', 'a@evil.com'],
  ...[
    'a:b@evil.com',
    'evil.com:99',
    '\\\\evil.com',
    'evil.com\\',
    'x\r\nX-Evil: 1',
    'x\nSet-Cookie: a=b',
    '\0',
    '\t',
    'a b',
    'a&b=c',
    'a=b',
  ],
  ...['?a=b', '#x', ';a', 'a;b', '"', '\\"', "'", '</a><b>', ']]>', '<!--', '&lt;', '}}', '${v}', 'ёж.рф', 'evil。com', '１２７.0.0.1'],
  ...[
    '0x7f.1',
    '127.1',
    '2130706433',
    '[::1]',
    'http://evil.com',
    'https:evil.com',
    'javascript:1',
    'xn--a',
    '-a',
    'a-',
    '\ud800',
    '\u2028',
  ],
  ...['%00', '%0d%0a', 'a%20b', '+', '\u00ad', '\u200b', 'a.b', 'a..b', '.a', 'a.', 'EVIL.com', 'e_x'],
];
/** Half hostile pieces put together, half any text at all. */
const hostile = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.array(fc.constantFrom(...HOSTILE, 'a', 'b', '1'), { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join('')),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 12 }),
);
const RUNS = { numRuns: 10_000 };
// Inside the properties stand node's assertions: Jest's own cost ten times the rest.

const same = (left: unknown, right: unknown) => equal(JSON.stringify(left), JSON.stringify(right));

/** Runs the property and proves that it was not empty: values both passed and were refused. */
function holds(
  source: string,
  place: Place,
  check: (text: string, vars: { v: string; w: string }) => void,
  names: (vars: { v: string; w: string }) => Record<string, string> = (vars) => vars,
): void {
  let passed = 0;
  fc.assert(
    fc.property(hostile, hostile, (v, w) => {
      const result = given(source, place, names({ v, w }));
      if ('refused' in result) {
        if (v.length > 3 && /[^\w ,.:@-]/.test(v)) ok(!result.refused.includes(v));
        return;
      }
      passed++;
      check(result.text, { v, w });
    }),
    RUNS,
  );
  expect(passed).toBeGreaterThan(100);
}

describe('no value of a field', () => {
  it('adds a header', () => {
    holds('Token ${v}; x=${w}', 'header', (text, { v, w }) => {
      equal(text, `Token ${v}; x=${w}`);
      // The platform's own rule for a header value: it throws for anything that could end the line.
      equal(new Headers([['x', text]]).get('x'), text.trim());
      equal(
        [...text].some((char) => char < ' ' && char !== '\t'),
        false,
      );
    });
  });

  it('adds a cookie', () => {
    holds('${v}', 'cookie', (text) => equal(/[;,\s"\\]/.test(text), false));
  });

  it('moves the host behind a label', () => {
    holds(
      'https://${label}.example.com/x/${w}',
      'url',
      (text, { v }) => {
        const url = new URL(text);
        equal(url.host, `${v.toLowerCase()}.example.com`);
        ok(/^[\w-]+$/.test(v));
        equal(url.username + url.password + url.search + url.hash, '');
      },
      ({ v, w }) => ({ label: v, w }),
    );
  });

  it('moves the host when it is a whole host name, or gives an address in disguise', () => {
    holds(
      'https://${host}/x?a=${w}',
      'url',
      (text, { v }) => {
        const url = new URL(text);
        equal(url.host, v.toLowerCase());
        equal(url.pathname, '/x');
        same([...url.searchParams.keys()], ['a']);
      },
      ({ v, w }) => ({ host: v, w }),
    );
  });

  it('moves the host from a path', () => {
    // A path is put behind a base URL, or resolved against one: neither may leave it.
    holds('/${v}/${w}', 'url', (text) => {
      equal(new URL(text, 'https://api.example.com').host, 'api.example.com');
      ok(/^\/base\/[^/]+\/[^/]+$/.test(new URL(`https://api.example.com/base${text}`).pathname));
    });
    holds('${v}/x', 'url', (text) => {
      equal(new URL(text, 'https://api.example.com/base/').href.startsWith('https://api.example.com/base/'), true);
    });
  });

  it('leaves its path segment', () => {
    holds('https://api.example.com/v1/items/${v}/sub/${w}.json', 'url', (text, { v, w }) => {
      const url = new URL(text);
      equal(url.search + url.hash, '');
      const [, first, second] = /^\/v1\/items\/([^/]*)\/sub\/([^/]*)\.json$/.exec(url.pathname)!;
      const wellFormed = (part: string) => Buffer.from(part).toString();
      equal(decodeURIComponent(first!), wellFormed(v));
      equal(decodeURIComponent(second!), wellFormed(w));
    });
    holds('${v}', 'path', (text) => equal(new URL(`https://h/a/${text}/b`).pathname.split('/').length, 4));
  });

  it('adds a query parameter', () => {
    holds('/x?a=${v}&b=${w}', 'url', (text, { v, w }) => {
      const url = new URL(text, 'https://api.example.com');
      const wellFormed = (part: string) => Buffer.from(part).toString();
      same(
        [...url.searchParams],
        [
          ['a', wellFormed(v)],
          ['b', wellFormed(w)],
        ],
      );
      equal(url.hash, '');
    });
  });

  it('makes more of a URL field than scheme, host and path', () => {
    const urls = fc.oneof(
      hostile.map((text) => `https://acme.example.com${text}`),
      hostile.map((text) => `https://${text}`),
      hostile.map((text) => `https://acme${text}.example.com/contour/`),
      hostile,
    );
    let passed = 0;
    fc.assert(
      fc.property(urls, (site) => {
        const result = given('${site}/rest/v1', 'url', { site });
        if ('refused' in result) return;
        passed++;
        const url = new URL(result.text);
        equal(url.origin, new URL(site).origin);
        equal(url.pathname.endsWith('/rest/v1'), true);
        equal(url.username + url.password + url.search + url.hash, '');
        // What the person typed is what is called, but for upper case.
        equal(site.toLowerCase().startsWith(url.origin), true);
      }),
      RUNS,
    );
    expect(passed).toBeGreaterThan(500);
  });

  it('breaks out of a body in JSON', () => {
    const leaf = compileOrThrow('a ${v}', 'value', 'body', scope);
    fc.assert(
      fc.property(hostile, (v) => {
        const { bytes } = encodeBody({ a: leaf.evaluate({ v }) as Value, last: 1 }, 'json', systemRandom);
        same(JSON.parse(String(bytes)), { a: `a ${v}`, last: 1 });
      }),
      RUNS,
    );
  });

  it('breaks out of a body in form encoding', () => {
    const leaf = compileOrThrow('${v}', 'value', 'body', scope);
    fc.assert(
      fc.property(hostile, (v) => {
        const { bytes } = encodeBody({ a: leaf.evaluate({ v }) as Value, last: '1' }, 'form', systemRandom);
        same(
          [...new URLSearchParams(String(bytes))],
          [
            ['a', Buffer.from(v).toString()],
            ['last', '1'],
          ],
        );
      }),
      RUNS,
    );
  });

  it('breaks out of a multipart body', () => {
    fc.assert(
      fc.property(hostile, hostile, (name, v) => {
        const { bytes, contentType } = encodeBody({ [name]: v }, 'multipart', systemRandom);
        const boundary = /boundary=(\S+)$/.exec(contentType)![1]!;
        const parts = String(bytes).split(`--${boundary}`);
        equal(parts.length, 3);
        const [head, ...rest] = parts[1]!.slice(2, -2).split('\r\n\r\n');
        ok(!/[\r\n]/.test(head!));
        equal(rest.join('\r\n\r\n'), v);
      }),
      RUNS,
    );
  });

  it('breaks out of a body in XML', () => {
    holds('<a b="${v}">${w}</a>', 'xml', (text, { v, w }) => {
      const [, attribute, content] = /^<a b="([^"<]*)">([^<]*)<\/a>$/.exec(text)!;
      const read = (part: string) =>
        part.replace(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" })[name]!);
      equal(read(attribute!), v);
      equal(read(content!), w);
      ok(!text.replace(/&(amp|lt|gt|quot|apos);/g, '').includes('&'));
    });
  });

  it('moves the cursor of a terminal from a label', () => {
    holds('${v} (${w})', 'label', (text) => equal(/\p{Cc}/u.test(text), false));
  });
});

describe('URLs, decided when the spec is loaded', () => {
  it.each([
    ['https://${v}.example.com', 'may not stand in a host'],
    ['https://${v.replace("a", "b")}.example.com', 'may not stand in a host'],
    ['https://${site}/x', 'stands at the start'],
    ['https://a.com@${host}/x', 'names no user'],
    ['${site}.evil.com', 'comes / or ?'],
    ['${site}${v}', 'comes / or ?'],
    ['${v}://example.com/', 'cannot give the scheme'],
    ['http${v}://example.com/', 'cannot give the scheme'],
    ['${v}:x/y', 'cannot give the scheme'],
    ['https:/${v}/x', 'comes //'],
    ['https:${v}', 'comes //'],
    ['https:///${v}', 'has no host'],
    ['//${host}/x', 'with one /'],
    ['/a\\${v}', 'no backslashes'],
    ['/a b/${v}', 'no spaces'],
    ['/a#${v}', 'never sent'],
    ['https://${secret}.example.com', 'may not stand in a host'],
  ])('%s', (source, words) => {
    const { template, problems } = compile(source, 'text', 'url', scope);
    expect(template).toBeUndefined();
    expect(problems.map(({ message, hint }) => `${message} ${hint}`).join(' ')).toContain(words);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['${site}/rest/v1', { site: 'https://Acme.example.com:8443/contour/' }, 'https://acme.example.com:8443/contour/rest/v1'],
    ['${site}', { site: 'https://acme.example.com' }, 'https://acme.example.com'],
    ['${site}/x', { site: 'http://[::1]:8080/' }, 'http://[::1]:8080/x'],
    ['${site}?a=${v}', { site: 'https://a.example.com/x//', v: 'é' }, 'https://a.example.com/x?a=%C3%A9'],
    ['https://${choice}:8443/${choice}/x', { choice: 'api.example.com' }, 'https://api.example.com:8443/api.example.com/x'],
    ['/${choice}/${v}', { choice: 'api/v2', v: 'a/b' }, '/api/v2/a%2Fb'],
    ['https://${host_label(v.lowerAscii())}.example.com', { v: 'ACME' }, 'https://acme.example.com'],
    ['https://${host}:443/x', { host: 'a.example.com' }, 'https://a.example.com:443/x'],
    ['/next?${v}=${w}', { v: 'a&b', w: '' }, '/next?a%26b='],
    ['http://127.0.0.1:3000/${v}', { v: 1 }, 'http://127.0.0.1:3000/1'],
  ])('%s', (source, vars, text) => {
    expect(compileOrThrow(source, 'text', 'url', scope).evaluate(vars)).toBe(text);
  });

  it.each<[string, Record<string, unknown>]>([
    ['https://${host}/x', { host: '0x7f.1' }],
    ['https://${host}/x', { host: '2130706433' }],
    ['https://${host}/x', { host: '' }],
    ['https://${host}/x', { host: 'a.example.com:8443' }],
    ['https://${label}.example.com', { label: 'a.b' }],
    ['https://${host_label(v)}.example.com', { v: 'evil.com/' }],
    ['${site}/x', { site: 'https://user:pw@example.com' }],
    ['${site}/x', { site: 'https://@example.com' }],
    ['${site}/x', { site: 'https://example.com/?a=b' }],
    ['${site}/x', { site: 'ftp://example.com' }],
    ['${site}/x', { site: 'https:///example.com' }],
    ['${site}/x', { site: 'example.com' }],
    ['${site}/x', { site: 'https://%65vil.com' }],
    ['${site}/x', { site: 'https://127.1' }],
    ['/${choice}/x', { choice: '../up' }],
  ])('%s refuses %p', (source, vars) => {
    expect(given(source, 'url', vars)).toHaveProperty('refused');
  });
});
