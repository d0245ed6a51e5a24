import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import type { JsonObject } from '../../../framework/core/value.ts';
import { connectSpec } from '../../../framework/engine/connect.ts';
import type { Connection } from '../../../framework/engine/connection.ts';
import type { StreamOutcome } from '../../../framework/engine/run-events.ts';
import { acme, addresses } from '../../acme.ts';
import { type LocalServer, type Received, serve } from '../../server.ts';
import { type MemorySink, memorySink } from '../../sink.ts';

/** Answers of every kind through the whole engine, from a real server: bytes and content type in, rows out. */
let server: LocalServer;
let connection: Connection;
let sink: MemorySink;

afterEach(async () => {
  await connection.close();
  await server.close();
});

interface Body {
  bytes: Buffer | string;
  type?: string;
  encoding?: string;
}

async function open(streams: string, answer: (request: Received) => Body, bigIntegers: 'number' | 'text' = 'number'): Promise<void> {
  sink = memorySink();
  server = await serve((request, response) => {
    const { bytes, type, encoding } = answer(request);
    response.writeHead(200, {
      ...(type !== undefined && { 'content-type': type }),
      ...(encoding !== undefined && { 'content-encoding': encoding }),
    });
    response.end(bytes);
    return undefined;
  });
  const spec = acme(`auth: { none: none }\n${streams}`);
  connection = await connectSpec({ ...spec, http: { ...spec.http, big_integers: bigIntegers } }, { fields: {} }, addresses(server.origin));
}

async function run(stream = 's'): Promise<StreamOutcome> {
  const [outcome] = await connection.readInto(sink, { streams: [stream], concurrency: 1 });
  return outcome as StreamOutcome;
}

async function rowsOf(stream = 's'): Promise<JsonObject[]> {
  expect((await run(stream)).error).toBeUndefined();
  return sink.rows[stream] ?? [];
}

/** Made by another program. */
const zipped = (files: Record<string, string>): Buffer =>
  execFileSync('python3', [
    '-c',
    `import io, json, sys, zipfile
out = io.BytesIO()
with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as archive:
    for name, text in json.loads(sys.argv[1]).items(): archive.writestr(name, text)
sys.stdout.buffer.write(out.getvalue())`,
    JSON.stringify(files),
  ]);

const CSV = 'id,name\r\n1,"a,""b"""\r\n2,é\r\n';
const CSV_ROWS = [
  { id: '1', name: 'a,"b"' },
  { id: '2', name: 'é' },
];

describe('what the spec says of an answer', () => {
  it.each<[string, string, Body, JsonObject[]]>([
    ['gzip and CSV, called bytes', 'decode: [gzip, csv]', { bytes: gzipSync(CSV), type: 'application/octet-stream' }, CSV_ROWS],
    [
      'gzip and CSV that the server packs once more',
      'decode: [gzip, csv]',
      { bytes: gzipSync(gzipSync(CSV)), type: 'text/csv', encoding: 'gzip' },
      CSV_ROWS,
    ],
    ['CSV without a content type', 'decode: csv', { bytes: CSV }, CSV_ROWS],
    [
      'CSV with its own settings',
      `decode: { type: csv, delimiter: ';', columns: [id, name] }`,
      { bytes: '1;x\n2;y\n', type: 'text/plain' },
      [
        { id: '1', name: 'x' },
        { id: '2', name: 'y' },
      ],
    ],
    ['JSON lines, called text', 'decode: jsonl', { bytes: '{"id":1}\n\n{"id":2}\n', type: 'text/plain' }, [{ id: 1 }, { id: 2 }]],
    [
      'JSON lines with records in each',
      'decode: jsonl, records: items',
      { bytes: '{"items":[{"id":1}]}\n{"items":[{"id":2},{"id":3}]}\n', type: 'text/plain' },
      [{ id: 1 }, { id: 2 }, { id: 3 }],
    ],
    [
      'XML, called HTML',
      'decode: xml, records: list.item',
      { bytes: '<list><item id="1"><n>a</n></item><item id="2"><n>b</n></item></list>', type: 'text/html' },
      [
        { '@id': '1', n: 'a' },
        { '@id': '2', n: 'b' },
      ],
    ],
    ['text, line by line', 'decode: text', { bytes: 'one\ntwo\n', type: 'application/json' }, [{ line: 'one' }, { line: 'two' }]],
    [
      'some files of an archive',
      `decode: [{ type: zip, file: '*.csv' }, csv]`,
      { bytes: zipped({ 'a.csv': 'id\n1\n', 'readme.txt': 'no', 'b.csv': 'id\n2\n' }), type: 'application/octet-stream' },
      [{ id: '1' }, { id: '2' }],
    ],
    ['JSON that is called something else', 'decode: json, records: data', { bytes: '{"data":[{"id":1}]}', type: 'text/html' }, [{ id: 1 }]],
  ])('%s', async (_, words, body, expected) => {
    await open(`streams: { s: { get: /s, ${words} } }`, () => body);
    expect(await rowsOf()).toEqual(expected);
  });
});

