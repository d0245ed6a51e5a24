/** Finds a secret in text or bytes however it was written there. */

export interface Canary {
  label: string;
  /** The part that is searched for: 24 hexadecimal digits, which no plain escape changes. */
  stem: string;
}

export interface Hit {
  label: string;
  /** The form it was found in. */
  form: string;
  /** Of its first byte. */
  offset: number;
}

type Form = [name: string, text: string];

/**
 * Base64 of a longer text that holds the stem: three forms, by where it falls in the groups of three bytes. The digits at both
 * ends also depend on the neighbours and are left out.
 */
function base64Forms(stem: string): Form[] {
  return [0, 1, 2].map((before) => {
    const first = Math.ceil((before * 4) / 3);
    const last = Math.floor(((before + stem.length) * 4) / 3);
    const text = Buffer.from('\0'.repeat(before) + stem).toString('base64');
    return [`base64, offset ${before}`, text.slice(first, last)];
  });
}

const each = (stem: string, escaped: (code: number) => string) => [...stem].map((digit) => escaped(digit.charCodeAt(0))).join('');

/** Digits pass most escapes as they are; the other forms are those of encoders that escape every character. */
function forms(stem: string): Form[] {
  const base64 = base64Forms(stem);
  return [
    ['as it is', stem],
    ['upper case', stem.toUpperCase()],
    ...base64,
    ...base64.map(([name, text]): Form => [`url-safe ${name}`, text.replaceAll('+', '-').replaceAll('/', '_')]),
    ['hexadecimal', Buffer.from(stem).toString('hex')],
    ['hexadecimal, upper case', Buffer.from(stem).toString('hex').toUpperCase()],
    ['percent-encoded', each(stem, (code) => `%${code.toString(16)}`)],
    ['percent-encoded twice', each(stem, (code) => `%25${code.toString(16)}`)],
    ['JSON escapes', each(stem, (code) => `\\u00${code.toString(16)}`)],
    ['HTML references', each(stem, (code) => `&#${code};`)],
    ['HTML references, hexadecimal', each(stem, (code) => `&#x${code.toString(16)};`)],
    ['bytes as a list', each(stem, (code) => `,${code}`).slice(1)],
    ['bytes as a list with spaces', each(stem, (code) => `, ${code}`).slice(2)],
    ['bytes as Node shows them', each(stem, (code) => ` ${code.toString(16)}`).slice(1)],
  ];
}

/** So many characters of a form are looked up at each place of the text; every form is longer. */
const PREFIX = 10;

/** Looks for all of them at once: one pass over the text, whatever their number. */
export function searcher(canaries: Canary[]): (text: string) => Hit[] {
  const table = new Map<string, { label: string; form: string; text: string }[]>();
  for (const { label, stem } of canaries) {
    for (const [form, text] of new Map(forms(stem).map(([name, one]) => [one, [name, one] as Form])).values()) {
      const prefix = text.slice(0, PREFIX);
      const entry = { label, form, text };
      const list = table.get(prefix);
      if (list) list.push(entry);
      else table.set(prefix, [entry]);
    }
  }
  return (text) => {
    const hits: Hit[] = [];
    for (let offset = 0; offset + PREFIX <= text.length; offset += 1) {
      const found = table.get(text.slice(offset, offset + PREFIX));
      for (const entry of found ?? []) {
        if (text.startsWith(entry.text, offset)) hits.push({ label: entry.label, form: entry.form, offset });
      }
    }
    return hits;
  };
}
