import { createHmac, generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import { ABSENT } from '../../../../framework/core/absent.ts';
import { isFerruleError } from '../../../../framework/core/errors.ts';
import {
  compile,
  compileOrThrow,
  FUNCTIONS,
  type Kind,
  type Place,
  type Problem,
  type Scope,
  type Vars,
} from '../../../../framework/core/expression/index.ts';
import { Secret } from '../../../../framework/core/secret.ts';
import { canary } from '../../../canary.ts';

const secret = canary('expression');
const scope: Scope = {
  fields: {
    type: 'map',
    members: {
      site: { type: 'text', url: true },
      account: { type: 'text' },
      key: { type: 'text', secret: true },
      start: { type: 'text', absent: true },
      count: { type: 'number' },
      extended: { type: 'bool' },
      accounts: { type: 'list' },
      sub: { type: 'text', host: 'label' },
      server: { type: 'text', host: true },
    },
  },
  region: { type: 'map', members: { api: { type: 'text', host: true, trusted: true }, id: { type: 'text' } } },
  now: { type: 'time' },
  token: { type: 'map', members: { cookies: { type: 'map', secret: true } } },
  response: {
    type: 'map',
    members: { status: { type: 'number' }, headers: { type: 'map' }, body: { type: 'any' } },
  },
  parent: { type: 'any' },
  digest: { type: 'bytes' },
  with: { type: 'map', members: { dimensions: { type: 'text', trusted: true } } },
};
const vars: Vars = {
  fields: {
    site: 'https://acme.example.com/contour/',
    account: 'A_1',
    key: new Secret(secret),
    count: 3,
    extended: true,
    accounts: ['a', 'b'],
    sub: 'acme',
    server: 'api.acme.com',
  },
  region: { api: 'api.example.com', id: 'eu' },
  now: new Date(Date.UTC(2026, 0, 8, 12)),
  token: { cookies: { B1SESSION: new Secret(secret), n: 1 } },
  response: {
    status: 200,
    headers: { 'x-next': 'abc' },
    body: { ok: false, error: 'token_expired', items: [{ id: 1 }, { id: 2, name: 'two' }], total: 5, text: 'a-b-c', nothing: null },
  },
  parent: { id: '9007199254740993', 'odd key': 1, big: 1e21 },
  digest: new Uint8Array([1, 2]),
  with: { dimensions: 'campaignId campaign' },
};

const run = (source: string, kind: Kind = 'value', place: Place = 'body', given = vars) =>
  compileOrThrow(source, kind, place, scope).evaluate(given);
const shown = (source: string, kind: Kind = 'value', place: Place = 'body') => {
  const result = run(source, kind, place);
  return result instanceof Secret ? { secret: result.reveal() } : result;
};

function problemOf(source: string, kind: Kind = 'text', place: Place = 'plain'): Problem {
  const { template, problems } = compile(source, kind, place, scope);
  expect(template).toBeUndefined();
  return problems[0]!;
}

function failureOf(source: string, kind: Kind = 'value', given = vars): { code: string; message: string; where: string | undefined } {
  try {
    run(source, kind, 'body', given);
  } catch (error) {
    if (isFerruleError(error)) return { code: error.code, message: error.message, where: error.where };
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('texts', () => {
  it.each([
    ['no expression', 'no expression'],
    ['$${x} costs 5 $ or $$', '${x} costs 5 $ or $$'],
    ['a${parent.id}b${region.id}', 'a9007199254740993beu'],
    ['${"}"}${ {"a": "}"}.a }${\'"}\'}', '}}"}'],
    ['${r"\\}"}|${"""a"}"""}', '\\}|a"}'],
    ['${fields.extended} ${fields.count} ${parent.big} ${0.1 + 0.2}', 'true 3 1000000000000000000000 0.30000000000000004'],
    ['${now}', '2026-01-08T12:00:00Z'],
    ['${parent["odd key"]} ${response.headers["x-next"]} ${response.body.items[1].id}', '1 abc 2'],
    ['', ''],
  ])('%p', (source, expected) => {
    expect(run(source, 'text', 'plain')).toBe(expected);
  });

  it('are the same in a value, but for exactly one expression', () => {
    expect(run('${response.body.items}')).toEqual([{ id: 1 }, { id: 2, name: 'two' }]);
    expect(run('${null}')).toBeNull();
    expect(run('${fields.count}')).toBe(3);
    expect(run('n=${fields.count}')).toBe('n=3');
    expect(run('${response.body.nothing}')).toBeNull();
  });
});

describe('expressions', () => {
  it.each<[string, unknown]>([
    // Numbers behave as in JSON.
    ['${5 / 2}', 2.5],
    ['${size(response.body.items) / 4}', 0.5],
    ['${fields.count * 2 + 1}', 7],
    ['${response.body.total % 3}', 2],
    ['${size(response.body.items) == fields.count - 1}', true],
    ['${-fields.count}', -3],
    ['${response.body.items[size(response.body.items) - 1].id}', 2],
    ['${[1, size("ab"), {"n": size("abc")}]}', [1, 2, { n: 3 }]],
    ['${string(1e21)}', '1000000000000000000000'],
    ['${response.body.items.map(x, x.id * 2)}', [2, 4]],
    ['${response.body.items.filter(x, x.id > 1).map(x, x.id)}', [2]],
    ['${response.body.items.exists(x, default(x.name, "") == "two")}', true],
    ['${response.body.error in ["invalid_auth", "token_expired"]}', true],
    ['${response.body.ok == false && response.status == 200}', true],
    ['${has(response.body.missing)}', false],
    ['${has(response.body.nothing)}', true],
    ['${fields.count > 2 ? "many" : "few"}', 'many'],
    // Absence and missing data.
    ['${default(response.body.store.name, response.body.error)}', 'token_expired'],
    ['${default(response.body.nothing, "x")}', 'x'],
    ['${default(fields.start, "2020-01-01")}', '2020-01-01'],
    ['${default(response.body.items[7].id, 0)}', 0],
    ['${fields.start}', ABSENT],
    ['${given(fields.extended, true)}', true],
    ['${given(!fields.extended, true)}', ABSENT],
    ['${given(has(fields.start), fields.start + "Z")}', ABSENT],
    ['${has(fields.start) ? fields.start : "none"}', 'none'],
    ['${has(fields.start) && fields.start == "x"}', false],
    ['${default(fields.start, fields.start)}', ABSENT],
    // Functions; expected values from RFC 4648, RFC 4231 and FIPS 180 test vectors.
    ['${base64("foobar")}', 'Zm9vYmFy'],
    ['${base64url(unbase64("-_-_"))}', '-_-_'],
    ['${string(unbase64("Zm9v"))}', 'foo'],
    ['${hex("fooba")}', '666f6f6261'],
    ['${string(unhex("666f6f"))}', 'foo'],
    ['${hex(hash("sha256", "abc"))}', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    ['${hex(hash("md5", "abc"))}', '900150983cd24fb0d6963f7d28e17f72'],
    ['${hex(hmac("sha256", "Jefe", "what do ya want for nothing?"))}', '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'],
    [
      '${hex(hmac("sha256", unhex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"), "Hi There"))}',
      'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    ],
    ['${base64(digest)}', 'AQI='],
    ['${url_encode("a b/é*")}', 'a%20b%2F%C3%A9%2A'],
    ['${query({"a": 1, "b": ["x y", true]})}', 'a=1&b=x%20y&b=true'],
    ['${json(response.body.items)}', '[{"id":1},{"id":2,"name":"two"}]'],
    ['${json([size("ab"), now])}', '[2,"2026-01-08T12:00:00Z"]'],
    ['${parse_json("{\\"id\\": 12345678901234567890}").id}', '12345678901234567890'],
    ['${format(now, "%d.%m.%y")}', '08.01.26'],
    ['${format(ago("7d"), "date")}', '2026-01-01'],
    ['${epoch(parse_time("2026-01-01", "date"))}', 1767225600],
    ['${epoch_ms(parse_time(1767225600, "epoch"))}', 1767225600000],
    ['${http_date(now)}', 'Thu, 08 Jan 2026 12:00:00 GMT'],
    ['${now - duration("1h")}', '2026-01-08T11:00:00Z'],
    ['${now - duration("1h0.5m")}', '2026-01-08T10:59:30Z'],
    ['${timestamp("2026-01-08T12:00:00+02:00") + duration("-250ms")}', '2026-01-08T09:59:59.750Z'],
    ['${response.body.text.replace("-", "_")}', 'a_b_c'],
    ['${response.body.text.split("-")}', ['a', 'b', 'c']],
    ['${[response.body.text, region.id].join("\\n")}', 'a-b-c\neu'],
    ['${fields.account.lowerAscii() + "B".lowerAscii() + "c".upperAscii()}', 'a_1bC'],
    ['${response.body.text.substring(2, 3) + response.body.text.substring(3)}', 'b-c'],
    ['${response.body.text.indexOf("b")}', 2],
    ['${match(response.body.text, "^[a-c-]+$")}', true],
    ['${host_label("acme-1")}', 'acme-1'],
  ])('%s', (source, expected) => {
    expect(run(source)).toEqual(expected);
  });

  it('sign what vendors want signed', () => {
    // Duo's canonical text, and Snowflake's fingerprint of a public key.
    const text = '${[http_date(now), "POST", "API.acme.com".lowerAscii(), response.body.text].join("\\n")}';
    expect(run(text)).toBe('Thu, 08 Jan 2026 12:00:00 GMT\nPOST\napi.acme.com\na-b-c');
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const pem = new Secret(privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
    const der = publicKey.export({ type: 'spki', format: 'der' });
    const result = run('${hex(public_key(fields.key))}', 'value', 'body', { fields: { key: pem } });
    expect((result as Secret).reveal()).toBe(der.toString('hex'));
  });

  it('document every function that they know, and no other', () => {
    expect(FUNCTIONS.map(({ name }) => name)).toEqual(expect.arrayContaining(['default', 'given', 'hmac', 'ago', 'match', 'host_label']));
    for (const { signature, name } of FUNCTIONS) expect(signature).toContain(`${name}(`);
  });
});

describe('a run that fails', () => {
  it.each([
    ['${parent.constructor}', 'path_missing', 'parent has no constructor'],
    ['${parent["__proto__"].x}', 'path_missing', 'parent has no __proto__'],
    ['${parent["con" + "structor"]}', 'path_missing', 'not there'],
    ['${parent.idd}', 'path_missing', 'parent has no idd. It has: id, odd key, big.'],
    ['${response.body.error.code}', 'path_missing', 'response.body.error is no map or list; it has no code.'],
    ['${response.body.nothing.x}', 'path_missing', 'response.body.nothing is null; it has no x.'],
    ['a${parent.idd}', 'path_missing', 'parent has no idd.'],
    ['${response.body.missing == 1}', 'path_missing', 'response.body has no missing.'],
    ['${response.body.items.map(x, x.name)}', 'path_missing', 'not there'],
    ['${response.body.text + 1}', 'expression_failed', 'an operator met values'],
    ['${hash(response.body.error, "x") == digest}', 'expression_failed', 'know sha256'],
    ['${string(unhex(response.body.text))}', 'expression_failed', 'unhex() got'],
    ['${parse_json(response.body.text).a}', 'response_malformed', 'not JSON'],
    ['${int(response.body.text)}', 'expression_failed', 'no whole number'],
    ['${epoch(parse_time(response.body.text, "iso"))}', 'expression_failed', 'does not fit its format'],
    ['x${response.body.items}', 'expression_failed', 'a text cannot hold a list'],
    ['x${response.body.nothing}', 'expression_failed', 'a text cannot hold null'],
    ['${response.body.text.substring(9)}', 'expression_failed', 'outside the text'],
  ])('%s', (source, code, words) => {
    const failure = failureOf(source);
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(words);
    expect(failure.where).toContain('${');
  });

  it('wants true or false of a condition, and a number of a number', () => {
    expect(failureOf('${response.body.text}', 'condition').message).toContain('a condition must be true or false, it is a text');
    expect(failureOf('${response.body.text}', 'number').message).toContain('a number is wanted, it is a text');
    expect(run('${response.body.total}', 'number')).toBe(5);
    expect(run('100', 'number')).toBe(100);
  });

  it('shows no value, secret or not', () => {
    const sources = [
      '${int(fields.key)}',
      '${bool(fields.key)}',
      '${double(fields.key)}',
      '${timestamp(fields.key)}',
      '${duration(fields.key)}',
      '${string(unhex(fields.key))}',
      '${parse_json(fields.key)}',
      '${response.body[fields.key]}',
      '${fields.key.split("+")[7]}',
      '${host_label(fields.key)}',
      '${base64(public_key(fields.key))}',
      '${fields.key.x}',
    ];
    for (const source of sources) {
      const { template, problems } = compile(source, 'value', 'body', scope);
      let seen: unknown = problems;
      try {
        template?.evaluate(vars);
      } catch (error) {
        expect(isFerruleError(error)).toBe(true);
        seen = error;
      }
      expect(seen).not.toEqual([]);
      expect(inspect(seen, { showHidden: true, depth: 9 })).not.toContain(secret.slice(6, 30));
    }
  });

  it('stops before long lists and long texts', () => {
    const long = { ...vars, response: { body: { items: Array.from({ length: 1001 }, () => 1), text: 'a'.repeat(65_537) } } };
    expect(failureOf('${response.body.items.all(x, x == 1)}', 'condition', long).message).toContain('more than 1000 items');
    expect(failureOf('${response.body.text.split("").exists(x, x == "b")}', 'condition', long).message).toContain('more than 1000 items');
    expect(failureOf('${match(response.body.text, "^(a+)+$")}', 'condition', long).message).toContain('64 KiB');
  });

  it('matches hostile text in linear time', () => {
    const hostile = { ...vars, response: { body: { text: `${'a'.repeat(60_000)}!` } } };
    const start = performance.now();
    expect(run('${match(response.body.text, "^(a+)+$")}', 'condition', 'plain', hostile)).toBe(false);
    // Backtracking would not end within the age of the universe.
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

describe('problems at load', () => {
  it.each<[string, Problem['rule'], string, string]>([
    // rule, what is marked, message or hint
    ['${field.site}', 'expression_name', 'field', 'Did you mean fields?'],
    ['${fields.sitee}', 'expression_name', 'sitee', 'Did you mean site?'],
    ['x ${ fields.nope }', 'expression_name', 'nope', 'There are: site, account'],
    ['${has(fields.nope)}', 'expression_name', 'nope', 'fields has no nope'],
    ['${default(fields.nope, "x")}', 'expression_name', 'nope', 'fields has no nope'],
    ['${fields.site.host}', 'expression_type', 'host', 'fields.site is a text'],
    ['${foo(1)}', 'expression_name', 'foo', 'There is no function foo()'],
    ['${bas64("x")}', 'expression_name', 'bas64', 'Did you mean base64(x)?'],
    ['${fields.site.toLower()}', 'expression_name', 'toLower', 'There is no method toLower()'],
    ['${lowerAscii(fields.site)}', 'expression_name', 'lowerAscii', 'Write text.lowerAscii()'],
    ['${base64("a", "b")}', 'expression_type', 'base64("a", "b")', 'takes one argument'],
    ['${fields.count + "a"}', 'expression_type', 'fields.count + "a"', '+ does not work on number and text'],
    ['${fields.site == null}', 'expression_type', 'fields.site == null', 'never null'],
    ['${fields.count ? 1 : 2}', 'expression_type', 'fields.count', 'neither true nor false'],
    ['${fields.site && true}', 'expression_type', '', 'take conditions'],
    ['${size(response.body) / size(fields.accounts)}', 'expression_type', '', 'drops the rest'],
    ['${12345678901234567890}', 'expression_type', '', 'would be rounded'],
    ['a${fields.start}', 'expression_type', '${fields.start}', 'may be absent'],
    ['${fields.start + "x"}', 'expression_type', 'fields.start', 'may be absent here'],
    ['${"x" + given(true, "y")}', 'expression_type', 'given(true, "y")', 'must be the whole expression'],
    ['${default(fields.site + "x", "y")}', 'expression_type', 'fields.site + "x"', 'plain look-up'],
    ['${fields.site.matches("(a+)+")}', 'expression_refused', '', 'Write match(text, pattern)'],
    ['${fields.accounts.map(x, fields.accounts.map(y, y))}', 'expression_refused', '', 'do not nest'],
    ['${match(fields.site, fields.account)}', 'expression_refused', 'fields.account', 'a text in quotes'],
    ['${match(fields.site, "(?=x)")}', 'expression_syntax', '"(?=x)"', 'no look-around'],
    ['${hash("sha3", "x")}', 'expression_type', '"sha3"', 'There are: sha256'],
    ['${format(now, "yyyy")}', 'expression_type', '"yyyy"', 'no time format'],
    ['${format(ago("7 days"), "date")}', 'expression_type', '"7 days"', 'no duration'],
    ['${timestamp("2022-02-28")}', 'expression_type', '"2022-02-28"', 'parse_time('],
    ['${format(now + duration("P1D"), "date")}', 'expression_type', '"P1D"', 'a day is 24h'],
    ['${format(now - duration("7d"), "date")}', 'expression_type', '"7d"', 'a day is 24h'],
    ['${hmac("sha1", fields.account, "x")}', 'expression_type', '', 'base64url(…) or hex(…)'],
    ['${digest}', 'expression_type', '', 'Bytes are no text'],
    ['${fields.accounts}', 'expression_type', '', 'list.join'],
    ['${region}', 'expression_type', '', 'A map is no text'],
    ['${null}', 'expression_type', '', 'null is no text'],
    ['${fields.count = 1}', 'expression_syntax', '=', 'Write =='],
    ['${fields.extended and true}', 'expression_syntax', '', 'Write &&'],
    ['${fields?.site}', 'expression_syntax', '', 'default(x, y)'],
    ['${"abc}', 'expression_syntax', '${"abc}', 'not closed'],
    ['a ${fields.site', 'expression_syntax', '${fields.site', 'not closed'],
    ['${fields.count +}', 'expression_syntax', '', 'ends too early'],
    ['${}', 'expression_syntax', '', 'empty'],
    ['${ }', 'expression_syntax', '', 'empty'],
    ['${cel.bind(x, 1, x)}', 'expression_name', '', 'bind'],
    ['${format(ago(7), "date")}', 'expression_type', '', 'ago(number)'],
    ['${string(fields.accounts)}', 'expression_type', '', 'string(list)'],
    ['${5u}', 'expression_refused', '5u', 'no u'],
  ])('%s', (source, rule, marked, words) => {
    const problem = problemOf(source);
    expect(problem.rule).toBe(rule);
    expect(`${problem.message} ${problem.hint ?? ''}`).toContain(words);
    if (marked !== '') expect(source.slice(problem.start, problem.end)).toBe(marked);
    expect(problem.message.length + (problem.hint?.length ?? 0)).toBeLessThan(500);
  });

  it.each<[string, string]>([
    [`1${'+1'.repeat(1900)}`, 'levels deep'],
    [`${'!'.repeat(3900)}true`, 'levels deep'],
    [`${'('.repeat(1900)}1${')'.repeat(1900)}`, 'too long or too deep'],
    [`fields${'.a'.repeat(2500)} + 1`, 'at most 4000 characters'],
    [`[${'1,'.repeat(1500)}1]`, 'too long or too deep'],
  ])('of size', (source, words) => {
    expect(problemOf(`\${${source}}`, 'value')).toMatchObject({ rule: 'expression_refused', message: expect.stringContaining(words) });
  });

  it('come all at once', () => {
    const { problems } = compile('${fields.a} and ${fields.b + regoin.x}', 'text', 'plain', scope);
    expect(problems.map(({ start }) => start)).toEqual([9, 25, 29]);
  });

  it.each<[Kind, string, string]>([
    ['condition', 'api.id == "v2"', 'Write ${api.id == "v2"}.'],
    ['condition', 'a ${fields.extended}', 'exactly one'],
    ['condition', '${fields.site}', 'this is a text'],
    ['number', '${fields.site}', 'this is a text'],
    ['number', 'many', 'digits, or exactly one'],
    ['computed_path', 'a.${parent.id}', 'exactly one'],
  ])('of the kind %s: %s', (kind, source, words) => {
    const problem = problemOf(source, kind);
    expect(`${problem.message} ${problem.hint ?? ''}`).toContain(words);
  });

  it.each<[Place, string]>([
    ['path', '${fields.start}'],
    ['url', '/x/${fields.start}'],
    ['label', '${fields.start}'],
  ])('of absence where nothing can be left out: %s', (place, source) => {
    expect(problemOf(source, 'text', place).message).toContain('may be absent');
  });

  it.each<[Place, string, string]>([
    ['label', '${fields.key}', 'may not be shown'],
    ['data', '${base64(fields.key)}', 'may not become data'],
    ['data', '${fields}', 'may not become data'],
    ['host', '${fields.key}', 'may not stand in a host'],
    ['url', 'https://${fields.key}.example.com', 'may not stand in a host'],
    ['graphql', '{ a(id: ${parent.id}) }', 'takes no values'],
    ['header', 'a\nb ${region.id}', 'control characters'],
  ])('of the place %s: %s', (place, source, words) => {
    const { template, problems } = compile(source, 'text', place, scope);
    expect(template).toBeUndefined();
    expect(problems.map(({ message }) => message).join(' ')).toContain(words);
  });

  it('throw as spec_invalid for those who do not look', () => {
    expect(() => compileOrThrow('${nope}', 'text', 'plain', scope)).toThrow('Nothing is called nope here.');
  });
});

describe('secrecy', () => {
  it.each<[string, unknown]>([
    ['${fields.key}', { secret }],
    ['Bearer ${fields.key}', { secret: `Bearer ${secret}` }],
    ['${base64(fields.account + ":" + fields.key)}', { secret: Buffer.from(`A_1:${secret}`).toString('base64') }],
    ['${hex(hmac("sha1", fields.key, "x"))}', { secret: createHmac('sha1', secret).update('x').digest('hex') }],
    ['${[fields.account, fields.key].join(":")}', { secret: `A_1:${secret}` }],
    ['${default(fields.key, "x")}', { secret }],
    ['${fields.count > 5 ? fields.key : "none"}', { secret: 'none' }],
  ])('outlives every function: %s', (source, expected) => {
    expect(compileOrThrow(source, 'text', 'plain', scope).secret).toBe(true);
    expect(shown(source, 'text', 'plain')).toEqual(expected);
  });

  it('seals the text leaves of a map, and shows them nowhere', () => {
    const result = run('${token.cookies}') as Record<string, unknown>;
    expect(result.n).toBe(1);
    expect((result.B1SESSION as Secret).reveal()).toBe(secret);
    expect(inspect(result, { showHidden: true })).not.toContain(secret.slice(6, 30));
    expect((run('${[fields.key]}') as Secret[])[0]?.reveal()).toBe(secret);
  });

  it('lets a condition read a secret', () => {
    const template = compileOrThrow('${size(fields.key) > 3}', 'condition', 'plain', scope);
    expect(template.secret).toBe(false);
    expect(template.evaluate(vars)).toBe(true);
  });

  it('seals what a caller put where the scope did not say so', () => {
    const stray = { ...vars, parent: { id: new Secret(secret) } };
    expect(run('${parent.id}', 'value', 'body', stray)).toBeInstanceOf(Secret);
    expect(run('a${parent.id}', 'text', 'header', { ...stray, parent: { id: new Secret('x') } })).toBeInstanceOf(Secret);
    expect(() => run('${parent.id}', 'value', 'data', stray)).toThrow('may not have one');
  });
});

describe('a template', () => {
  it('tells what it mentions and where each part stands', () => {
    const template = compileOrThrow('https://${region.api}/v1/${parent.a.b}?q=${response.body.x.y}', 'text', 'url', scope);
    expect(template.mentions).toEqual([['region', 'api'], ['parent'], ['response', 'body']]);
    expect(template.parts).toEqual([
      { text: 'https://' },
      expect.objectContaining({ source: 'region.api', lookup: ['region', 'api'], stands: 'host', start: 8, end: 21 }),
      { text: '/v1/' },
      expect.objectContaining({ lookup: ['parent', 'a', 'b'], stands: 'path' }),
      { text: '?q=' },
      expect.objectContaining({ mentions: [['response', 'body']], stands: 'query' }),
    ]);
    const label = compileOrThrow('https://${host_label(fields.account.lowerAscii())}.example.com', 'text', 'url', scope);
    expect(label.parts[1]).toMatchObject({ hostLabel: true, lookup: undefined, mentions: [['fields', 'account']] });
  });

  it('is kept per scope', () => {
    expect(compile('${region.id}', 'text', 'plain', scope)).toBe(compile('${region.id}', 'text', 'plain', scope));
    expect(compile('${region.id}', 'text', 'plain', scope)).not.toBe(compile('${region.id}', 'text', 'header', scope));
    expect(compile('${region.id}', 'text', 'plain', {}).template).toBeUndefined();
  });

  it('may be run any number of times with other data, one run never seeing the last', () => {
    const template = compileOrThrow('${default(parent.x, "none") + region.id}', 'text', 'plain', scope);
    expect(template.evaluate({ ...vars, parent: { x: 'a' } })).toBe('aeu');
    expect(template.evaluate({ ...vars, parent: {} })).toBe('noneeu');
    expect(template.evaluate({ ...vars, parent: { x: new Secret('s') } })).toBeInstanceOf(Secret);
    expect(template.evaluate({ ...vars, parent: { x: 'b' } })).toBe('beu');
  });

  it('takes dates as epoch milliseconds and numbers kept as text', () => {
    expect(run('${now}', 'text', 'plain', { now: 0 })).toBe('1970-01-01T00:00:00Z');
    expect(run('${fields.count + 1}', 'number', 'plain', { fields: { count: '41' } })).toBe(42);
  });
});
