import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import type { FieldType } from '../../../framework/core/resolved.ts';
import { Secret } from '../../../framework/core/secret.ts';
import { readAssignments } from '../../../framework/credentials/assignments.ts';
import { environmentInputs, environmentName } from '../../../framework/credentials/environment.ts';
import { checkValue } from '../../../framework/credentials/field-value.ts';
import { checkHost, matchesHost } from '../../../framework/credentials/host-value.ts';
import { readInputFile } from '../../../framework/credentials/input-file.ts';
import { inputError, missingFields, readInputs } from '../../../framework/credentials/inputs.ts';
import { MASK, mask } from '../../../framework/credentials/mask.ts';
import type { InputField } from '../../../framework/credentials/types.ts';
import { checkUrl } from '../../../framework/credentials/url-value.ts';
import { canary, plainCanary } from '../../canary.ts';

const field = (name: string, type: FieldType = 'text', more: Partial<InputField> = {}): InputField => ({
  name,
  title: name,
  type,
  required: true,
  secret: false,
  ...more,
});
/** The kept value, revealed, or `✗ problem`. */
function result(type: FieldType, raw: Parameters<typeof checkValue>[1], more: Partial<InputField> = {}): unknown {
  const checked = checkValue(field('x', type, more), raw);
  if ('problem' in checked) return `✗ ${checked.problem}`;
  return checked.value instanceof Secret ? checked.value.reveal() : checked.value;
}

