import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FerruleError } from '../../../framework/core/errors.ts';
import { compile, type Kind, type Place } from '../../../framework/core/expression/index.ts';
import { scopesOf } from '../../../framework/core/scope.ts';
import { connectSpec } from '../../../framework/engine/connect.ts';
import { Catalogue } from '../../../framework/spec/catalogue.ts';
import { hostsOf } from '../../../framework/spec/hosts.ts';
import { lint, lintText } from '../../../framework/spec/lint.ts';
import { loadFile, loadText } from '../../../framework/spec/load.ts';
import { resolve } from '../../../framework/spec/resolve.ts';
import { acme, addresses, specOf } from '../../acme.ts';
import { plainCanary } from '../../canary.ts';
import { FakeClock } from '../../clock.ts';
import { type Answer, type LocalServer, serve } from '../../server.ts';

/**
 * Somebody else's spec in a team's folder. What it can do, and nothing here keeps it from: name hosts, and have the fields that a person
 * enters for this very spec (and what those hosts answer) sent there. `ferrule lint` and `ferrule show` print the hosts. It can read no file,
 * no environment variable and no prototype, change nothing but its own data, and hold nobody up.
 */

const KEY = plainCanary('hostile spec key');
process.env.FERRULE_TEST_PLANTED = plainCanary('hostile spec environment');

const before = Object.getOwnPropertyNames(Object.prototype).join();
let server: LocalServer | undefined;
const servers: LocalServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((one) => one.close()));
  // Nothing that any test here did has reached what all objects share.
  expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(before);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

describe('an expression reaches', () => {
  const document = acme(`fields: { site: { title: Site }, constructor: { title: A } }
auth: { key: { type: bearer } }`);
  const { api, response } = scopesOf(resolve(document));
  const problems = (source: string, place: Place, kind: Kind, scope: typeof api) => compile(source, kind, place, scope).problems.length;

  it.each([
    'env.HOME',
    'process.env.HOME',
    'globalThis',
    'this',
    'require("fs")',
    'import("fs")',
    'eval("1")',
    'Function("return 1")()',
    'file("/etc/passwd")',
    'read("/etc/passwd")',
    'fields.__proto__',
    'fields["__proto__"]',
    'fields.toString',
    'fields.hasOwnProperty',
    'fields.site.constructor',
    'fields.site.length',
    '"a".constructor("return process")()',
    '"a".toString()',
    '"a"["constructor"]',
    '[].constructor',
    '[1].map(x, x.constructor)',
    '[1].map(__proto__, 1)',
    'size.constructor',
    'slot_text_0',
    'slot_map_0.constructor',
    'fields.site.matches("(a+)+$")',
    '[1].map(x, [1].map(y, x + y))',
    'type(fields)',
    'constructor',
    '__proto__',
    'toString',
    'valueOf()',
    'hasOwnProperty("a")',
  ])('nothing by ${%s}', (source) => {
    const found = compile(`\${${source}}`, 'value', 'body', api);
    // What compiles, is a value of the spec's own.
    const value = found.template?.evaluate({ fields: { site: 'x' } });
    expect([found.problems.length > 0, value]).toEqual([true, undefined]);
  });

  it('own keys alone in what a provider sent', () => {
    for (const source of ['response.body.constructor', 'response.body.__proto__', 'response.body.a.toString', 'response.headers.valueOf']) {
      const { template } = compile(`\${${source}}`, 'value', 'data', response);
      const answer = { body: { a: {} }, headers: {}, cookies: {}, status: 200 };
      expect(() => template?.evaluate({ response: answer })).toThrow(FerruleError);
    }
    expect(problems('${response.constructor}', 'data', 'value', response)).toBeGreaterThan(0);
  });
});

