import fc from 'fast-check';
import { type FerruleError, isFerruleError } from '../../../framework/core/errors.ts';
import { parseJson } from '../../../framework/core/json.ts';
import { compilePath, EACH } from '../../../framework/core/path.ts';
import type { ResolvedStream } from '../../../framework/core/resolved.ts';
import type { Json, JsonObject, Response } from '../../../framework/core/value.ts';
import { compileExtract } from '../../../framework/streams/records.ts';
import { failureIn } from '../../failure.ts';
import { decode, pieces, piecesOf } from './decoding.ts';

type Outcome = { records: JsonObject[]; rest: Json } | { code: string; message: string };

const failed = (error: unknown): Outcome => {
  if (!isFerruleError(error)) throw error;
  return { code: error.code, message: error.message };
};

/** What a whole answer gives: the code that reads pages of JSON. */
function oracle(text: string, records: string): Outcome {
  try {
    const body = text.trim() === '' ? null : parseJson(text, 'text');
    const stream = { name: 'orders', records } as ResolvedStream;
    return { records: compileExtract(stream, {} as never)({ body } as Response, {}), rest: withoutList(body, records) };
  } catch (error) {
    return failed(error);
  }
}

/** The document with an empty list where `records` leads before its first `*`, if there is a list. */
function withoutList(body: Json, records: string): Json {
  const { steps } = compilePath(records);
  const way = steps.slice(0, steps.includes(EACH) ? steps.indexOf(EACH) : steps.length) as string[];
  const empty = (value: Json, [step, ...others]: string[]): Json => {
    if (step === undefined) return Array.isArray(value) ? [] : value;
    if (Array.isArray(value)) return value.map((item, i) => (/^\d{1,9}$/.test(step) && Number(step) === i ? empty(item, others) : item));
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, key === step ? empty(item, others) : item]));
  };
  return empty(body, way);
}

async function ours(text: string | Buffer, records: string, cuts: number[], batchBytes?: number): Promise<Outcome> {
  try {
    const options = { records, chain: [{ type: 'json' as const }], bigIntegers: 'text' as const };
    const { records: found, rest } = await decode(pieces(Buffer.from(text), cuts), { ...options, ...(batchBytes && { batchBytes }) });
    return { records: found, rest };
  } catch (error) {
    return failed(error);
  }
}

const blank = fc.constantFrom('', '', '', ' ', '\n\t', '\r\n');
const KEYS = ['a', 'b', '0', '1', '', 'é😀', '__proto__', 'a"b', 'a\\'];
const escaped = (key: string) => [...JSON.stringify(key).slice(1, -1)].map((c) => (c === 'a' ? '\\u0061' : c)).join('');
const keyText = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('"a"', '"a"', '"b"') },
  fc.constantFrom(...KEYS.map((key) => JSON.stringify(key))),
  fc.constantFrom(...KEYS.map((key) => `"${escaped(key)}"`)),
);
const leaf = fc.oneof(
  fc.constantFrom('null', 'true', '0', '-1.5e3', '12345678901234567890', '1e2', '""', '"]"', '"\\\\"', '"\\"}"', '"[{"', '"é😀\\u00e9"'),
  fc.string().map((text) => JSON.stringify(text)),
  fc.integer().map(String),
);

/** JSON texts with blanks, escapes, keys that come twice (when `twice`), and lists and objects wherever they may be. */
const documents = (twice: boolean) =>
  fc.letrec<{ value: string; list: string; object: string }>((tie) => ({
    value: fc.oneof({ maxDepth: 5 }, leaf, tie('list'), tie('object'), tie('object')),
    list: fc
      .array(fc.tuple(blank, fc.oneof({ maxDepth: 5, weight: 4, arbitrary: tie('object') } as never, tie('value')), blank), {
        maxLength: 5,
      })
      .chain((items) => blank.map((inside) => `[${items.length === 0 ? inside : items.map((item) => item.join('')).join(',')}]`)),
    object: fc
      .uniqueArray(fc.tuple(keyText, blank, tie('value'), blank), {
        maxLength: 4,
        selector: ([key]) => (twice ? Symbol(key) : (JSON.parse(key) as string)),
      })
      .chain((members) =>
        blank.map(
          (inside) =>
            `{${members.length === 0 ? inside : members.map(([key, one, value, two]) => key + one + ':' + two + value + one).join(',')}}`,
        ),
      ),
  }));

const paths = fc
  .tuple(
    fc.array(fc.constantFrom('a', 'a', 'a', 'b', '0', '1', '*', '*', '["é😀"]', '["__proto__"]', '["a\\"b"]'), { maxLength: 4 }),
    fc.boolean(),
  )
  .map(([steps, optional]) => `$${steps.map((step) => (step.startsWith('[') ? step : `.${step}`)).join('')}${optional ? '?' : ''}`);

