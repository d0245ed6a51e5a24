import { isFerruleError } from '../../../framework/core/errors.ts';
import { ENTRIES, type Entry, type Outcome, SECRETS } from './entries.ts';
import { type Chain, FORMS, type Form, HOSTILE } from './forms.ts';
import { leaks } from './leaks.ts';
import { type Arrived, NAMES, openWorld, type Reply, type World } from './world.ts';

/**
 * Every way by which a URL gets into a request, times every hostile form of a URL. Each cell goes the whole way: a spec, `connectSpec`,
 * a stream or a call, real TLS. What an entry makes of a kind of form stands in entries.ts, each exception with its reason.
 */
interface Cell {
  title: string;
  entry: Entry;
  form: Form;
  expected: Outcome | 'cannot be';
}

const CELLS: readonly Cell[] = ENTRIES.flatMap((entry) =>
  FORMS.map((form) => ({
    title: `${entry.name} × ${form.name}`,
    entry,
    form,
    expected: entry.but?.[form.name]?.[0] ?? entry.becomes[form.kind],
  })),
);

let world: World;
beforeAll(async () => {
  world = await openWorld(HOSTILE);
});
afterAll(() => world.close());

function textFor({ host, path, takes, honest }: Entry, { url, name, chain }: Form): string {
  if (honest !== undefined && (name === 'the honest URL' || chain)) return honest;
  const text = url(host, takes === 'host' ? '' : path);
  return takes === 'host' ? text.replace(/^https:\/\//i, '') : text;
}

const isTarget = ({ host, path }: Arrived, entry: Entry) =>
  host === entry.host && path === (host === 'api.acme.test' ? '/v1/target' : '/token');

/** What the honest target answers where it redirects. */
function chained(chain: Chain, request: Arrived, entry: Entry): Reply | undefined {
  const hop = isTarget(request, entry) ? 0 : Number(/^\/hop\/(\d)$/.exec(request.path)?.[1] ?? Number.NaN);
  if (Number.isNaN(hop)) return undefined;
  const to = (location: string): Reply => ({ status: 307, head: [`location: ${location}`] });
  if (chain === 'loop') return to(request.path);
  if (chain === 'long') return hop < 6 ? to(`/hop/${hop + 1}`) : undefined;
  if (chain === 'evil') return hop === 0 ? to('/hop/1') : to('https://evil.test/x');
  return to(chain === 'downgrade' ? `http://${request.host}/hop/1` : 'https://evil.test/back');
}

const GOOD: Reply = { json: { access_token: SECRETS.token, items: [] } };
const KNOWN = ['/v1/target', '/token', '/after'];

async function go(entry: Entry, form: Form): Promise<unknown> {
  const url = textFor(entry, form);
  world.reset(
    (request) =>
      entry.reply?.(request, url) ??
      (form.chain && chained(form.chain, request, entry)) ??
      (KNOWN.some((path) => request.path.startsWith(path)) ? GOOD : { status: 404 }),
  );
  try {
    await entry.run(url, world);
  } catch (error) {
    return error;
  }
  return undefined;
}

function outcomeOf(error: unknown): string {
  if (world.trapped.length > 0 && leaks(world.trapBytes(), SECRETS).length > 0) return 'own word';
  if (error === undefined) return world.trapped.length > 0 ? 'elsewhere' : 'asked';
  if (!isFerruleError(error)) return String(error);
  return error.status === 404 ? 'path' : `${error.code} ${error.kind}`;
}

/** Which secrets a host may see. */
const MAY: Record<string, string[]> = { 'api.acme.test': ['key', 'token'], 'auth.acme.test': ['client', 'code'] };

describe.each(ENTRIES.map((entry) => [entry.name, entry] as const))('%s', (_name, entry) => {
  const cells = CELLS.filter((cell) => cell.entry === entry && cell.expected !== 'cannot be');

  it.each(cells.map((cell) => [cell.form.name, cell] as const))(`${entry.name} × %s`, async (_form, { form, expected }) => {
    const error = await go(entry, form);
    expect(outcomeOf(error)).toBe(expected);
    const goes = expected === 'elsewhere' || expected === 'own word';
    expect(world.trapped.length > 0).toBe(goes);
    expect(leaks(world.trapBytes(), SECRETS)).toEqual(expected === 'own word' ? ['client'] : []);
    for (const { host, text } of world.arrived) expect(MAY[host]).toEqual(expect.arrayContaining(leaks(text, SECRETS)));
    // Refused before a name is looked up; a name that the spec allows is looked up once, and its address is what is refused.
    expect(world.asked).toEqual(expected === 'address_refused input' && form.kind === 'name' ? [form.url('', '').slice(8)] : []);
    // Redirects end: the call before them, the target, and five more.
    expect(world.arrived.length).toBeLessThanOrEqual(9);
    if (expected === 'asked' && entry.brings !== 'no request') {
      const target = world.arrived.find((request) => isTarget(request, entry));
      const seen = leaks(target?.text ?? 'it was not asked', SECRETS);
      if (entry.brings === 'no secret') expect([target?.path, seen]).toEqual([entry.path, []]);
      else expect(seen).toContain(entry.brings);
    }
    if (isFerruleError(error)) expect(leaks(JSON.stringify(error), SECRETS)).toEqual([]);
  });
});

it('names every way and every form', () => {
  const counts: Record<string, number> = {};
  for (const { expected } of CELLS) {
    const word = expected.includes('_') ? 'refused' : expected;
    counts[word] = (counts[word] ?? 0) + 1;
  }
  expect([ENTRIES.length, FORMS.length, CELLS.length]).toEqual([25, 81, 25 * 81]);
  expect(new Set(CELLS.map(({ title }) => title)).size).toBe(CELLS.length);
  expect(counts).toEqual({ refused: 1641, path: 189, asked: 113, elsewhere: 66, 'own word': 11, 'cannot be': 5 });
  // An exception for a form that is not there would say nothing.
  const names = new Set(FORMS.map(({ name }) => name));
  for (const { but = {} } of ENTRIES) for (const name of Object.keys(but)) expect(names).toContain(name);
  expect(FORMS.filter(({ kind }) => kind === 'name').map(({ url }) => url('', '').slice(8))).toEqual(Object.keys(NAMES));
});
