/**
 * Words of the language that this version knows by name and does not run yet: an unknown-key finding for one of them
 * says so, instead of guessing at a typo.
 */
const STREAM = ['Stream', 'Template', 'StreamPart'];
const METHOD = /^Auth[A-Z]/;

const KEYS: Readonly<Record<string, (title: string) => boolean>> = Object.freeze({
  ...forTitles(['needs', 'schema'], (title) => STREAM.includes(title)),
  ...forTitles(['engine', 'changes'], (title) => title === 'SpecDocument'),
  ...forTitles(['was'], (title) => METHOD.test(title) || ['Field', 'Stream', 'ChoiceOption'].includes(title)),
  ...forTitles(['tls', 'proxy'], (title) => title === 'Http'),
});

/** Whether a key is a later word in a map of the schema of that title. */
export const isLaterKey = (key: string, title: string): boolean => Object.hasOwn(KEYS, key) && KEYS[key]?.(title) === true;

function forTitles(keys: string[], fits: (title: string) => boolean): Record<string, (title: string) => boolean> {
  return Object.fromEntries(keys.map((key) => [key, fits]));
}