describe('names of objects', () => {
  const NAMES = ['constructor', 'prototype', 'tostring', 'valueof', 'hasownproperty', 'then'];
  const open = async (document: ReturnType<typeof acme>, answer: () => Answer, fields: Record<string, string> = {}) => {
    server = await serve(answer);
    servers.push(server);
    return connectSpec(
      document,
      { fields: { token: KEY, ...fields } },
      { ...addresses(server.origin), clock: new FakeClock(), retry: { mode: 'None' } },
    );
  };

  it.each(NAMES)('%s is a field, choice, stream, template, column and query key like any other', async (name) => {
    const document = specOf(`spec: 1
name: acme
title: Acme
version: 1.0.0
fields: { ${name}: { title: A } }
choices: { ${name}x: { title: B, default: ${name}, options: { ${name}: { title: C, ${name}: d } } } }
http: { base_url: 'https://api.acme.test/v1', headers: { X-${name}: '\${fields.${name}}' }, query: { ${name}: '\${${name}x.${name}}' } }
check: { get: /me }
auth: { ${name}: { type: bearer } }
templates: { ${name}: { records: items, add: { ${name}: '\${fields.${name}}' } } }
streams: { ${name}: { use: ${name}, get: '/\${fields.${name}}', primary_key: [${name}] } }`);
    await using connection = await open(document, () => ({ json: { items: [{ id: 1 }] } }), { [name]: 'mine' });
    const records = [];
    for await (const record of connection.read(name)) records.push(record);
    expect(records).toEqual([{ id: 1, [name]: 'mine' }]);
    expect(server?.received[0]?.headers[`x-${name}`]).toBe('mine');
    expect(server?.received[0]?.query.get(name)).toBe('d');
    expect(connection.method).toBe(name);
  });

  it.each(['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf'])(
    'no stream, template, method, choice or parent is called %s where the spec has none',
    async (name) => {
      const stream = (rest: string) => acme(`auth: { key: { type: bearer } }\nstreams: { a: { get: /a${rest} } }`);
      await using connection = await open(stream(''), () => ({ json: {} }));
      await expect(async () => connection.read(name).pages()).rejects.toMatchObject({ code: 'stream_unknown' });
      expect(() => resolve(stream(''), { method: name })).toThrow(expect.objectContaining({ code: 'input_unknown' }));
      expect(() => resolve(stream(''), { choices: { [name]: 'x' } })).toThrow(expect.objectContaining({ code: 'input_unknown' }));
      if (name !== 'constructor') return; // the others are no names that a spec may write
      expect(() => resolve(stream(`, use: ${name}`))).toThrow(expect.objectContaining({ code: 'spec_invalid' }));
      const lost = acme(`auth: { key: { type: bearer } }\nstreams: { a: { parent: ${name}, get: /a } }`);
      await using other = await open(lost, () => ({ json: {} }));
      await expect(async () => {
        for await (const _ of other.read('a'));
      }).rejects.toMatchObject({ code: 'stream_unknown' });
    },
  );

  it('__proto__ is no key of a spec, and a key of data', async () => {
    const { findings } = loadText('spec: 1\nstreams: { __proto__: { polluted: 1 } }', 'acme.yaml');
    expect(findings.map(({ rule }) => rule)).toContain('bad-name');
    const document = acme("auth: { key: { type: bearer } }\nstreams: { a: { get: /a, records: items, add: { copy: '${record}' } } }");
    const text = '{"items":[{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"id":1}]}';
    await using connection = await open(document, () => ({ text, headers: { 'content-type': 'application/json' } }));
    for await (const record of connection.read('a')) {
      expect(Object.getPrototypeOf(record)).toBe(Object.prototype);
      expect((record as { polluted?: unknown }).polluted).toBeUndefined();
    }
  });

  it.each([
    'records: __proto__',
    'records: constructor',
    'records: items.__proto__',
    'records: items.constructor.prototype',
    "records: '${response.body.__proto__}'",
    'records: \'${response.body["constructor"]}\'',
    'records: items, paginate: { type: next_token, from: constructor.name, to: query.page }',
    'records: items, paginate: { type: next_token, from: token, to: body.__proto__.polluted }',
    'records: items, paginate: { type: next_token, from: token, to: query.__proto__ }',
    'records: items, paginate: { type: next_token, from: token, to: headers.__proto__ }',
    'records: items, paginate: { type: next_token, from: token, to: body.constructor.prototype.polluted }',
    'records: items, remove: [constructor]',
  ])('%s reaches no prototype', async (rest) => {
    const yaml = `auth: { key: { type: bearer } }\nstreams: { a: { get: /a, ${rest} } }`;
    let asked = 0;
    const answer = (): Answer => ({ json: { items: [{ id: 1 }], token: ++asked < 3 ? `polluted${asked}` : null } });
    const outcome = await (async () => {
      const { spec } = loadText(
        `spec: 1\nname: acme\ntitle: Acme\nversion: 1.0.0\nhttp: { base_url: 'https://api.acme.test/v1' }\ncheck: { get: /me }\n${yaml}`,
        'acme.yaml',
      );
      if (spec === undefined) return 'refused';
      await using connection = await open(spec, answer);
      try {
        for await (const record of connection.read('a')) expect(Object.keys(record)).toEqual(['id']);
        return 'read';
      } catch (error) {
        return (error as FerruleError).code;
      }
    })();
    expect(['refused', 'read', 'records_missing', 'path_missing', 'spec_invalid', 'page_repeated']).toContain(outcome);
  });
});

