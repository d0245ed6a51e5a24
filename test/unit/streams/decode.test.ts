import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { isFerruleError } from '../../../framework/core/errors.ts';
import type { DecodeChain } from '../../../framework/core/resolved.ts';
import type { Json, JsonObject, Response } from '../../../framework/core/value.ts';
import { parseXml } from '../../../framework/core/xml.ts';
import { decodeStream, isStreamed } from '../../../framework/streams/decode/index.ts';
import { compileExtract } from '../../../framework/streams/records.ts';
import { failureIn } from '../../failure.ts';
import { decode, pieces, piecesOf } from './decoding.ts';

const csv = (options: object = {}): DecodeChain => [{ type: 'csv', ...options }];
const recordsOf = async (text: string | Buffer, chain: DecodeChain, size = 1) =>
  (await decode(piecesOf(Buffer.from(text), size), { chain })).records;
const messageOf = async (text: string | Buffer, chain: DecodeChain) => {
  const failure = await failureIn(() => decode(text, { chain }));
  expect(failure.code).toBe('response_malformed');
  return failure.message;
};

describe('which decoder', () => {
  it.each<[string, DecodeChain, string | undefined, boolean]>([
    ['CSV', [], 'text/csv; charset=utf-8', true],
    ['tabs', [], 'text/tab-separated-values', true],
    ['JSON lines', [], 'application/x-ndjson', true],
    ['jsonl', [], 'application/jsonl', true],
    ['XML', [], 'application/atom+xml', true],
    ['gzip', [], 'application/gzip', true],
    ['zip', [], 'application/zip', true],
    ['what the spec says', [{ type: 'json' }], 'application/json', true],
    ['JSON', [], 'application/json', false],
    ['JSON of a vendor', [], 'application/vnd.acme+json', false],
    ['bytes', [], 'application/octet-stream', false],
    ['no type', [], undefined, false],
  ])('an answer of %s is streamed, or not', (_, chain, type, streamed) => {
    expect(isStreamed(chain, type)).toBe(streamed);
  });

  it.each<[string, string | Buffer, string | undefined]>([
    ['JSON by its type', '[{"a":"1"}]', 'application/hal+json'],
    ['JSON by its first byte', '\n [{"a":"1"}]', undefined],
    ['JSON lines', '{"a":"1"}\n', 'application/json-lines'],
    ['CSV', 'a\n1\n', 'text/csv'],
    ['CSV in gzip that the type calls CSV', gzipSync('a\n1\n'), 'text/csv'],
    ['JSON in gzip, by the first bytes of both', gzipSync('{"a":"1"}'), 'application/octet-stream'],
    ['JSON in gzip by its type', gzipSync('{"a":"1"}'), 'application/x-gzip'],
  ])('reads %s', async (_, body, contentType) => {
    expect((await decode(body, { contentType })).records).toEqual([{ a: '1' }]);
  });

  it('asks for decode where nothing says what it is', async () => {
    const failure = await failureIn(() => decode('a;b\n1;2\n', { contentType: 'text/plain' }));
    expect(failure).toMatchObject({ code: 'response_malformed', where: 'streams.orders' });
    expect(failure.message).toBe('The answer is text/plain, and its first bytes do not say what it is.');
    expect(failure.next).toContain('Write decode in the spec');
  });

  it('refuses bytes that nothing unpacks, and a part behind one that makes records', async () => {
    expect(await failureIn(() => decode('a', { chain: [{ type: 'csv' }, { type: 'gzip' }] }))).toMatchObject({ code: 'spec_invalid' });
  });
});

