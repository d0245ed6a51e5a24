import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SinkChange, SinkOptions } from '../../../framework/core/sink.ts';
import { openSink } from '../../../framework/destinations/index.ts';
import { streamOf, temporaryFolder } from './folder-rows.ts';

let out: string;
let changes: SinkChange[];
beforeEach(async () => {
  out = await temporaryFolder();
  changes = [];
});
afterEach(() => rm(out, { recursive: true }));

const opened = (options: SinkOptions = {}) =>
  openSink({ type: 'csv', target: out }, { onChange: (change) => changes.push(change), ...options });
const text = () => readFile(join(out, 'users.csv'), 'utf8');

describe('csv', () => {
  it('writes RFC 4180: no value and an empty text differ, JSON for what is nested, nothing added', async () => {
    const sink = await opened();
    const stream = await sink.open(streamOf({ columns: { id: 'integer', note: 'text' } }));
    await stream.commit({
      records: [
        { id: 1, note: 'a,b "c"\nd', flag: true, 'odd,name': '' },
        { note: null, id: 1e21, map: { a: [1, 'é'] }, constructor: '=1+1' },
        { id: '9007199254740993', flag: false, ['__proto__']: ' x ' },
      ],
      state: {},
    });
    await sink.close();
    expect(await text()).toBe(
      [
        'id,note,flag,"odd,name",map,constructor,__proto__',
        '1,"a,b ""c""\nd",true,"",,,',
        '1e+21,,,,"{""a"":[1,""é""]}",=1+1,',
        '9007199254740993,,false,,,, x ',
        '',
      ].join('\r\n'),
    );
    expect(changes).toEqual([]);
  });

  it('puts a later column at the end of a wider file, once for all that come together', async () => {
    let sink = await opened();
    let stream = await sink.open(streamOf());
    await stream.commit({ records: [{ id: 1, a: 'two\r\nlines, "quoted"' }, { id: 2 }], state: {} });
    await stream.commit({
      records: [
        { id: 3, b: 'x', c: 1 },
        { id: 4, c: 2 },
      ],
      state: {},
    });
    const wide = ['id,a,b,c', '1,"two\r\nlines, ""quoted""",,', '2,,,', '3,,x,1', '4,,,2', ''].join('\r\n');
    expect(await text()).toBe(wide);
    expect(changes.map(({ column, change }) => `${column} ${change}`)).toEqual(['b added', 'c added']);
    expect(stream.totals).toMatchObject({ records: 4, bytes: wide.length });
    await sink.close();
    // A column that the spec declares since then.
    sink = await opened();
    stream = await sink.open(streamOf({ columns: { id: 'integer', d: 'text' } }));
    await stream.commit({ records: [{ id: 5 }], state: {} });
    await sink.close();
    expect(await text()).toBe(['id,a,b,c,d', '1,"two\r\nlines, ""quoted""",,,', '2,,,,', '3,,x,1,', '4,,,2,', '5,,,,', ''].join('\r\n'));
  });

  it('widens a file of several megabytes whose values cross the pieces that it is read in', async () => {
    const sink = await opened();
    const stream = await sink.open(streamOf({ columns: {} }));
    // 64 bytes a row in all, so that pieces of 1 MiB end between rows; the odd ones shift by one byte more each.
    const rows = Array.from({ length: 20_000 }, (_, id) => ({ id, text: `${'"\r\n,'.repeat(25)}${'y'.repeat(id % 7)}` }));
    await stream.commit({ records: rows, state: {} });
    await stream.commit({ records: [{ id: 0, last: 1 }], state: {} });
    await sink.close();
    const value = (id: number) => `"${'""\r\n,'.repeat(25)}${'y'.repeat(id % 7)}"`;
    const wanted = `id,text,last\r\n${rows.map(({ id }) => `${id},${value(id)},\r\n`).join('')}0,,1\r\n`;
    expect((await text()) === wanted).toBe(true);
  });

  it('makes a column of each leaf, and refuses a record that would have two values in one', async () => {
    const sink = await opened({ nested: 'flat' });
    const stream = await sink.open(streamOf({ columns: { id: 'integer', address: 'object' } }));
    await stream.commit({
      records: [{ id: 1, address: { city: 'Bern', at: { lat: 46.9 } }, tags: ['a', 'b'], none: {} }],
      state: { n: 1 },
    });
    const refused = stream.commit({ records: [{ id: 2 }, { id: 3, address: { city: 'a' }, address_city: 'b' }], state: { n: 2 } });
    await expect(refused).rejects.toMatchObject({
      code: 'record_refused',
      where: 'address_city',
      message: expect.stringContaining('Record 2 of the batch') as string,
    });
    // It goes on: nothing of that batch was written.
    await stream.commit({ records: [{ id: 4 }], state: { n: 4 } });
    expect([...(await sink.state('users'))]).toEqual([['n', 4]]);
    await sink.close();
    expect(await text()).toBe('id,address_city,address_at_lat,tags,none\r\n1,Bern,46.9,"[""a"",""b""]",{}\r\n4,,,,\r\n');
  });

  it('has a head without records where columns are declared, and refuses a file whose head was changed', async () => {
    let sink = await opened();
    let stream = await sink.open(streamOf({ columns: { id: 'integer', 'a "b"': 'text' } }));
    await stream.finish({});
    expect(await text()).toBe('id,"a ""b"""\r\n');
    await stream.close();
    stream = await sink.open(streamOf({ name: 'bare', columns: {} }));
    await stream.commit({ records: [{}, {}], state: {} });
    await stream.commit({ records: [{ a: 1, b: 2 }], state: {} });
    await sink.close();
    expect(await readFile(join(out, 'bare.csv'), 'utf8')).toBe('a,b\r\n,\r\n,\r\n1,2\r\n');
    await writeFile(join(out, 'users.csv'), 'ID,"a ""b"""\r\n');
    sink = await opened();
    await expect(sink.open(streamOf())).rejects.toMatchObject({ code: 'output_unreadable', where: join(out, 'users.csv') });
    await sink.close();
  });
});