describe('nothing hangs', () => {
  const base = (rest: string) => `spec: 1
name: acme
title: Acme
version: 1.0.0
http: { base_url: 'https://api.acme.test/v1' }
check: { get: /me }
auth: { key: { type: bearer } }
${rest}`;
  const many = (count: number, line: (index: number) => string) => Array.from({ length: count }, (_, index) => line(index)).join('\n');
  const filled = (piece: string, size = 50_000) => piece.repeat(Math.floor(size / piece.length));
  const MiB = 1_000_000;

  const TEXTS: Record<string, string> = {
    'a quarter of a megabyte of brackets': base(`x_: ${filled('[', MiB / 4)}`),
    braces: base(`x_: ${filled('{a: ')}`),
    'brackets that close': base(`x_: ${filled('[')}${filled(']')}`),
    'keys in brackets': base(`x_: {${filled('${a: ')}}`),
    dashes: base(`x_:\n${filled('- ')}`),
    'a thousand levels': base(many(1000, (i) => `${' '.repeat(i)}a${i}:`)),
    'aliases of aliases': `a0: &a0 [x]\n${many(40, (i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(9)}*a${i}]`)}`,
    aliases: `a: &a x\nb: [${filled('*a, ')}]`,
    tags: `a: [${filled('!x y, ')}]`,
    'merge keys': base(`x_: {${filled('<<: *a, ')}}`),
    'expressions without quotes': base(`x_: [${filled('${a}, ')}]`),
    documents: filled('---\n'),
    'one quote': base(`x_: "${filled('\\')}`),
    'line breaks': base(filled('\n')),
    'one key twice and again': base(filled('x_a: 1\n')),
    'keys of nobody': base(many(3000, (i) => `strems${i}: 1`)),
    'comments that ignore': base(filled('x_a: 1 # ferrule-ignore unknown-key: y\n')),
    'expressions in one text': base(`streams: { a: { get: /a, query: { q: "${filled('${a}')}" } } }`),
    'a brace in one line and no comment': base(`streams: { a: { get: /a, query: { q: "${filled('}')}" } } }`),
    parentheses: base(`streams: { a: { get: /a, query: { q: '\${${'('.repeat(3900)}' } } }`),
    negations: base(`streams: { a: { get: /a, query: { q: '\${${'!'.repeat(3900)}true}' } } }`),
    'lists in lists': base(`streams: { a: { get: /a, query: { q: '\${${'['.repeat(1900)}${']'.repeat(1900)}}' } } }`),
    'a long primary key': base(`streams: { a: { get: /a, primary_key: [${filled('id, ')}] } }`),
    'a long path': base(`streams: { a: { get: /a, records: "${filled('a.')}b" } }`),
    streams: base(`streams:\n${many(3000, (i) => `  s${i}: { get: /a }`)}`),
    'parents in a row': base(`streams:\n${many(2000, (i) => `  s${i}: { parent: s${i + 1}, get: /a }`)}`),
    'parents in a circle': base(`streams:\n${many(2000, (i) => `  s${i}: { parent: s${(i + 1) % 2000}, get: /a }`)}`),
    'templates in a chain': base(`templates:\n${many(2000, (i) => `  t${i}: { use: t${i + 1} }`)}\nstreams: { a: { use: t0, get: /a } }`),
    'a large template in many streams': base(
      `templates:\n  t: { records: x, columns: { ${many(3000, (i) => `c${i}: text,`)} } }\nstreams:\n${many(500, (i) => `  s${i}: { use: t, get: /a }`)}`,
    ),
    'a name in a template of many streams, again and again': base(
      `templates:\n  t: { job: { create: { post: /a, capture: { x: x } }, poll: { get: /b, query: { ${many(600, (i) => `q${i}: '\${job.x}\${each.y}',`).replaceAll('\n', ' ')} } } } }\nstreams:\n${many(600, (i) => `  s${i}: { use: t }`)}`,
    ),
    'choices by choices': base(
      `choices:\n${many(60, (i) => `  c${i}: { title: A, default: a, options: { a: { title: A, v: x }, b: { title: B, v: y } } }`)}`,
    ),
    'a pattern that explodes': base(`fields: { f: { title: A, pattern: '^(a+)+$', example: ${'a'.repeat(40)}! } }`),
    'a pattern that goes with the power of eight': base(
      `fields: { f: { title: A, pattern: '^${'a*'.repeat(8)}b$', example: ${'a'.repeat(900)} } }`,
    ),
    'a pattern that counts': base(`fields: { f: { title: A, pattern: '${'a{0,1000}'.repeat(100)}b', example: ${'a'.repeat(900)} } }`),
    'a pattern of groups': base(`fields: { f: { title: A, pattern: '${'('.repeat(5000)}', example: a } }`),
    'fields that double one another': base(
      `fields:\n  f0: { value: xxxxxxxxxx }\n${many(40, (i) => `  f${i + 1}: { value: '${`\${fields.f${i}}`.repeat(3)}' }`)}\nstreams: { a: { get: /a, query: { q: '\${fields.f40}' } } }`,
    ),
  };

  // The slowest takes a second, on a slow machine some; what hangs takes minutes.
  it.each(Object.keys(TEXTS))(
    '%s',
    async (name) => {
      const text = TEXTS[name] ?? '';
      const started = performance.now();
      const { spec } = loadText(text, 'acme.yaml');
      expect(lintText(text, 'acme.yaml').every(({ message }) => message !== '')).toBe(true);
      if (spec !== undefined) {
        const opened = async () => {
          hostsOf(spec);
          await using connection = await connectSpec(spec, { fields: { token: KEY } }, { environment: {} });
          return connection.streams();
        };
        await opened().catch((error: unknown) => expect(error).toBeInstanceOf(FerruleError));
      }
      expect(performance.now() - started).toBeLessThan(30_000);
    },
    40_000,
  );

  const evaluated = (source: string, text: string) => {
    const { response } = scopesOf(resolve(acme('auth: { key: { type: bearer } }')));
    const { template } = compile(`\${${source}}`, 'value', 'data', response);
    if (template === undefined) throw new Error('it does not compile');
    return () => template.evaluate({ response: { body: { text }, headers: {}, cookies: {}, status: 200 } });
  };

  it.each([
    ['doubling', `response.body.text${'.replace("a", "aaaaaaaaaa")'.repeat(40)}`, 'aaaa'],
    ['doubling by nothing', `response.body.text${'.replace("", "aaaaaaaaaa")'.repeat(40)}`, 'aaaa'],
    ['a sum of large texts', Array(200).fill('response.body.text').join(' + '), 'a'.repeat(MiB)],
    ['a list of large texts', `[${Array(200).fill('response.body.text').join()}].join("")`, 'a'.repeat(MiB)],
    ['a pattern that counts', 'match(response.body.text, "(a?){1000}[0-9]{2}")', 'a'.repeat(60_000)],
    ['a pattern that counts much', `match(response.body.text, "${'a{0,1000}'.repeat(20)}b")`, 'aaaa'],
    ['a pattern of the provider’s', 'match("aaaa", response.body.text)', `${'a{0,1000}'.repeat(200)}b`],
    ['a pattern with a look behind', 'match("aaaa", response.body.text)', '(?<=a)b'],
    ['a long list', 'response.body.text.split("").exists(x, x == "b")', 'a'.repeat(MiB)],
  ])('an expression of %s fails at once', (_, source, text) => {
    const started = performance.now();
    let error: unknown;
    try {
      evaluated(source, text)();
    } catch (thrown) {
      error = thrown;
    }
    const rules = lintText(base(`streams: { a: { get: /a, records: '\${${source}}' } }`), 'acme.yaml').map(({ rule }) => rule);
    if (!(error instanceof FerruleError)) expect(rules.join()).toMatch(/expression/);
    else expect(error.code).toBe('expression_failed');
    expect(performance.now() - started).toBeLessThan(3000);
  });

  it.each([
    ['^(a+)+$', 'a'.repeat(40), true],
    ['^(a+)+$', `${'a'.repeat(60_000)}!`, false],
    ['^(a|aa)+$', `${'a'.repeat(60_000)}!`, false],
    ['(x+x+)+y', 'x'.repeat(60_000), false],
  ])('a capture of the form %s is compared in linear time', async (pattern, site, fits) => {
    server = await serve(({ path }) => ({ json: path === '/token' ? { access_token: KEY, site } : {} }));
    servers.push(server);
    const document = acme(
      `auth: { app: { type: oauth2_client_credentials, token_url: 'https://auth.acme.test/token', token: { capture: { site: { path: site, pattern: '${pattern}' } } } } }`,
    );
    const started = performance.now();
    await using connection = await connectSpec(
      document,
      { fields: { client_id: 'app', client_secret: KEY } },
      { ...addresses(server.origin), clock: new FakeClock(), retry: { mode: 'None' } },
    );
    const outcome = await connection.http.get('/me').then(
      () => true,
      (error: unknown) => expect(error).toMatchObject({ code: 'token_malformed' }) ?? false,
    );
    expect([outcome, performance.now() - started < 3000]).toEqual([fits, true]);
  });

  it('a captured value has a pattern of RE2, says lint', () => {
    const capture = `capture: { a: { path: a, pattern: '^(?=a)b$' } }`;
    const auth = `auth: { s: { type: session, steps: [{ post: 'https://auth.acme.test/x', ${capture} }] } }`;
    const found = lintText(
      base('').replace('auth: { key: { type: bearer } }', () => auth),
      'acme.yaml',
    );
    expect(found.map(({ rule }) => rule)).toContain('pattern-invalid');
  });
});

