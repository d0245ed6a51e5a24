import { editDistance, suggest } from '../../../framework/core/suggest.ts';

it.each([
  ['', '', 0],
  ['kitten', 'sitting', 3],
  ['client', 'cleint', 1],
  // Restricted: no part is edited twice, so this is 3 and not 2.
  ['ca', 'abc', 3],
])('%s → %s is %i edits', (a, b, edits) => {
  expect([editDistance(a, b), editDistance(b, a)]).toEqual([edits, edits]);
});

it.each([
  ['cleint_id', 'client_id'],
  ['clientId', 'client_id'],
  ['CLIENT-ID', 'client_id'],
  ['paginat', 'paginate'],
  ['gte', 'get'],
  ['ab', undefined],
  ['zebra', undefined],
  // Itself is no suggestion.
  ['get', undefined],
  ['', undefined],
  ['x'.repeat(1000), undefined],
])('%s → %s', (word, expected) => {
  expect(suggest(word, ['client_id', 'paginate', 'get', 'cd'])).toBe(expected);
});

it('the first of equally near ones wins, the nearest before it', () => {
  expect(suggest('bat', ['cat', 'hat'])).toBe('cat');
  expect(suggest('stream', ['streams', 'steam', 'strea'])).toBe('streams');
  expect(suggest('timeout', ['timeuot_', 'timeouts'])).toBe('timeuot_');
});