describe('values', () => {
  it.each<[FieldType, string | number | boolean, unknown]>([
    ['url', 'https://Acme.Example.COM/', 'https://acme.example.com'],
    ['url', 'https://host.example/contour/', 'https://host.example/contour'],
    ['url', 'HTTPS://a.example:443/x', 'https://a.example/x'],
    ['url', 'https://a.example:8443', 'https://a.example:8443'],
    ['url', 'https://10.0.0.5/jama', 'https://10.0.0.5/jama'],
    ['url', 'https://[::1]:9000', 'https://[::1]:9000'],
    ['url', 'acme.example', '✗ is no URL'],
    ['url', 'ftp://a.example', '✗ does not begin with https://'],
    ['url', 'http://a.example', '✗ is plain http'],
    ['url', 'http://127.0.0.1:80', '✗ is plain http'],
    ['url', 'https://user:pw@a.example', '✗ has a user name or password in it'],
    ['url', 'https://a.example?x=1', '✗ has a query'],
    ['url', 'https://a.example/#', '✗ has a fragment'],
    ['url', 'https://a.example/../b', '✗ has . or .. in its path'],
    ['url', 'https://a.example/%2E%2e/b', '✗ has . or .. in its path'],
    ['url', 'https://a.example\\@evil.example', '✗ has a backslash'],
    ['url', 'https://аcme.example', '✗ has letters outside ASCII in its host'],
    ['url', 'https://a.example//x', '✗ has an empty or encoded part in its path'],
    ['url', 'https://a.example:99999', '✗ has a port that is none'],
    ['url', 'https://', '✗ has no host'],
    ['host', 'API.Acme.example', 'api.acme.example'],
    ['host', 'evil.com/', '✗ is more than a host'],
    ['host', 'a@b', '✗ has an @ in its host'],
    ['host', 'a b.example', '✗ has a space in its host'],
    ['host', 'a.example:8080', '✗ has a port'],
    ['host', 'a.example.', '✗ ends with a dot'],
    ['host', '2130706433', '✗ ends in a number and is no IPv4 address'],
    ['host', '0x7f.1', '✗ ends in a number and is no IPv4 address'],
    ['host', '127.1', '✗ ends in a number and is no IPv4 address'],
    ['host', 'a..example', '✗ is no host name'],
    ['host', '-a.example', '✗ is no host name'],
    ['host', '。example', '✗ has letters outside ASCII in its host'],
    ['subdomain', 'Acme-2', 'acme-2'],
    ['subdomain', 'acme.example', '✗ is more than one part of a host name'],
    ['subdomain', '..', '✗ is more than one part of a host name'],
    ['subdomain', 'a_b', '✗ is no part of a host name'],
    ['subdomain', 'x'.repeat(64), '✗ is no part of a host name'],
    ['integer', '9007199254740993', '9007199254740993'],
    ['integer', '007', '007'],
    ['integer', -5, '-5'],
    ['integer', 2 ** 53, '✗ is a whole number beyond 2^53, already rounded'],
    ['integer', '1.5', '✗ is not a whole number'],
    ['integer', '1e3', '✗ is not a whole number'],
    ['number', '0.50', 0.5],
    ['number', '1,5', '✗ is not a number'],
    ['number', '9007199254740993', '✗ is a whole number beyond 2^53: it would be rounded'],
    ['number', Number.NaN, '✗ is not a number that can be written'],
    ['boolean', 'True', true],
    ['boolean', false, false],
    ['boolean', 'maybe', '✗ is neither true nor false'],
    ['date', '2024-02-29', '2024-02-29'],
    ['date', '2026-02-29', '✗ is not a date of the calendar'],
    ['date', '2026-2-1', '✗ is not a date of the calendar'],
    ['datetime', '2026-01-31T08:00:00+01:00', '2026-01-31T08:00:00+01:00'],
    ['datetime', '2026-01-31T08:00:00', '✗ has no time zone'],
    ['datetime', '2026-02-30T08:00:00Z', '✗ is not a point in time'],
    ['datetime', '2026-01-31T24:00:00Z', '✗ is not a point in time'],
    ['email', 'a.b@acme.example', 'a.b@acme.example'],
    ['email', 'a@b@c.example', '✗ is no e-mail address'],
    ['list', 'a, b,c', ['a', 'b', 'c']],
    ['list', '["a,b","c"]', ['a,b', 'c']],
    ['list', 'a,,b', '✗ has an empty item, or one with control characters'],
    ['text', ' 1.10 ', '1.10'],
    ['text', 'a\r\nX-Evil: 1', '✗ has line breaks or other control characters'],
    ['text', ' \u00a0 ', '✗ is nothing but spaces'],
    ['text', 'a\ud800b', '✗ has half of a character (a lone surrogate)'],
    ['list', 'a\udc00,b', '✗ has half of a character (a lone surrogate)'],
    ['text', 'a😀b', 'a😀b'],
  ])('%s %j → %j', (type, raw, expected) => {
    const got = result(type, raw);
    if (typeof expected === 'string' && expected.startsWith('✗')) expect(String(got).startsWith(expected)).toBe(true);
    expect(typeof expected === 'string' && expected.startsWith('✗') ? '✗' : got).toEqual(String(expected).startsWith('✗') ? '✗' : expected);
  });

  it('plain http only for a literal loopback address, and only when allowed', () => {
    const allowed = { allowHttpLoopback: true };
    expect(checkUrl('http://127.0.0.1:8080/', allowed)).toEqual({ value: 'http://127.0.0.1:8080' });
    expect(checkUrl('http://[::1]:8080', allowed)).toEqual({ value: 'http://[::1]:8080' });
    for (const url of ['http://localhost', 'http://127.0.0.1.evil.example', 'http://0.0.0.0', 'http://10.0.0.1']) {
      expect(checkUrl(url, allowed)).toHaveProperty('problem', 'is plain http');
    }
  });

  it('hosts patterns: any depth below, not the name itself', () => {
    expect(
      ['a.acme.com', 'a.b.acme.com', 'acme.com', 'xacme.com', 'acme.com.evil.com', '.acme.com'].map((h) => matchesHost(h, '*.acme.com')),
    ).toEqual([true, true, false, false, false, false]);
    expect(checkHost('acme.com', ['acme.com', '*.acme.com'])).toEqual({ value: 'acme.com' });
    expect(result('url', 'https://evil.example', { hosts: ['*.acme.com'] })).toBe('✗ is not on a host that this connector may reach');
    expect(result('host', 'evil.example', { hosts: ['*.acme.com'] })).toBe('✗ is not a host that this connector may reach');
  });

  it('keys have no spaces; passwords may', () => {
    const secret = { secret: true };
    expect(result('text', ' key \n', secret)).toBe('key');
    expect(result('text', 'Bearer key', secret)).toBe('✗ has a space inside');
    expect(checkValue(field('password', 'text', secret), ' two words ')).toMatchObject({
      warning: 'begins or ends with a space: it is kept',
    });
    expect(checkValue(field('x', 'text', secret), canary('inputs'))).toEqual({ value: expect.any(Secret) });
    // A Secret given for a plain field stays one.
    expect(checkValue(field('x'), new Secret('s'))).toEqual({ value: expect.any(Secret) });
  });

  it('PEM in all the forms in which it is pasted', () => {
    const pem = '-----BEGIN PRIVATE KEY-----\nMIIB\nAA==\n-----END PRIVATE KEY-----\n';
    for (const text of [pem, pem.replaceAll('\n', '\r\n'), `  ${pem.trim()}`, pem.replaceAll('\n', '\\n')])
      expect(result('pem', text)).toBe(pem);
    for (const text of ['MIIB', pem.replace('END PRIVATE', 'END PUBLIC'), `${pem}trailing`, pem.replace('MIIB', '<b>')]) {
      expect(result('pem', text)).toBe('✗ is not in PEM form');
    }
  });

  it('a choice takes value or label, and suggests', () => {
    const options = [
      { value: 'daily', label: 'Every day' },
      { value: 'weekly', label: 'Every week' },
    ];
    expect(result('choice', 'every day', { options })).toBe('daily');
    expect(checkValue(field('x', 'choice', { options }), 'weakly')).toEqual({
      problem: 'is none of the options',
      hint: 'Did you mean weekly? The options are: daily, weekly.',
    });
  });

  it('a pattern advises, in linear time', () => {
    expect(checkValue(field('x', 'text', { pattern: '^[0-9]+$' }), 'abc')).toEqual({
      value: 'abc',
      warning: expect.stringContaining('as usual'),
    });
    const began = Date.now();
    checkValue(field('x', 'text', { pattern: '^(a+)+$' }), `${'a'.repeat(40)}!`);
    checkValue(field('x', 'text', { pattern: '(' }), 'x');
    expect(Date.now() - began).toBeLessThan(1000);
  });

  it('no host that passes is read by WHATWG URL as another one, whatever it was (10,000 cases)', () => {
    const piece = fc.constantFrom(
      'a',
      'acme',
      '.',
      '-',
      '@',
      ':',
      '/',
      '\\',
      '#',
      '?',
      '%2e',
      '%',
      '[',
      ']',
      ' ',
      '\t',
      '\n',
      '。',
      'ß',
      '127',
      '0x7f',
      'xn--',
      '..',
      '\u0000',
      ';',
      '&',
    );
    const hostile = fc.oneof(
      fc.array(piece, { maxLength: 8 }).map((parts) => parts.join('')),
      fc.string(),
      fc.webAuthority(),
    );
    fc.assert(
      fc.property(hostile, (text) => {
        const host = checkHost(text, ['*.acme.com', 'acme.com']);
        if ('value' in host) expect(new URL(`https://${host.value}/p`).host).toMatch(/^(?:[a-z0-9-]+\.)*acme\.com$/);
        const open = checkHost(text);
        if ('value' in open) {
          const url = new URL(`https://${open.value}/p`);
          expect([url.host, url.pathname, url.username, url.search]).toEqual([open.value, '/p', '', '']);
        }
        const suffixed = checkHost(`${text}.acme.com`, ['*.acme.com']);
        if ('value' in suffixed) expect(new URL(`https://${suffixed.value}`).host.endsWith('.acme.com')).toBe(true);
        const label = result('subdomain', text);
        if (!String(label).startsWith('✗')) expect(new URL(`https://${label}.acme.com`).host).toBe(`${label}.acme.com`);
      }),
      { numRuns: 5000 },
    );
    fc.assert(
      fc.property(hostile, hostile, (host, path) => {
        const site = checkUrl(`https://${host}/${path}`);
        if (!('value' in site)) return;
        const url = new URL(`${site.value}/rest/v1`);
        expect([url.protocol, url.username, url.search, url.hash]).toEqual(['https:', '', '', '']);
        expect(url.href).toBe(`${site.value}/rest/v1`);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('sources', () => {
  const shape = {
    connector: 'amazon-ads',
    fields: [
      field('client_id', 'text', { aliases: ['AppId'], title: 'Client ID' }),
      field('client_secret', 'text', { secret: true }),
      field('site', 'url', { required: false }),
      field('profile_id', 'text', { after: 'auth' }),
      field('extended', 'boolean', { default: false }),
      field('grant', 'text', { value: 'fixed' }),
    ],
    choices: [{ name: 'region', options: [{ id: 'na' }, { id: 'eu' }], default: 'na' }],
  };

  it('the first source that gives a value wins; empty is not given', () => {
    const env = {
      FERRULE_AMAZON_ADS_CLIENT_ID: 'from-env',
      FERRULE_AMAZON_ADS_REGION: 'eu',
      FERRULE_AMAZON_ADS_CLIENT_SECRET: plainCanary('env'),
    };
    const sources = [
      { name: 'inputs', values: { client_id: '', site: 'https://acme.example/' } },
      environmentInputs('amazon-ads', ['client_id', 'client_secret', 'region'], env),
      { name: 'file', values: { client_id: 'from-file' } },
    ];
    const read = readInputs(shape, sources);
    expect(read.problems).toEqual([]);
    expect(read.choices).toEqual({ region: 'eu' });
    expect(read.values).toEqual({ client_id: 'from-env', site: 'https://acme.example', client_secret: expect.any(Secret) });
    expect(inputError(read.problems)).toBeUndefined();
    expect(environmentName('jama-connect', 'client_id')).toBe('FERRULE_JAMA_CONNECT_CLIENT_ID');
  });

  it('reports every mistake at once, and repeats no value', () => {
    const typed = plainCanary('typed');
    const values = {
      AppId: 'x',
      cleint_secret: typed,
      site: `https://u:${typed}@a.example`,
      extended: typed,
      region: typed,
      grant: 'x',
      zzz: 1,
      __proto__x: '',
    };
    const { problems } = readInputs(shape, [{ name: 'inputs', values }]);
    expect(problems.map(({ rule, path, hint }) => [rule, path[0], hint])).toEqual([
      ['input_unknown', 'AppId', 'Did you mean client_id?'],
      ['input_unknown', 'cleint_secret', 'Did you mean client_secret?'],
      ['input_unknown', 'grant', 'Leave it out.'],
      ['input_unknown', 'zzz', 'The names are: client_id, client_secret, site, profile_id, extended, region.'],
      ['input_unknown', '__proto__x', expect.any(String)],
      ['input_unknown', 'region', 'The options are: na, eu.'],
      ['input_malformed', 'site', 'Leave them out; there are fields for them.'],
      ['input_malformed', 'extended', undefined],
      ['input_missing', 'client_id', 'Give client_id=…, or set FERRULE_AMAZON_ADS_CLIENT_ID.'],
      ['input_missing', 'client_secret', 'Give client_secret=…, or set FERRULE_AMAZON_ADS_CLIENT_SECRET.'],
    ]);
    const error = inputError(problems)!;
    expect([error.code, error.findings.length]).toEqual(['input_unknown', 10]);
    expect(error.message).toContain('10 mistakes in the inputs');
    expect(inspect({ error, problems }, { depth: 9, showHidden: true })).not.toContain(typed);
  });

  it('asks for what is missing, and for what comes after auth only then', () => {
    const names = (options?: { afterAuth: boolean }) => missingFields(shape.fields, { client_id: 'x' }, options).map(({ name }) => name);
    expect([names(), names({ afterAuth: true })]).toEqual([['client_secret'], ['client_secret', 'profile_id']]);
  });

  it('files: text as written, places, nothing quoted from them', () => {
    const { source, findings } = readInputFile(
      'client_id: 007\nprofile_id: 9007199254740993\nclient_secret: "a\\u0062c"\nsite:\n',
      'in.yaml',
    );
    expect(findings).toEqual([]);
    expect({ ...source.values }).toEqual({ client_id: '007', profile_id: '9007199254740993', client_secret: 'abc', site: null });
    const { problems } = readInputs(shape, [readInputFile('client_id: x\nclient_secret: y\nextended: maybe\nsiet: z\n', 'in.yaml').source]);
    expect(problems.map(({ file, path, start }) => [file, path[0], start.line, start.column])).toEqual([
      ['in.yaml', 'siet', 4, 1],
      ['in.yaml', 'extended', 3, 11],
    ]);
    const broken = readInputFile(`client_id: x\nclient_secret: "${plainCanary('file')}\n`, 'in.yaml');
    expect(broken.findings.length).toBeGreaterThan(0);
    expect(inspect(broken.findings, { depth: 9 })).not.toContain(plainCanary('file'));
    expect({ ...readInputFile('{"client_id": "x", "a": {"b": 1}}', 'in.json').source.values }).toEqual({ client_id: 'x' });
  });

  it('assignments: text, @file, - and @@', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ferrule-inputs-'));
    try {
      const file = join(folder, 'secret');
      await writeFile(file, `${plainCanary('at-file')}\n`);
      const stdin = async () => 'from-stdin\r\n';
      const { source, findings } = await readAssignments([`client_secret=@${file}`, 'client_id=-', 'site=@@x=y'], {
        fields: shape.fields,
        stdin,
      });
      expect(findings).toEqual([]);
      expect({ ...source.values }).toEqual({ client_secret: expect.any(Secret), client_id: 'from-stdin', site: '@x=y' });
      expect((source.values.client_secret as Secret).reveal()).toBe(plainCanary('at-file'));
      const bare = await readAssignments([`client_secret=${plainCanary('bare')}`], { fields: shape.fields, stdin });
      expect(bare.findings).toMatchObject([{ severity: 'warning', path: ['client_secret'] }]);
      expect(inspect(bare.findings)).not.toContain(plainCanary('bare'));
      for (const [texts, code] of [
        [['client_id'], 'usage'],
        [['client_id=-', 'site=-'], 'usage'],
        [['client_id=a', 'client_id=b'], 'usage'],
        [[`client_id=@${folder}/none`], 'input_malformed'],
      ] as const) {
        await expect(readAssignments(texts, { fields: shape.fields, stdin })).rejects.toMatchObject({ code });
      }
      // Not a path, but a password that begins with @.
      const meant = await readAssignments([`client_secret=@${plainCanary('at-password')}`], { fields: shape.fields, stdin }).catch(
        (e) => e,
      );
      expect(meant).toMatchObject({ code: 'input_malformed', where: 'client_secret' });
      expect(inspect(meant, { showHidden: true })).not.toContain(plainCanary('at-password'));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

it('masks all secrets alike', () => {
  const shown = mask({ a: new Secret('x'), b: [new Secret(canary('mask'))], c: 'plain', d: undefined });
  expect(shown).toEqual({ a: MASK, b: [MASK], c: 'plain' });
});
