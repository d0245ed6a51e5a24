import { gunzipSync, inflateRawSync } from 'node:zlib';
import { type Sandbox, startSandbox } from '../../../framework/sandbox/index.ts';
import { at, bearer, type Got, send, spec } from './wire.ts';

const open: Sandbox[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((sandbox) => sandbox.close()));
});

/** One stream, its answer in JSON or as `more` says. The same seed gives the same records. */
async function read(more: string, { records = 6, path = '/notes', bigIntegers = 'number' } = {}): Promise<Got> {
  const sandbox = await startSandbox(
    spec(`
spec: 1
name: acme
title: Acme
version: 1.0.0
auth: { key: { type: bearer } }
http: { base_url: 'https://api.acme.com', big_integers: ${bigIntegers} }
streams:
  notes:
    get: ${path}
    primary_key: [id]
    columns: { id: integer, description: text, done: boolean, labels: list, note: object, price: number }
    ${more}
`),
    { fields: { token: 'right' }, records },
  );
  open.push(sandbox);
  const got = await send(sandbox, `https://api.acme.com${path}`, { headers: { ...bearer('right'), accept: '*/*' } });
  expect([got.status, got.status === 200 ? '' : got.text]).toEqual([200, '']);
  return got;
}

type Row = Record<string, unknown>;
const plain = async (records = 6): Promise<Row[]> => (await read('', { records })).body as Row[];

/** RFC 4180, section 2, letter by letter. */
function parseCsv(text: string, delimiter: string, quote = '"'): string[][] {
  const lines: string[][] = [];
  let line: string[] = [];
  let field = '';
  let quoted = false;
  for (let index = 0; index < text.length; index++) {
    const char = text[index]!;
    if (quoted && char === quote && text[index + 1] === quote) field += text[index++];
    else if (char === quote && quote !== '') quoted = !quoted;
    else if (!quoted && char === delimiter) {
      line.push(field);
      field = '';
    } else if (!quoted && char === '\r' && text[index + 1] === '\n') {
      lines.push([...line, field]);
      [line, field] = [[], ''];
      index++;
    } else field += char;
  }
  expect([line, field, quoted]).toEqual([[], '', false]);
  return lines;
}

const texts = (row: Row): string[] => Object.values(row).map((value) => (typeof value === 'string' ? value : JSON.stringify(value)));

