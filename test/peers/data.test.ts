import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { FerruleError } from '../../framework/core/errors.ts';
import type { Json, JsonObject } from '../../framework/core/value.ts';
import { connectSpec } from '../../framework/engine/connect.ts';
import { acme, addresses } from '../acme.ts';
import { FakeClock } from '../clock.ts';
import { failureIn } from '../failure.ts';
import { type Answer, type Received, serve } from '../server.ts';

/** The records of a stream `things` that these words describe, or its error. */
async function records(
  words: string,
  answer: Answer | ((request: Received, response: ServerResponse) => Answer | undefined),
): Promise<JsonObject[] | FerruleError> {
  const server = await serve(typeof answer === 'function' ? answer : () => answer);
  const connection = await connectSpec(
    acme(`auth: { none: none }
fields: { place: { title: Place, default: items } }
streams: { things: { get: /things, ${words} } }`),
    { fields: {} },
    { ...addresses(server.origin), clock: new FakeClock(), retry: { mode: 'None' } },
  );
  const all: JsonObject[] = [];
  try {
    for await (const record of connection.read('things')) all.push(record);
    return all;
  } catch (error) {
    return await failureIn(() => Promise.reject(error));
  } finally {
    await connection.close();
    await server.close();
  }
}

test('X1 records: a path to a list, an object, the root, each of a list; nothing there is an error unless ? says otherwise', async () => {
  const at = (path: string, json: Json) => records(`records: '${path}'`, { json });
  const [one, two, three] = [{ id: 1 }, { id: 2 }, { id: 3 }];
  expect(await at('data', { data: [one, two] })).toEqual([one, two]);
  expect(await at('data', { data: one })).toEqual([one]);
  expect(await at('data.deep.items', { data: { deep: { items: [one] } } })).toEqual([one]);
  expect(await at('data.0', { data: [one, two] })).toEqual([one]);
  expect(await at('["a.b"].c', { 'a.b': { c: [one] } })).toEqual([one]);
  expect(await at('data', { data: [] })).toEqual([]);
  expect(await at('$', [one, two])).toEqual([one, two]);
  expect(await at('$', one)).toEqual([one]);
  expect(await at('$', [])).toEqual([]);
  expect(await records('primary_key: [id]', { json: [one] })).toEqual([one]);
  expect(await at('list.*.item', { list: [{ item: one }, { item: two }] })).toEqual([one, two]);
  expect(await at('list.*.items.*', { list: [{ items: [one, two] }, { items: [] }, { items: [three] }] })).toEqual([one, two, three]);
  expect(await at('$.*.item', [{ item: one }])).toEqual([one]);
  // Where the path depends on what was entered.
  expect(await at('${response.body[fields.place]}', { items: [one] })).toEqual([one]);
  // The values of a map, by its keys.
  expect(await at('${response.body.data.map(k, response.body.data[k])}', { data: { a: one, b: two } })).toEqual([one, two]);

  const none: [path: string, json: Json][] = [
    ['data', {}],
    ['data', { data: null }],
    ['list.*.item', { list: [{ item: one }, {}] }],
  ];
  for (const [path, json] of none)
    expect(await at(path, json)).toMatchObject({ code: 'records_missing', kind: 'data', where: 'streams.things.records' });
  expect(await at('data?', {})).toEqual([]);
  expect(await at('data?', { data: null })).toEqual([]);
  expect(await at('data.items?', {})).toEqual([]);
  expect(await at('list.*.item?', { list: [{ item: one }, {}] })).toEqual([one]);
});

test('X2 gzip is known by its bytes, whatever is said of them; what is said to be gzip on the way must be', async () => {
  const text = '[{"id":1},{"id":2}]';
  const both = [{ id: 1 }, { id: 2 }];
  const sent = (body: Buffer | string, headers: Record<string, string>, words = 'primary_key: [id]') =>
    records(words, (_, response) => {
      response.writeHead(200, headers);
      response.end(body);
      return undefined;
    });
  const json = { 'content-type': 'application/json' };
  // Compressed on the way, as HTTP has it.
  expect(await sent(gzipSync(text), { ...json, 'content-encoding': 'gzip' })).toEqual(both);
  // Nobody says that it is compressed, small or large.
  expect(await sent(gzipSync(text), json)).toEqual(both);
  expect(await sent(gzipSync(text), { 'content-type': 'text/plain' })).toEqual(both);
  expect(await sent(gzipSync(text), {})).toEqual(both);
  const many = Array.from({ length: 10_000 }, (_, id) => ({ id, text: `${id * 7919}`.repeat(60) }));
  const large = await sent(gzipSync(JSON.stringify(many), { level: 0 }), json);
  expect(large).toHaveLength(10_000);
  // The spec says gzip: so it is, and so it is not; twice said and once done; once said and twice done.
  const words = 'decode: [gzip, json]';
  expect(await sent(gzipSync(text), json, words)).toEqual(both);
  expect(await sent(text, json, words)).toEqual(both);
  expect(await sent(gzipSync(text), { ...json, 'content-encoding': 'gzip' }, words)).toEqual(both);
  expect(await sent(gzipSync(gzipSync(text)), json, words)).toEqual(both);
  // Empty, with and without the word.
  expect(await sent('', { ...json, 'content-encoding': 'gzip' }, 'records: data?')).toEqual([]);
  expect(await sent('', json, `${words}, records: data?`)).toEqual([]);
  expect(await sent(gzipSync(''), json, `${words}, records: data?`)).toEqual([]);
  // A transfer that says gzip and is none was damaged on the way.
  expect(await sent(text, { ...json, 'content-encoding': 'gzip' })).toMatchObject({ code: 'response_malformed', kind: 'data' });
  expect(await sent(gzipSync(text), { ...json, 'content-encoding': 'gzip, gzip' })).toMatchObject({ code: 'response_malformed' });
});

test('X3 a nested column is written as a map, places in a list by an expression; what is not there is removed without a word', async () => {
  const json = [{ id: 1, list: ['a'], old: { keep: true } }];
  const shaped = (words: string) => records(words, { json });
  expect(await shaped(`keep: '\${record.id == 1}', remove: [list, old], add: { a: { b: { c: '\${record.id}' } } }`)).toEqual([
    { id: 1, a: { b: { c: 1 } } },
  ]);
  // A column is one value: what is there is replaced, not reached into.
  expect(await shaped(`remove: [list], add: { old: { new: 2 } }`)).toEqual([{ id: 1, old: { new: 2 } }]);
  expect(await shaped(`remove: [list], add: { old: { keep: '\${record.old.keep}', new: 2 } }`)).toEqual([
    { id: 1, old: { keep: true, new: 2 } },
  ]);
  // A dot in a name is a dot: tables have such columns.
  expect(await shaped(`remove: [list, old], add: { 'a.b': 2 }`)).toEqual([{ id: 1, 'a.b': 2 }]);
  const five = `'\${record.list[0]}', '\${null}', '\${null}', '\${null}', '\${null}', x`;
  expect(await shaped(`remove: [old], add: { list: [${five}] }`)).toEqual([{ id: 1, list: ['a', null, null, null, null, 'x'] }]);
  expect(await shaped(`remove: [list, old, nothing, also.nothing]`)).toEqual([{ id: 1 }]);
});
