import type { Rule } from './rule.ts';

/** RFC 9110, 5.1. */
const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
/** What decides where a message begins and ends, or to whom it goes: the client sets it. */
const RESERVED =
  /^(host|content-length|transfer-encoding|connection|keep-alive|upgrade|te|trailer|expect|proxy-(authorization|connection))$/i;

/** RFC 9110, 5.5; RFC 6265, 4.1.1. */
const REFUSED = { header: /[^\t\x20-\x7e\xa0-\xff]/, cookie: /[^\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]/ };

export const rule: Rule = {
  name: 'bad-header',
  severity: 'error',
  summary: 'A header or cookie that cannot be sent: its name, or its text.',
  why: 'The client refuses it, so every request would fail.',
  bad: 'headers: { Host: api.acme.com, X Version: "1" }',
  good: 'headers: { X-Version: "1" }',
  check: ({ leaves }, report) => {
    for (const leaf of leaves) {
      const { shape } = leaf;
      if (shape.place !== 'header' && shape.place !== 'cookie') continue;
      const { node, path } = leaf;
      const part = path.at(-2);
      if (part !== 'headers' && part !== 'cookies') continue;
      const name = String(path.at(-1));
      if (!NAME.test(name))
        report(path, `\`${name}\` is no name of a ${part.slice(0, -1)}.`, { part: 'key', hint: 'Letters, digits and hyphens.' });
      else if (part === 'headers' && RESERVED.test(name))
        report(path, `The header \`${name}\` is set by the client alone.`, { part: 'key', hint: 'Leave it out.' });
      else if (typeof node.value === 'string' && !node.value.includes('${') && REFUSED[shape.place].test(node.value))
        report(path, `This text cannot be the value of a ${part.slice(0, -1)}.`, {
          hint: 'It has a line break or another character that none may hold.',
        });
    }
  },
};