describe('CSV', () => {
  it.each<[string, string, DecodeChain, Json]>([
    [
      'rows',
      'a,b\n1,x\n2,y\n',
      csv(),
      [
        { a: '1', b: 'x' },
        { a: '2', b: 'y' },
      ],
    ],
    [
      'CRLF, and a last line without end',
      'a,b\r\n1,x\r\n2,y',
      csv(),
      [
        { a: '1', b: 'x' },
        { a: '2', b: 'y' },
      ],
    ],
    [
      'quotes, delimiters and line breaks within',
      'a,b\n"x, ""y""","1\r\n2"\n"",z\n',
      csv(),
      [
        { a: 'x, "y"', b: '1\r\n2' },
        { a: '', b: 'z' },
      ],
    ],
    [
      'a quoted end',
      'a,b\r\n1,"x"\r\n2,"y"',
      csv(),
      [
        { a: '1', b: 'x' },
        { a: '2', b: 'y' },
      ],
    ],
    ['a quote within a column', 'a,b\n5" pipe,x\n', csv(), [{ a: '5" pipe', b: 'x' }]],
    ['a byte order mark', '\ufeffa,b\n1,é😀\n', csv(), [{ a: '1', b: 'é😀' }]],
    [
      'empty columns and lines',
      'a,b\n,\n\n1,\n\r\n',
      csv(),
      [
        { a: '', b: '' },
        { a: '1', b: '' },
      ],
    ],
    ['tabs', 'a\tb\n1\t"x\ty"\n', csv({ delimiter: 'tab' }), [{ a: '1', b: 'x\ty' }]],
    ['a long delimiter', 'a||b\n1||"x||y"\n', csv({ delimiter: '||' }), [{ a: '1', b: 'x||y' }]],
    ['other quotes', "a,b\n'x,''y',2\n", csv({ quote: "'" }), [{ a: "x,'y", b: '2' }]],
    ['no quotes', 'a,b\n"x,y"\n', csv({ quote: '' }), [{ a: '"x', b: 'y"' }]],
    ['names from the spec', '1,x\n', csv({ columns: ['id', 'name'] }), [{ id: '1', name: 'x' }]],
    ['lines to skip', 'Report "x\n\n1,2,3\na,b\n1,x\n', csv({ skip_lines: 3 }), [{ a: '1', b: 'x' }]],
    [
      'what stands for nothing',
      'a,b\n\\N,x\n"\\N",\n',
      csv({ null_as: '\\N' }),
      [
        { a: null, b: 'x' },
        { a: null, b: '' },
      ],
    ],
    ['names that objects have', '__proto__,constructor\n1,2\n', csv(), JSON.parse('[{"__proto__":"1","constructor":"2"}]')],
    ['nothing', '', csv(), []],
    ['names alone', 'a,b\n', csv(), []],
  ])('reads %s, wherever a piece ends', async (_, text, chain, wanted) => {
    for (const size of [1, 2, 3, 7, 1000]) expect(JSON.stringify(await recordsOf(text, chain, size))).toBe(JSON.stringify(wanted));
  });

  it('reads other encodings', async () => {
    const text = 'a,b\nœ,é\n';
    expect(await recordsOf(Buffer.from([0x61, 0x2c, 0x62, 0x0a, 0x9c, 0x2c, 0xe9, 0x0a]), csv({ encoding: 'windows-1252' }))).toEqual([
      { a: 'œ', b: 'é' },
    ]);
    expect(await recordsOf(Buffer.from(`\ufeff${text}`, 'utf16le'), csv())).toEqual([{ a: 'œ', b: 'é' }]);
    const typed = await decode(Buffer.from('a\né\n', 'latin1'), { contentType: 'text/csv; charset=ISO-8859-1' });
    expect(typed.records).toEqual([{ a: 'é' }]);
    expect(await messageOf(Buffer.from('a\né\n', 'latin1'), csv())).toContain('it is not utf-8');
    expect(await messageOf('a\n', csv({ encoding: 'klingon' }))).toContain('its charset klingon is not known');
  });

  it.each<[string, string, DecodeChain, string]>([
    ['a name twice', 'a,b,a\n', csv(), 'line 1: the name of column 3 is that of column 1 too'],
    ['no name', 'a,,b\n', csv(), 'line 1: column 2 has no name'],
    ['a long row', 'a,b\n1,2\n1,2,3\n', csv(), 'line 3: it has 3 columns, more than the 2 that have names'],
    ['a short row', 'a,b\n"1\n2",2\n\n1\n', csv(), 'line 5: it has 1 columns, fewer than the 2'],
    ['a quote that does not end', 'a,b\n1,2\n3,"4\n5,6\n', csv(), 'line 3: a column begins with a quote that does not end'],
    ['something behind a quote', 'a,b\n1,"2\n2"x\n', csv(), 'line 3: something stands behind the quote'],
    ['an error page', '<html>\n<body>\n', csv(), 'line 1: it looks like HTML, XML or JSON'],
    ['an error in JSON', '{"error":"x"}', csv(), 'line 1: it looks like'],
    ['line ends of CR alone', 'a,b\r1,2\r', csv(), 'lines end in CR alone'],
  ])('refuses %s', async (_, text, chain, message) => {
    expect(await messageOf(text, chain)).toContain(message);
  });

  it('reads back what was written, whatever is in it', async () => {
    const cell = fc.oneof(fc.string(), fc.constantFrom('', '"', '\n', '\r\n', ',', 'a,"b"', 'é😀'));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(cell, cell), { maxLength: 6 }),
        fc.array(fc.nat(200)),
        fc.constantFrom('\n', '\r\n'),
        async (rows, cuts, end) => {
          const quoted = (text: string) => (/[",\r\n]/.test(text) || text === '' ? `"${text.replaceAll('"', '""')}"` : text);
          const text = `x,y${end}${rows.map((row) => row.map(quoted).join(',')).join(end)}`;
          const { records } = await decode(pieces(Buffer.from(text), cuts), { chain: csv(), batchBytes: 16 });
          expect(records).toEqual(rows.map(([x, y]) => ({ x, y })));
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('lines', () => {
  it('of JSON are values, blank ones left out', async () => {
    const text = '{"a":1}\r\n\n  \n{"a":12345678901234567890}\n{"a":"]\\n"}';
    const { records, rest } = await decode(piecesOf(Buffer.from(text), 3), {
      chain: [{ type: 'jsonl' }],
      bigIntegers: 'text',
      batchBytes: 5,
    });
    expect(records).toEqual([{ a: 1 }, { a: '12345678901234567890' }, { a: ']\n' }]);
    expect(rest).toBeNull();
  });

  it('of JSON have records in them where records says so', async () => {
    const read = (text: string, records: string) => decode(text, { chain: [{ type: 'jsonl' }], records });
    expect((await read('{"order":{"id":1}}\n{"order":{"id":2}}', 'order')).records).toEqual([{ id: 1 }, { id: 2 }]);
    expect((await read('{"rows":[{"id":1},{"id":2}]}\n{"rows":[]}', 'rows')).records).toEqual([{ id: 1 }, { id: 2 }]);
    expect((await read('{"order":{"id":1}}\n{}', 'order?')).records).toEqual([{ id: 1 }]);
    const failure = await failureIn(() => read('{"order":{"id":1}}\n\n{"x":1}', 'order'));
    expect(failure).toMatchObject({ code: 'records_missing', where: 'streams.orders.records' });
    expect((await failureIn(() => read('{}\n7', '$'))).message).toBe('Line 2: orders: records ($) finds a number, not an object');
  });

  it.each<[string, string]>([
    ['{"a":1}\n\n{"a":\n{"a":2}', 'Line 3 of the answer is not JSON: it ends too early, at column 6'],
    ['{"a":1\n"b":2},{"c":3}', 'Line 1 of the answer is not JSON'],
    ['{"a":1},{"b":2}', 'Line 1 of the answer is not JSON: a character may not stand there, at column 8'],
    ['{"a":1}\n{"a":', 'Line 2'],
  ])('of JSON that are broken are refused: %s', async (text, message) => {
    expect(await messageOf(text, [{ type: 'jsonl' }])).toContain(message);
  });

  it('of text are records', async () => {
    const wanted = [{ line: 'a' }, { line: '' }, { line: 'é' }];
    for (const size of [1, 2, 100]) expect(await recordsOf('a\r\n\né', [{ type: 'text' }], size)).toEqual(wanted);
    expect(await recordsOf('a\n\né\n', [{ type: 'text' }])).toEqual(wanted);
  });
});

describe('XML', () => {
  const feed =
    '<?xml version="1.0"?>\n<feed next="2">\n <title>T</title>\n <entry id="1"><name>a</name></entry>\n <entry id="2"><tag>x</tag><tag>y</tag></entry>\n</feed>';

  it('gives its elements as they come, and the rest of the document', async () => {
    const { records, rest, batches } = await decode(piecesOf(Buffer.from(feed), 5), {
      contentType: 'text/xml',
      records: 'feed.entry',
      batchBytes: 1,
    });
    expect(records).toEqual([
      { '@id': '1', name: 'a' },
      { '@id': '2', tag: ['x', 'y'] },
    ]);
    expect(rest).toEqual({ feed: { '@next': '2', title: 'T' } });
    expect(batches).toBeGreaterThan(0);
  });

  it('reads the encoding that it declares', async () => {
    const bytes = Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a><b c="é"/></a>', 'latin1');
    expect((await decode(bytes, { chain: [{ type: 'xml' }], records: 'a.b' })).records).toEqual([{ '@c': 'é' }]);
  });

  it('gives what the whole text gives, and fails as it does', async () => {
    const name = fc.constantFrom('a', 'a', 'b', 'c');
    const { element } = fc.letrec<{ element: string }>((tie) => ({
      element: fc
        .tuple(
          name,
          fc.constantFrom('', ' x="1"'),
          fc.array(fc.oneof({ maxDepth: 4 }, fc.constantFrom('', 't', ' ', '<![CDATA[<]]>'), tie('element'), tie('element')), {
            maxLength: 4,
          }),
        )
        .map(([tag, attribute, inner]) => `<${tag}${attribute}>${inner.join('')}</${tag}>`),
    }));
    const path = fc
      .tuple(fc.array(fc.constantFrom('a', 'a', 'b', '*', '0', '["@x"]'), { maxLength: 4 }), fc.boolean())
      .map(([steps, optional]) => `$${steps.map((step) => (step.startsWith('[') ? step : `.${step}`)).join('')}${optional ? '?' : ''}`);
    let good = 0;
    await fc.assert(
      fc.asyncProperty(element, path, fc.array(fc.nat(150)), async (text, records, cuts) => {
        const outcome = async (run: () => JsonObject[] | Promise<JsonObject[]>) => {
          try {
            return await run();
          } catch (error) {
            return isFerruleError(error) ? error.code : error;
          }
        };
        const wanted = await outcome(() =>
          compileExtract({ name: 'orders', records } as never, {} as never)({ body: parseXml(text) } as unknown as Response, {}),
        );
        if (Array.isArray(wanted) && wanted.length > 0) good += 1;
        expect(
          await outcome(async () => (await decode(pieces(Buffer.from(text), cuts), { chain: [{ type: 'xml' }], records })).records),
        ).toEqual(wanted);
      }),
      { numRuns: 500 },
    );
    expect(good).toBeGreaterThan(30);
  });

  it.each<[string, string]>([
    ['<!DOCTYPE a><a/>', 'it has a document type, at line 1'],
    ['<a>\n&nbsp;</a>', 'an entity beyond the five of XML, at line 2'],
    ['<a><b/>', 'it is not well-formed'],
    ['<a>'.repeat(101) + '</a>'.repeat(101), 'deeper than 100 levels'],
  ])('refuses %s', async (text, message) => {
    expect(await messageOf(text, [{ type: 'xml' }])).toContain(message);
  });

  it('finds nothing below an element that comes twice, as in a list', async () => {
    // Long enough that its first bytes are not all of it.
    const text = `<!--${' '.repeat(250)}-->` + '<a><b><c x="1"/><c x="2"/><c x="3"/></b><b><c x="4"/></b></a>';
    const read = (records: string, size: number) =>
      decode(piecesOf(Buffer.from(text), size), { chain: [{ type: 'xml' }], records, batchBytes: 1 });
    expect((await read('a.b?', 1000)).records).toHaveLength(2);
    expect((await read('a.b.c?', 1000)).records).toEqual([]);
    expect((await failureIn(() => read('a.b.c', 1000))).message).toBe('Path a.b.c finds nothing: a.b has no c. It is a list of 2.');
    // Some are given out already.
    const failure = await failureIn(() => read('a.b.c', 1));
    expect(failure).toMatchObject({ code: 'records_missing', where: 'streams.orders.records' });
    expect(failure.message).toContain('leads through an element that comes more than once');
  });

  it('has no limit on how many elements are records, but on what is kept', async () => {
    async function* elements(name: string, count: number) {
      yield Buffer.from('<a>');
      const many = Buffer.from(`<${name}${' x y z p q r s t u'.replaceAll(/ (.)/g, ' $1="1"')}/>`.repeat(1000));
      for (let i = 0; i < count / 1000; i++) yield many;
      yield Buffer.from('</a>');
    }
    let count = 0;
    for await (const batch of decodeStream(elements('b', 120_000), {
      chain: [{ type: 'xml' }],
      contentType: '',
      records: 'a.b',
      bigIntegers: 'text',
      where: 'x',
    }))
      count += batch.length;
    expect(count).toBe(120_000);
    const failure = await failureIn(() => decode(elements('c', 120_000), { chain: [{ type: 'xml' }], records: 'a.b' }));
    expect(failure.message).toContain('more than 1000000 elements');
  });
});

describe('gzip', () => {
  const rows = 'a,b\n' + Array.from({ length: 2000 }, (_, i) => `${i},${'x'.repeat(i % 50)}\n`).join('');
  const wanted = Array.from({ length: 2000 }, (_, i) => ({ a: String(i), b: 'x'.repeat(i % 50) }));
  const chain: DecodeChain = [{ type: 'gzip' }, { type: 'csv' }];
  const half = rows.indexOf('\n1000,') + 1;

  it.each<[string, Buffer]>([
    ['once', gzipSync(rows)],
    ['not at all, although it says so', Buffer.from(rows)],
    ['twice, although it says once', gzipSync(gzipSync(rows))],
    ['in several members', Buffer.concat([gzipSync(rows.slice(0, half)), gzipSync(rows.slice(half))])],
    ['with zeros behind it', Buffer.concat([gzipSync(rows), Buffer.alloc(100)])],
  ])('is undone where it was done %s', async (_, bytes) => {
    for (const size of [7, 100, 100_000]) expect((await decode(piecesOf(bytes, size), { chain })).records).toEqual(wanted);
  });

  it('of another program is read', async () => {
    const packed = execFileSync('gzip', ['-c'], { input: rows });
    expect((await decode(packed, { chain })).records).toEqual(wanted);
  });

  it('is refused when it is cut off or broken', async () => {
    const packed = gzipSync(rows);
    for (const length of [5, 20, packed.length - 9, packed.length - 1]) {
      expect(await messageOf(packed.subarray(0, length), chain)).toBe('The gzip answer is cut off.');
    }
    const broken = Buffer.from(packed);
    broken.fill(0xff, 500, 520);
    expect(await messageOf(broken, chain)).toBe('The gzip answer does not decompress.');
  });

  it('is refused when it grows beyond all measure, in one layer or two', async () => {
    const zeros = gzipSync(Buffer.alloc(20 * 1024 * 1024, '\n'), { level: 9 });
    const twice = gzipSync(zeros, { level: 9 });
    expect(twice.length).toBeLessThan(1000);
    expect(await messageOf(twice, [{ type: 'gzip' }, { type: 'csv' }])).toContain('more than 1100 times its size (gzip)');
    // A page of blanks may.
    expect((await decode(gzipSync(Buffer.alloc(10_000_000, '\n')), { chain: [{ type: 'gzip' }, { type: 'csv' }] })).records).toEqual([]);
  });
});

interface Entry {
  name: string;
  text: string;
  flags?: number;
  method?: number;
}

/** An archive as APPNOTE.TXT has it, without what the tests do not need. */
function archive(entries: Entry[], listed = entries.length): Buffer {
  const parts = entries.map(({ name, text, flags = 0, method = 8 }) => {
    const packed = method === 8 ? deflateRawSync(text) : Buffer.from(text);
    const header = Buffer.alloc(30);
    header.writeUInt32LE(0x04034b50, 0);
    header.writeUInt16LE(flags, 6);
    header.writeUInt16LE(method, 8);
    header.writeUInt16LE(name.length, 26);
    const described = (flags & 8) !== 0;
    const descriptor = Buffer.alloc(12);
    descriptor.writeUInt32LE(crc32(Buffer.from(text)), 0);
    descriptor.writeUInt32LE(packed.length, 4);
    descriptor.writeUInt32LE(Buffer.byteLength(text), 8);
    if (!described) descriptor.copy(header, 14);
    const signature = Buffer.from([0x50, 0x4b, 7, 8]);
    return Buffer.concat([header, Buffer.from(name), packed, ...(described ? [signature, descriptor] : [])]);
  });
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(listed, 10);
  return Buffer.concat([...parts, end]);
}

/** The checksum bit by bit (ISO 3309), so that it is not the code's own. */
function crc32(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

describe('ZIP', () => {
  const zip: DecodeChain = [{ type: 'zip' }];
  const files: Entry[] = [
    { name: 'data/', text: '', method: 0 },
    { name: 'data/one.csv', text: 'a\n1\n2\n' },
    { name: 'data/two.jsonl', text: '{"a":"3"}\n', method: 0 },
    { name: 'three.JSON', text: '[{"a":"4"}]', flags: 8 },
    { name: 'four.tsv', text: 'a\n5\n', flags: 0x808 },
    { name: 'five.bin', text: '{"a":"6"}' },
  ];

  it('is read file by file, each by its ending or its first bytes, wherever a piece ends', async () => {
    const bytes = archive(files);
    for (const size of [1, 2, 13, 10_000]) {
      const { records, rest } = await decode(piecesOf(bytes, size), { chain: size === 2 ? [] : zip });
      expect(records.map((record) => record.a)).toEqual(['1', '2', '3', '4', '5', '6']);
      expect(rest).toBeNull();
    }
  });

  it.each<[string, string[]]>([
    ['*.csv', ['1', '2']],
    ['data/*', ['1', '2', '3']],
    ['one.csv', ['1', '2']],
    ['*t*.*s*', ['3']],
    ['four.tsv', ['5']],
  ])('gives the files that match %s', async (file, wanted) => {
    expect((await decode(archive(files), { chain: [{ type: 'zip', file }] })).records.map((record) => record.a)).toEqual(wanted);
  });

  it('says when no file matches, unless that is allowed', async () => {
    const failure = await failureIn(() => decode(archive(files), { chain: [{ type: 'zip', file: '*.parquet' }] }));
    expect(failure).toMatchObject({ code: 'records_missing', where: 'streams.orders.records' });
    expect(failure.message).toContain('None of its 5 files matches *.parquet.');
    expect((await decode(archive([]), { chain: zip, records: '$?' })).records).toEqual([]);
  });

  it('has archives of other programs, compressed files and files of many pieces in it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ferrule-zip-'));
    try {
      const long = 'a\n' + Array.from({ length: 20_000 }, (_, i) => `${(i * 7919) % 10_007}\n`).join('');
      writeFileSync(join(folder, 'long.csv'), long);
      writeFileSync(join(folder, 'packed.csv.gz'), gzipSync('a\n-1\n'));
      execFileSync('zip', ['-q', 'all.zip', 'long.csv', 'packed.csv.gz'], { cwd: folder });
      // Written to a pipe, so that lengths stand behind the files.
      const piped = execFileSync('zip', ['-q', '-', 'long.csv', 'packed.csv.gz'], { cwd: folder });
      const script =
        'import sys, zipfile\nz = zipfile.ZipFile(sys.stdout.buffer, "w", zipfile.ZIP_DEFLATED)\nw = z.open("long.csv", "w", force_zip64=True)\nw.write(open("long.csv", "rb").read())\nw.close()\nz.write("packed.csv.gz")\nz.close()';
      const python = execFileSync('python3', ['-c', script], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
      const wanted = [...Array.from({ length: 20_000 }, (_, i) => ({ a: String((i * 7919) % 10_007) })), { a: '-1' }];
      for (const bytes of [readFileSync(join(folder, 'all.zip')), piped, python]) {
        expect((await decode(piecesOf(bytes, 1000), { chain: zip })).records).toEqual(wanted);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each<[string, Buffer, string]>([
    ['encrypted', archive([{ name: 'a.csv', text: 'a', flags: 1 }]), 'has an encrypted file (number 1)'],
    ['of another method', archive([{ name: 'a.csv', text: 'a', method: 14 }]), 'packed by method 14'],
    [
      'stored without its length',
      archive([{ name: 'a.csv', text: 'a\n1\n', method: 0, flags: 8 }]),
      'does not say how long its file number 1 is',
    ],
    ['cut off in a file', archive(files).subarray(0, 60), 'is cut off'],
    ['cut off behind a file', archive(files).subarray(0, -22), 'is cut off'],
    ['cut off in its end', archive(files).subarray(0, -3), 'is cut off'],
    ['short of a file', archive(files, 7), 'lists 7 files, and 6 came'],
    ['no archive', Buffer.from('a,b\n1,2\n'), 'is not a ZIP archive'],
  ])('is refused when it is %s', async (_, bytes, message) => {
    expect(await messageOf(bytes, zip)).toContain(message);
  });

  it('is refused when a file is not what its checksum says, or grows beyond all measure', async () => {
    const bytes = archive([{ name: 'a.csv', text: 'a\n1\n2\n', method: 0 }]);
    bytes[bytes.indexOf('1\n2')] = 0x37;
    expect(await messageOf(bytes, zip)).toContain('file number 1 is broken');
    const bomb = archive([{ name: 'a.csv', text: '\n'.repeat(17 * 1024 * 1024) }]);
    const nested = gzipSync(bomb, { level: 9 });
    expect(nested.length).toBeLessThan(1000);
    expect(await messageOf(nested, [{ type: 'gzip' }, ...zip])).toContain('more than 1100 times its size (zip)');
  });
});

describe('the source', () => {
  it('is ended when the reader stops, and its own error goes through', async () => {
    let ended = 0;
    async function* endless(first: Buffer, next: Buffer) {
      try {
        yield first;
        for (;;) yield next;
      } finally {
        ended += 1;
      }
    }
    const options = { contentType: undefined, records: '$', bigIntegers: 'text' as const, where: 'streams.x.records', batchBytes: 1 };
    const packed = gzipSync('{"a":1}\n'.repeat(1000));
    for (const [first, next, chain] of [
      [Buffer.from('[{"a":1}'), Buffer.from(',{"a":1}'), [{ type: 'json' }]],
      [Buffer.from('a\n'), Buffer.from('1\n'.repeat(40_000)), [{ type: 'csv' }]],
      [packed, packed, [{ type: 'gzip' }, { type: 'jsonl' }]],
      [archive([{ name: 'a.txt', text: 'x\n'.repeat(200_000) }]).subarray(0, -30), Buffer.from(' '), [{ type: 'zip' }]],
    ] as [Buffer, Buffer, DecodeChain][]) {
      const before = ended;
      for await (const batch of decodeStream(endless(first, next), { ...options, chain })) {
        expect(batch.length).toBeGreaterThan(0);
        break;
      }
      expect(ended).toBe(before + 1);
    }
    const failure = new Error('the line was cut');
    async function* failing() {
      yield packed.subarray(0, 20);
      throw failure;
    }
    await expect(decode(failing(), { chain: [{ type: 'gzip' }, { type: 'jsonl' }] })).rejects.toBe(failure);
  });

  it('is the body of a real answer, which comes slowly and is read no faster than its reader wants', async () => {
    const server = createServer((_, response) => {
      response.setHeader('content-type', 'application/json');
      response.write('{"data":[{"id":0}');
      let i = 0;
      const timer = setInterval(() => {
        response.write(`,{"id":${++i}}`);
        if (i < 5) return;
        clearInterval(timer);
        response.end('],"next":null}');
      }, 5);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      const { records, rest } = await decode(answer.body as AsyncIterable<Uint8Array>, {
        contentType: 'application/json',
        records: 'data',
        batchBytes: 1,
      });
      expect(records).toEqual([0, 1, 2, 3, 4, 5].map((id) => ({ id })));
      expect(rest).toEqual({ data: [], next: null });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
