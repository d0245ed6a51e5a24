const NULL = /^(?:~|null|Null|NULL)?$/;
const NUMBER = /^[-+]?[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?$|^[-+]?\.[0-9]+(?:[eE][-+]?[0-9]+)?$/;

/** An unquoted scalar as the YAML 1.2 core schema reads it, but for octal, hexadecimal, infinity and not-a-number, which stay text. */
export function plainValue(text: string): null | boolean | number | string {
  if (NULL.test(text)) return null;
  if (text === 'true' || text === 'True' || text === 'TRUE') return true;
  if (text === 'false' || text === 'False' || text === 'FALSE') return false;
  const first = text.charCodeAt(0);
  // Nearly every scalar begins with a letter, / or $: a cheap way out.
  const digitLike = (first >= 48 && first <= 57) || first === 43 || first === 45 || first === 46;
  return digitLike && NUMBER.test(text) ? Number(text) : text;
}
