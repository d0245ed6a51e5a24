import { readdirSync, readFileSync } from 'node:fs';
import { compactVerify, decodeProtectedHeader } from 'jose';
import { parseDuration } from '../../../framework/core/duration.ts';
import { isFerruleError } from '../../../framework/core/errors.ts';
import { reveal, Secret } from '../../../framework/core/secret.ts';
import { connectSpec } from '../../../framework/engine/connect.ts';
import type { Connection } from '../../../framework/engine/connection.ts';
import { lintText } from '../../../framework/spec/lint.ts';
import { specOf } from '../../acme.ts';
import { FakeClock } from '../../clock.ts';
import { pem, publicKey } from './keys.ts';
import { type Arrived, type Provider, provide } from './provider.ts';
import type { Action, Exchanged, Jwt, Wire } from './wire.ts';

const FOLDER = new URL('./', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, FOLDER), 'utf8');
const FILES = readdirSync(FOLDER);
const SPECS = FILES.filter((name) => name.endsWith('.yaml')).map((name) => name.replace('.yaml', ''));
const CASES = FILES.filter((name) => name.endsWith('.wire.json')).map((name) => name.replace('.wire.json', ''));

const REDIRECT = 'https://ferrule.test/callback';
/** Drawn where nothing else is said: 24 bytes of state, 48 of PKCE verifier, nonces; every byte is 7. */
const UUID = '5d6f0f5e-6a0c-4d6e-9f0b-7b1a2c3d4e5f';

describe('what the trickiest providers want is data', () => {
  it.each(SPECS)('%s lints clean', (name) => {
    const found = lintText(read(`${name}.yaml`), `${name}.yaml`).map(({ rule, message, start }) => `${start.line} ${rule} ${message}`);
    expect(found).toEqual([]);
  });

  it('every spec has a wire file, and says where its facts are from', () => {
    for (const name of SPECS) {
      expect(CASES.filter((one) => one.split('.')[0] === name)).not.toEqual([]);
      expect({ name, links: Object.keys(specOf(read(`${name}.yaml`)).links ?? {}) }).toEqual({
        name,
        links: expect.arrayContaining(['api']),
      });
    }
  });

  it.each(CASES)('%s: every request, and what is kept of the answers', async (name) => {
    const wire = JSON.parse(read(`${name}.wire.json`)) as Wire;
    const spec = specOf(read(`${name.split('.')[0]}.yaml`));
    const provider = await provide(wire);
    const clock = new FakeClock(Date.parse(wire.clock));
    const texts = new Texts(wire.jwts);
    try {
      const connecting = connected(spec, wire, provider, clock);
      if (wire.refused !== undefined) await expect(connecting).rejects.toMatchObject(wire.refused);
      else {
        await using connection = await connecting;
        for (const action of wire.do) await act(action, connection, clock);
        await compareKept(wire, connection, texts);
      }
      for (const [index, one] of wire.wire.entries()) await compare(one, provider.arrived[index], texts, `request ${index + 1}`);
      expect(provider.arrived.length).toBe(wire.wire.length);
    } finally {
      await provider.close();
    }
  });
});

async function connected(spec: Parameters<typeof connectSpec>[0], wire: Wire, provider: Provider, clock: FakeClock): Promise<Connection> {
  const given = Object.entries(wire.fields ?? {}).map(([name, value]) => [name, fieldOf(value, provider)]);
  const { method, choices, consent } = wire;
  return await connectSpec(
    spec,
    { ...(method && { method }), ...(choices && { choices }), fields: Object.fromEntries(given) },
    {
      ...{ clock, redirectUri: REDIRECT, sandbox: { addresses: provider.addresses }, retry: { countMax: 0 } },
      random: { float: () => 0.5, bytes: (size) => new Uint8Array(size).fill(7), uuid: () => wire.uuid ?? UUID },
      ...(provider.ca && { network: { ca: provider.ca } }),
      ...(consent && {
        consent: async ({ authorizeUrl }) => {
          const { origin, pathname, searchParams, hash } = new URL(authorizeUrl);
          expect({ url: origin + pathname + hash, query: Object.fromEntries(searchParams) }).toEqual({
            url: consent.url,
            query: consent.query,
          });
          return `${REDIRECT}?${consent.callback}`;
        },
      }),
    },
  );
}

type Given = NonNullable<Wire['fields']>[string];

function fieldOf(value: Given, { client }: Provider) {
  if (value === '{{client certificate}}') return client?.cert ?? '';
  if (value === '{{client key}}') return client?.key ?? '';
  return typeof value === 'object' && 'key' in value ? pem(value.key) : value;
}

