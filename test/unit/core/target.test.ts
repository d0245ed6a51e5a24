import { isFerruleError } from '../../../framework/core/errors.ts';
import { Secret } from '../../../framework/core/secret.ts';
import { applyPatch, parseTarget, readTarget } from '../../../framework/core/target.ts';
import type { RequestDraft } from '../../../framework/core/value.ts';
import { canary } from '../../canary.ts';

const secret = new Secret(canary('target'));
const draft: RequestDraft = {
  method: 'POST',
  url: '/list',
  query: { page: '1', tag: ['a', 'b'] },
  headers: { 'X-After': 'a', Authorization: secret },
  cookies: { sid: 'x' },
  body: { variables: { after: null, keep: secret }, rows: [{ n: 1 }, { n: 2 }] },
  encode: 'json',
};
const frozen = structuredClone({ ...draft, headers: {}, body: null });

describe('applyPatch', () => {
  it('writes every part and leaves the given request as it was', () => {
    const before = JSON.stringify(draft);
    const result = applyPatch(draft, {
      url: 'https://api.example.com/next',
      'query.page': 2,
      'query.filter[x].y': [1, 'b', true],
      'headers.x-after': 'b',
      'cookies.sid': 'y',
      'body.variables.after': 'c',
      'body.rows.1.n': 5,
      'body.new.deep': [1],
    });
    expect(result).toEqual({
      ...draft,
      url: 'https://api.example.com/next',
      query: { page: '2', tag: ['a', 'b'], 'filter[x].y': ['1', 'b', 'true'] },
      headers: { Authorization: secret, 'x-after': 'b' },
      cookies: { sid: 'y' },
      body: { variables: { after: 'c', keep: secret }, rows: [{ n: 1 }, { n: 5 }], new: { deep: [1] } },
    });
    expect(JSON.stringify(draft)).toBe(before);
    expect(frozen.query).toEqual(draft.query);
  });

  it('removes with null', () => {
    const result = applyPatch(draft, { 'query.page': null, 'headers.X-AFTER': null, 'cookies.sid': null, 'body.variables.after': null });
    expect(result.query).toEqual({ tag: ['a', 'b'] });
    expect(Object.keys(result.headers)).toEqual(['Authorization']);
    expect(result.cookies).toEqual({});
    expect(result.body).toEqual({ variables: { keep: secret }, rows: [{ n: 1 }, { n: 2 }] });
  });

  it('makes a body where there is none', () => {
    const { body: _, ...bare } = draft;
    expect(applyPatch(bare, { 'body.a.b': 1 }).body).toEqual({ a: { b: 1 } });
  });

  it('writes large numbers in plain digits', () => {
    expect(applyPatch(draft, { 'query.page': 1e21 }).query.page).toBe('1000000000000000000000');
  });

  it.each([
    ['query.page', { a: 1 }],
    ['url', null],
    ['body.rows.7', 1],
    ['body.rows.x', 1],
  ] as const)('refuses what does not fit: %s', (target, value) => {
    expect(() => applyPatch(draft, { [target]: value })).toThrow(target);
  });

  it('refuses a body key that is a prototype', () => {
    try {
      applyPatch(draft, { 'body.__proto__.polluted': 1 });
      throw new Error('nothing was thrown');
    } catch (error) {
      expect(isFerruleError(error) && error.code).toBe('spec_invalid');
    }
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describe('readTarget', () => {
  it('reads back what is there, header names in any case', () => {
    expect(readTarget(draft, 'headers.authorization')).toBe(secret);
    expect(readTarget(draft, 'body.rows.1.n')).toBe(2);
    expect(readTarget(draft, 'query.tag')).toEqual(['a', 'b']);
    expect(readTarget(draft, 'query.toString')).toBeUndefined();
    expect(readTarget(draft, 'body.variables.keep.x')).toBeUndefined();
    expect(readTarget(draft, 'url')).toBe('/list');
  });
});

describe('parseTarget', () => {
  it.each([
    ['quary.x', 0],
    ['query', 0],
    ['headers.a b', 8],
    ['headers.a:b', 8],
    ['query.${x}', 6],
    ['body.a.*', 5],
    ['body.a..b', 7],
    ['body.a?', 6],
  ])('%s', (text, offset) => {
    const target = parseTarget(text);
    if (!('problem' in target)) throw new Error('no problem was found');
    expect(target.offset).toBe(offset);
  });
});