const cuts = fc.array(fc.nat(400), { maxLength: 12 });
/** Most documents have the list that is looked for. */
const cases = (twice: boolean) =>
  fc
    .tuple(documents(twice).value, documents(twice).list, fc.integer({ min: 0, max: 3 }), paths)
    .map(([value, list, wrap, path]): [string, string] => {
      if (wrap === 0) return [value, path];
      if (wrap === 1) return [list, path];
      return wrap === 2
        ? [`{"b":${value},"a": ${list} ,"0":1}`, path.replace('$', '$.a')]
        : [`[${value},{"a":${list}}]`, path.replace('$', '$.1.a')];
    });

describe('a JSON document that comes in pieces', () => {
  it('gives what the whole text gives, and fails as it does', async () => {
    let good = 0;
    let many = 0;
    await fc.assert(
      fc.asyncProperty(cases(true), cuts, async ([text, path], at) => {
        const wanted = oracle(text, path);
        if ('records' in wanted) good += 1;
        if ('records' in wanted && wanted.records.length > 1) many += 1;
        expect(await ours(text, path, at)).toEqual(wanted);
      }),
      { numRuns: 1000 },
    );
    // The generator is worth something only if it makes both.
    expect(good).toBeGreaterThan(200);
    expect(many).toBeGreaterThan(40);
  });

  it('gives the same in small batches', async () => {
    await fc.assert(
      fc.asyncProperty(cases(false), cuts, fc.integer({ min: 1, max: 60 }), async ([text, path], at, batchBytes) => {
        const wanted = oracle(text, path);
        const got = await ours(text, path, at, batchBytes);
        if ('records' in wanted) expect(got).toEqual(wanted);
        else expect(got).toMatchObject({ code: wanted.code });
      }),
      { numRuns: 500 },
    );
  });

  it('refuses what is cut off, and what the platform refuses', async () => {
    await fc.assert(
      fc.asyncProperty(cases(true), cuts, fc.nat(), fc.constantFrom(null, ...'{}[],:"\\ 1a\0'), async ([text, path], at, place, byte) => {
        const bytes = Buffer.from(text);
        const where = place % bytes.length;
        const changed =
          byte === null
            ? bytes.subarray(0, where)
            : Buffer.concat([bytes.subarray(0, where), Buffer.from(byte), bytes.subarray(where + 1)]);
        if (changed.toString('utf8').includes('\ufffd')) {
          expect(await ours(changed, path, at)).toMatchObject({ code: 'response_malformed' });
          return;
        }
        const wanted = oracle(changed.toString('utf8'), path);
        const got = await ours(changed, path, at);
        if ('code' in wanted && wanted.code !== 'records_missing') expect(got).toMatchObject({ code: wanted.code });
        else expect(got).toEqual(wanted);
      }),
      { numRuns: 800 },
    );
  });

  it.each<[string, string, string]>([
    ['[{"a":1},{"a":2}', '$', 'it ends too early, at byte 16'],
    ['{"rows":[{"a":1}],"next":"x"', 'rows', 'it ends too early, at byte 28'],
    ['{"é":1,"rows":[{"a":"é"},{"a" 2}]}', 'rows', 'a character may not stand there, at byte 32'],
    ['{"é" 1,"rows":[{"a":1}]}', 'rows', 'a character may not stand there, at byte 6'],
    ['{"rows":[{"a":1},]}', 'rows', 'a character may not stand there, at byte 17'],
    ['{"rows":[,{"a":1}]}', 'rows', 'a character may not stand there, at byte 9'],
    ['{"rows":[{"a":1}}', 'rows', 'a character may not stand there, at byte 16'],
    ['{"rows":[{"a":1}]} x', 'rows', 'a character may not stand there, at byte 19'],
    ['{"rows":[{"a" 1}],"rows":[]}', 'rows', 'a character may not stand there, at byte 14'],
    ['<html>', '$', 'it begins with <'],
  ])('says where %s breaks', async (text, records, message) => {
    const failure = await failureIn(() => decode(text, { records, chain: [{ type: 'json' }] }));
    expect(failure).toMatchObject({ code: 'response_malformed', where: 'streams.orders' });
    expect(failure.message).toContain(message);
  });

  it('says how deep is too deep as for any answer, and reads what is as deep as may be', async () => {
    const nested = (levels: number) => `{"a":[${'['.repeat(levels - 2)}${']'.repeat(levels - 2)}]}`;
    for (const levels of [999, 1000, 1001]) {
      const wanted = oracle(nested(levels), 'a.*.0?');
      const got = await ours(nested(levels), 'a.*.0?', []);
      expect((got as FerruleError).code).toBe((wanted as FerruleError).code);
    }
    const records = `[{"a":${'['.repeat(998)}${']'.repeat(998)}}]`;
    expect((await decode(records, { chain: [{ type: 'json' }] })).records).toHaveLength(1);
    expect(await ours(`[{"a":${'['.repeat(999)}${']'.repeat(999)}}]`, '$', [])).toMatchObject({ code: 'response_malformed' });
  });

  it('keeps large numbers digit for digit, wherever a piece ends', async () => {
    const text = '{"rows":[{"id":12345678901234567890},{"id":-9007199254740993},{"x":0.5}],"next":98765432109876543210}';
    const single = Array.from({ length: text.length }, (_, i) => i);
    for (const cut of [single, ...single.map((at) => [at])]) {
      const small = { records: 'rows', chain: [{ type: 'json' as const }], batchBytes: 1 };
      const { records, rest } = await decode(pieces(Buffer.from(text), cut), { ...small, bigIntegers: 'text' });
      expect(records).toEqual([{ id: '12345678901234567890' }, { id: '-9007199254740993' }, { x: 0.5 }]);
      expect(rest).toEqual({ rows: [], next: '98765432109876543210' });
      const failure = await failureIn(() => decode(pieces(Buffer.from(text), cut), small));
      expect(failure.code).toBe('number_too_large');
    }
  });

  it('refuses a list whose key comes twice when the first one is given out already', async () => {
    const text = '{"rows":[{"id":1},{"id":2},{"id":3}],"rows":[{"id":4}]}';
    expect((await decode(text, { records: 'rows' })).records).toEqual([{ id: 4 }]);
    const failure = await failureIn(() =>
      decode(piecesOf(Buffer.from(text), 4), { records: 'rows', chain: [{ type: 'json' }], batchBytes: 1 }),
    );
    expect(failure).toMatchObject({ code: 'response_malformed' });
    expect(failure.message).toContain('comes twice');
  });

  it('refuses lists under one key without end', async () => {
    const text = `{${'"rows":[],'.repeat(1100)}"next":1}`;
    expect((await failureIn(() => decode(text, { records: 'rows' }))).message).toContain('again and again');
  });

  it('refuses a value that is missing where a batch ends', async () => {
    const failure = await failureIn(() => decode(piecesOf(Buffer.from('[{"a":1},]'), 1), { chain: [{ type: 'json' }], batchBytes: 1 }));
    expect(failure.message).toContain('a value is missing, at byte 9');
  });

  it('reads UTF-16 and a byte order mark, and refuses what is not UTF-8', async () => {
    const text = '[{"name":"é😀"}]';
    const json = { chain: [{ type: 'json' as const }] };
    expect((await decode(piecesOf(Buffer.from(`\ufeff${text}`, 'utf16le'), 3), json)).records).toEqual([{ name: 'é😀' }]);
    expect((await decode(piecesOf(Buffer.from(`\ufeff${text}`), 1), json)).records).toEqual([{ name: 'é😀' }]);
    const latin = Buffer.from('[{"name":"é"}]', 'latin1');
    expect((await decode(latin, { contentType: 'application/json; charset=iso-8859-1' })).records).toEqual([{ name: 'é' }]);
    expect((await failureIn(() => decode(latin, json))).message).toContain('it is not utf-8');
  });

  it('gives batches of about the size asked for, and holds neither a record nor a rest beyond 64 MiB', async () => {
    const record = `{"id":1,"text":"${'x'.repeat(1000)}"},`;
    async function* many(count: number, first: string) {
      yield Buffer.from(first);
      for (let i = 0; i < count; i++) yield Buffer.from(record);
      yield Buffer.from('{}]}');
    }
    const { records, batches } = await decode(many(3000, '{"rows":['), { records: 'rows' });
    expect(records).toHaveLength(3001);
    // 3000 × 1,018 bytes at 256 KiB
    expect(batches).toBeGreaterThanOrEqual(9);
    expect(batches).toBeLessThanOrEqual(13);
    async function* endless(first: string) {
      yield Buffer.from(first);
      for (;;) yield Buffer.alloc(1024 * 1024, 'x');
    }
    expect((await failureIn(() => decode(endless('{"rows":["'), { records: 'rows' }))).message).toContain('longer than 64 MiB');
    expect((await failureIn(() => decode(endless('{"other":"'), { records: 'rows' }))).message).toContain('more than 64 MiB besides');
  });
});