async function act(action: Action, connection: Connection, clock: FakeClock): Promise<void> {
  if ('wait' in action) return clock.advance(parseDuration(action.wait) ?? Number.NaN);
  if ('check' in action) return expect((await connection.check()).steps.filter(({ ok }) => !ok)).toEqual([]);
  if ('options' in action) return expect(await connection.options(action.options)).toEqual(action.gives);
  if ('read' in action) {
    for await (const _record of connection.read(action.read));
    return;
  }
  const { method = 'get', path, query, json, text, headers, fails } = action;
  const options = {
    ...(query && { searchParams: query }),
    ...(json !== undefined && { json }),
    ...(text !== undefined && { body: text }),
    ...(headers && { headers }),
  };
  try {
    await connection.http[method](path, options);
  } catch (error) {
    if (fails === undefined || !isFerruleError(error)) throw error;
    return expect(error).toMatchObject(fails);
  }
  expect(fails).toBeUndefined();
}

async function compare(wanted: Exchanged, arrived: Arrived | undefined, texts: Texts, where: string): Promise<void> {
  expect({ where, method: arrived?.method }).toEqual({ where, method: wanted.method });
  const { headers, url, body, certificate } = arrived as Arrived;
  await texts.same(url, wanted.url, where);
  for (const [name, value] of Object.entries({ authorization: null, cookie: null, ...wanted.headers }))
    await texts.same(headers[name] as string | undefined, value ?? undefined, `${where}: header ${name}`);
  if (wanted.form !== undefined) {
    expect({ where, type: headers['content-type'] }).toEqual({ where, type: expect.stringMatching(/^application\/x-www-form-urlencoded/) });
    const sent = [...new URLSearchParams(body)];
    expect({ where, names: sent.map(([key]) => key).sort() }).toEqual({ where, names: Object.keys(wanted.form).sort() });
    for (const [key, value] of sent) await texts.same(value, wanted.form[key], `${where}: ${key}`);
  } else if (wanted.json !== undefined) {
    expect({ where, body: JSON.parse(body) }).toEqual({ where, body: wanted.json });
  } else await texts.same(body, wanted.text ?? '', `${where}: body`);
  if (wanted.certificate !== undefined) expect({ where, certificate }).toEqual({ where, certificate: wanted.certificate });
}

async function compareKept({ captures, expires, scope }: Wire, { credential }: Connection, texts: Texts): Promise<void> {
  if (scope !== undefined) expect(credential.scope).toBe(scope);
  if (captures !== undefined) {
    const kept = Object.entries(credential.captures).filter(([, value]) => value !== null);
    expect(kept.map(([name]) => name).sort()).toEqual(Object.keys(captures).sort());
    for (const [name, value] of kept) await compareCapture(value, captures[name], texts, `capture ${name}`);
  }
  if (expires === undefined) return;
  const ends = Object.entries(credential.expires).filter(([name]) => !name.endsWith('.renew'));
  expect(Object.fromEntries(ends.map(([name, at]) => [name, new Date(at).toISOString().replace('.000Z', 'Z')]))).toEqual(expires);
}

async function compareCapture(value: unknown, wanted: unknown, texts: Texts, where: string): Promise<void> {
  if (value instanceof Secret) {
    expect({ where, wanted }).toEqual({ where, wanted: { sealed: expect.any(String) } });
    await texts.same(reveal(value), (wanted as { sealed: string }).sealed, where);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value))
      await compareCapture(item, (wanted as Record<string, unknown>)[key], texts, `${where}.${key}`);
    expect(Object.keys(value)).toEqual(Object.keys(wanted as object));
  } else expect({ where, value }).toEqual({ where, value: wanted });
}

/** Compares texts in which `{{name}}` stands for a token of `jwts`; the tokens are verified by jose. */
class Texts {
  readonly #jwts: Record<string, Jwt>;

  constructor(jwts: Record<string, Jwt> = {}) {
    this.#jwts = jwts;
  }

  async same(actual: string | undefined, wanted: string | undefined, where: string): Promise<void> {
    const [before = '', name, after = ''] = (wanted ?? '').split(/\{\{([a-z_]+)\}\}/);
    if (wanted === undefined || name === undefined) return expect({ where, text: actual }).toEqual({ where, text: wanted });
    const text = actual ?? '';
    expect({ where, around: [text.slice(0, before.length), text.slice(text.length - after.length)] }).toEqual({
      where,
      around: [before, after],
    });
    await this.#verify(text.slice(before.length, text.length - after.length), name, where);
  }

  async #verify(token: string, name: string, where: string): Promise<void> {
    const { key, header, claims } = this.#jwts[name] as Jwt;
    const opened = typeof key === 'string' ? publicKey(key) : Buffer.from('hex' in key ? key.hex : key.text, 'hex' in key ? 'hex' : 'utf8');
    const { payload } = await compactVerify(token, opened);
    expect({ where, header: decodeProtectedHeader(token), claims: JSON.parse(Buffer.from(payload).toString('utf8')) }).toEqual({
      where,
      header,
      claims,
    });
  }
}