describe('a folder of specs', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ferrule-specs-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const GOOD =
    'spec: 1\nname: good\ntitle: Good\nversion: 1.0.0\nhttp: { base_url: https://api.acme.test }\nauth: { key: { type: bearer } }\ncheck: { get: /me }\n';

  it('with a pipe, a device and links to them, in a circle and to nowhere gives the specs that are files', async () => {
    writeFileSync(join(folder, 'good.yaml'), GOOD);
    execFileSync('mkfifo', [join(folder, 'pipe.yaml')]);
    symlinkSync(join(folder, 'good.yaml'), join(folder, 'linked.yaml'));
    symlinkSync(join(folder, 'pipe.yaml'), join(folder, 'linked-pipe.yaml'));
    symlinkSync('/dev/zero', join(folder, 'zero.yaml'));
    symlinkSync(join(folder, 'circle.yaml'), join(folder, 'circle.yaml'));
    symlinkSync(join(folder, 'gone'), join(folder, 'gone.yaml'));
    symlinkSync(folder, join(folder, 'itself.yaml'));
    const catalogue = new Catalogue([folder]);
    expect((await catalogue.list()).entries.map(({ name }) => name)).toEqual(['good', 'linked']);
    for (const name of ['pipe', 'linked-pipe', 'zero', 'circle', 'gone', 'itself'])
      await expect(catalogue.find(name)).rejects.toMatchObject({ code: 'connector_unknown' });
    for (const name of ['pipe', 'zero', 'circle']) {
      const path = join(folder, `${name}.yaml`);
      await expect(loadFile(path)).rejects.toMatchObject({ code: 'spec_unreadable' });
      await expect(lint([path])).rejects.toMatchObject({ code: 'spec_unreadable' });
    }
  });

  it('a file is read as far as a spec may go', async () => {
    writeFileSync(join(folder, 'large.yaml'), Buffer.alloc(50 * MiB_, 'x'));
    const { findings } = await loadFile(join(folder, 'large.yaml'));
    expect(findings).toEqual([expect.objectContaining({ rule: 'file-unreadable', message: expect.stringContaining('1 MiB') })]);
  });

  it('names of files in a spec are texts', async () => {
    const { spec, findings } = loadText(
      `${GOOD}x_more: { include: /etc/passwd, $ref: 'file:///etc/passwd', extends: ../other.yaml }\n`,
      'good.yaml',
    );
    expect([findings, JSON.stringify(spec)]).toEqual([[], expect.not.stringContaining('root:')]);
  });
});

const MiB_ = 1024 * 1024;