describe('what the content type says', () => {
  it.each<[string, string, Body, JsonObject[]]>([
    ['CSV', '', { bytes: CSV, type: 'text/csv; charset=utf-8' }, CSV_ROWS],
    [
      'CSV in an old encoding',
      '',
      { bytes: Buffer.from('id,name\n1,\xe9\n', 'latin1'), type: 'text/csv; charset=iso-8859-1' },
      [{ id: '1', name: 'é' }],
    ],
    ['tabs', '', { bytes: 'id\tname\n1\ta,b\n', type: 'text/tab-separated-values' }, [{ id: '1', name: 'a,b' }]],
    ['JSON lines', '', { bytes: '{"id":1}\n{"id":2}\n', type: 'application/x-ndjson' }, [{ id: 1 }, { id: 2 }]],
    [
      'XML of a kind',
      'records: feed.entry',
      { bytes: '<feed><entry><id>1</id></entry></feed>', type: 'application/atom+xml' },
      [{ id: '1' }],
    ],
    ['gzip, and what is in it', 'records: data', { bytes: gzipSync('{"data":[{"id":1}]}'), type: 'application/gzip' }, [{ id: 1 }]],
    [
      'an archive, and its files by their endings',
      '',
      { bytes: zipped({ 'a.csv': 'id\n1\n', 'b.jsonl': '{"id":2}\n' }), type: 'application/zip' },
      [{ id: '1' }, { id: 2 }],
    ],
    [
      'JSON of a vendor',
      'records: data',
      { bytes: '{"data":[{"id":1}]}', type: 'application/vnd.acme.v2+json; charset=utf-8' },
      [{ id: 1 }],
    ],
    ['JSON without a content type', 'records: data', { bytes: '{"data":[{"id":1}]}' }, [{ id: 1 }]],
    [
      'JSON packed on its way',
      'records: data',
      { bytes: gzipSync('{"data":[{"id":1}]}'), type: 'application/json', encoding: 'gzip' },
      [{ id: 1 }],
    ],
  ])('%s', async (_, words, body, expected) => {
    await open(`streams: { s: { get: /s${words && `, ${words}`} } }`, () => body);
    expect(await rowsOf()).toEqual(expected);
  });

  it('and nothing else is guessed', async () => {
    await open(`streams: { s: { get: /s } }`, () => ({ bytes: 'id;name\n1;x\n', type: 'text/plain' }));
    expect((await run()).error).toMatchObject({ code: 'response_malformed' });
  });
});

describe('a JSON answer that is larger than what is kept whole', () => {
  /** Over 4 MiB: the list deep inside, what tells of the next page behind it. */
  const ROWS = 9000;
  const page = (number: number, next: number | null): string => {
    const rows = Array.from({ length: ROWS }, (_, index) => {
      // Beyond 2^53: digits that a double would round.
      const id = `90071992547${String(number * ROWS + index).padStart(8, '0')}`;
      return `{"id":${id},"n":${index},"text":"${'x'.repeat(480)}"}`;
    });
    return `{"head":{"data":[1]},"result":{"of":{"rows":[${rows.join(',\n')}]},"page":{"next":${next === null ? 'null' : `"t${next}"`},"left":9007199254740993}}}`;
  };
  const STREAM = `streams: { s: { get: /s, records: result.of.rows, primary_key: [id], paginate: { type: next_token, from: result.page.next, into: query.after } } }`;

  it.each([undefined, 'gzip'])('is read as it comes, its token too (content encoding %s)', async (encoding) => {
    await open(
      STREAM,
      ({ query }) => {
        const text = query.get('after') === null ? page(0, 2) : page(1, null);
        expect(text.length).toBeGreaterThan(4 * 1024 * 1024);
        return { bytes: encoding === undefined ? text : gzipSync(text), type: 'application/json', ...(encoding && { encoding }) };
      },
      'text',
    );
    const rows = await rowsOf();
    expect(rows).toHaveLength(2 * ROWS);
    expect([rows[0]?.id, rows[0]?.n, rows.at(-1)?.id]).toEqual(['9007199254700000000', 0, '9007199254700017999']);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(2 * ROWS);
    expect(server.received.map(({ query }) => query.get('after'))).toEqual([null, 't2']);
  });

  it('fails on its first number that would be rounded, where nothing says that they are text', async () => {
    await open(STREAM, () => ({ bytes: page(0, null), type: 'application/json' }));
    const { error, complete } = await run();
    expect({ error, complete }).toMatchObject({ complete: false, error: { code: 'number_too_large', kind: 'data' } });
  });

  it('that is cut off is an error, behind the records that came', async () => {
    await open(STREAM, () => ({ bytes: page(0, null).slice(0, -200), type: 'application/json' }), 'text');
    const { error, complete, records } = await run();
    expect({ error, complete }).toMatchObject({ complete: false, error: { code: 'response_malformed' } });
    expect(records).toBeGreaterThan(0);
    expect(records).toBeLessThanOrEqual(ROWS);
  });
});