describe('answers as `decode` reads them', () => {
  it('are JSON Lines', async () => {
    const got = await read('decode: jsonl');
    expect(got.headers['content-type']).toBe('application/x-ndjson; charset=utf-8');
    expect(
      got.text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(await plain());
  });

  it('are CSV whose quotes and line breaks are quoted', async () => {
    const got = await read('decode: csv');
    const rows = await plain();
    expect(got.headers['content-type']).toBe('text/csv; charset=utf-8');
    // Each description has quotes, a comma and a line break: "X and "Y", line 1⏎next line".
    expect(got.text).toMatch(/\r\n\d+,"\S+ and ""\S+"", line 1\nnext line",/);
    expect(parseCsv(got.text, ',')).toEqual([Object.keys(rows[0]!), ...rows.map(texts)]);
    expect((await read('decode: csv', { records: 0 })).text).toBe('id,description,done,labels,note,price\r\n');
  });

  it('are CSV with the marks of the spec', async () => {
    const rows = await plain();
    const tabs = await read('decode: { type: csv, delimiter: tab, skip_lines: 2 }');
    const [first, second, ...lines] = parseCsv(tabs.text, '\t');
    expect([first!.length, second!.length]).toEqual([1, 1]);
    expect(lines).toEqual([Object.keys(rows[0]!), ...rows.map(texts)]);
    const bare = await read('decode: { type: csv, delimiter: ";", columns: [id, done, gone], null_as: "NULL" }');
    expect(parseCsv(bare.text, ';')).toEqual(rows.map(({ id, done }) => [String(id), String(done), 'NULL']));
    const unquoted = parseCsv((await read('decode: { type: csv, delimiter: "|", quote: "" }')).text, '|', '');
    expect(unquoted.length).toBe(7);
    expect(unquoted.every((line) => line.length === 6)).toBe(true);
  });

  it('are in the encoding that the spec names, of which the content type is silent', async () => {
    const [latin, wide] = [
      await read('decode: { type: csv, encoding: iso-8859-1 }'),
      await read('decode: { type: jsonl, encoding: utf-16le }'),
    ];
    expect(latin.headers['content-type']).toBe('text/csv');
    const rows = await plain();
    const letters = rows.map(({ description }) => String(description).replace(/[^\0-\u00ff]/gu, '?'));
    expect(
      parseCsv(latin.bytes.toString('latin1'), ',')
        .slice(1)
        .map((line) => line[1]),
    ).toEqual(letters);
    expect([...wide.bytes.subarray(0, 2)]).toEqual([0xff, 0xfe]);
    const text = new TextDecoder('utf-16le').decode(wide.bytes);
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(rows);
  });

  it('are XML with an element for each record', async () => {
    const got = await read('decode: xml\n    records: notes.note');
    const rows = await plain();
    expect(got.headers['content-type']).toBe('application/xml; charset=utf-8');
    const found = [...got.text.matchAll(/<note><id>(\d+)<\/id><description>([^<]*)<\/description>/g)];
    const named = (text: unknown): string => String(text).replaceAll('"', '&quot;');
    expect(found.map(([, id, text]) => [id, text])).toEqual(rows.map(({ id, description }) => [String(id), named(description)]));
    expect(got.text.match(/<labels>/g)?.length ?? 0).toBe(rows.flatMap(({ labels }) => labels as string[]).length);
    expect(got.text).toMatch(/^<\?xml version="1.0" encoding="UTF-8"\?>\n<notes><note>.*<\/note><\/notes>$/s);
  });

  it('are lines of text', async () => {
    const got = await read('decode: text');
    expect([got.text.trimEnd().split('\n').length, got.headers['content-type']]).toEqual([6, 'text/plain; charset=utf-8']);
  });

  it('are gzip in several members, without a content encoding', async () => {
    const got = await read('decode: [gzip, json]\n    records: data');
    expect([got.headers['content-type'], got.headers['content-encoding']]).toEqual(['application/gzip', undefined]);
    const members = got.bytes.toString('latin1').split('\x1f\x8b\x08').length - 1;
    expect(members).toBe(2);
    expect(JSON.parse(gunzipSync(got.bytes).toString('utf8'))).toEqual({ data: await plain() });
  });

  it('are a ZIP archive whose rows are in two files, beside one that the spec does not read', async () => {
    const got = await read("decode: [{ type: zip, file: '*.csv' }, csv]");
    const rows = await plain();
    const files = unzip(got.bytes);
    expect([...files.keys()]).toEqual(['LICENCE.pdf', 'notes-1.csv', 'notes-2.csv']);
    const halves = ['notes-1.csv', 'notes-2.csv'].map((name) => parseCsv(files.get(name)!.toString('utf8'), ','));
    const head = Object.keys(rows[0]!);
    expect(halves).toEqual([
      [head, ...rows.slice(0, 3).map(texts)],
      [head, ...rows.slice(3).map(texts)],
    ]);
    const one = unzip((await read('decode: [{ type: zip, file: report.json }, gzip, json]')).bytes);
    expect(JSON.parse(gunzipSync(one.get('report.json')!).toString('utf8'))).toEqual(rows);
  });

  it('keep whole numbers beyond 2^53, digit by digit', async () => {
    for (const decode of ['json', 'jsonl', 'csv', 'xml']) {
      // 2^53 + 1, 2^53 + 3, …: odd, so that a double would give another digit.
      const { text } = await read(`decode: ${decode}`, { bigIntegers: 'text' });
      expect([decode, ...(text.match(/9007199254740\d{3}/g) ?? []).slice(0, 3)]).toEqual([
        decode,
        '9007199254740993',
        '9007199254740995',
        '9007199254740997',
      ]);
    }
  });

  it('are one object where they are one, and rows where they are rows', async () => {
    expect(at((await read('', { path: '/store/info' })).body, 'id')).toBeDefined();
    expect((await read('decode: jsonl', { path: '/store/info' })).text.trimEnd().split('\n').length).toBe(6);
  });
});

/** By its central directory (APPNOTE 4.3.12), with every length and offset as it stands there. */
function unzip(bytes: Buffer): Map<string, Buffer> {
  const end = bytes.length - 22;
  expect(bytes.readUInt32LE(end)).toBe(0x06054b50);
  const files = new Map<string, Buffer>();
  let at = bytes.readUInt32LE(end + 16);
  for (let file = 0; file < bytes.readUInt16LE(end + 10); file++) {
    expect(bytes.readUInt32LE(at)).toBe(0x02014b50);
    const [packed, length, local] = [bytes.readUInt32LE(at + 20), bytes.readUInt16LE(at + 28), bytes.readUInt32LE(at + 42)];
    const name = bytes.toString('utf8', at + 46, at + 46 + length);
    expect([bytes.readUInt32LE(local), bytes.toString('utf8', local + 30, local + 30 + length)]).toEqual([0x04034b50, name]);
    const data = inflateRawSync(bytes.subarray(local + 30 + length, local + 30 + length + packed));
    expect(data.length).toBe(bytes.readUInt32LE(at + 24));
    files.set(name, data);
    at += 46 + length + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  expect(at).toBe(end);
  return files;
}
