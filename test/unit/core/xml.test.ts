import fc from 'fast-check';
import { isFerruleError } from '../../../framework/core/errors.ts';
import { parseXml } from '../../../framework/core/xml.ts';
import { canary } from '../../canary.ts';
import { failureOf } from '../../failure.ts';

describe('parseXml', () => {
  it.each<[string, string, unknown]>([
    ['text alone', '<a>1</a>', { a: '1' }],
    ['nothing', '<a/>', { a: '' }],
    ['blank text', '<a>\n  </a>', { a: '' }],
    ['text with its spaces', '<a> 1\t</a>', { a: ' 1\t' }],
    ['attributes', '<a x="1" y=\'2\'/>', { a: { '@x': '1', '@y': '2' } }],
    ['attributes and text', '<a x="1">2</a>', { a: { '@x': '1', '#text': '2' } }],
    ['elements', '<a>\n  <b>1</b>\n  <c/>\n</a>', { a: { b: '1', c: '' } }],
    ['repeated elements, also apart', '<a><b>1</b><c/><b x="1"/><b/></a>', { a: { b: ['1', { '@x': '1' }, ''], c: '' } }],
    ['mixed text', '<p>Hello <b>you</b>!</p>', { p: { b: 'you', '#text': 'Hello !' } }],
    ['a list of one', '<a><b>1</b></a>', { a: { b: '1' } }],
    ['prefixes', '<s:a xmlns:s="urn:s" s:x="1"><s:b/></s:a>', { 's:a': { '@xmlns:s': 'urn:s', '@s:x': '1', 's:b': '' } }],
    ['CDATA', '<a><![CDATA[<b>&amp;</b>]]> &amp; <![CDATA[ ]]></a>', { a: '<b>&amp;</b> &  ' }],
    ['blank CDATA', '<a><![CDATA[ ]]></a>', { a: ' ' }],
    ['the five entities and numbers', '<a x="&quot;&apos;">&lt;&gt;&amp;&#233;&#x1F600;</a>', { a: { '@x': '"\'', '#text': '<>&é😀' } }],
    ['comments and instructions', '<?xml version="1.0" encoding="UTF-8"?><!-- a --><a><?go on?>1<!-- b -->2</a>\n<!-- c -->', { a: '12' }],
    ['a byte-order mark', '\ufeff<a>1</a>', { a: '1' }],
    ['line breaks as XML has them', '<a>1\r\n2\r3</a>', { a: '1\n2\n3' }],
  ])('reads %s', (_, text, value) => {
    expect(parseXml(text)).toEqual(value);
  });

  it('keeps names that objects have of their own', () => {
    const value = parseXml('<__proto__><__proto__ x="1"/><constructor/><a __proto__="2" toString="3"/></__proto__>');
    expect(JSON.stringify(value)).toBe('{"__proto__":{"__proto__":{"@x":"1"},"constructor":"","a":{"@__proto__":"2","@toString":"3"}}}');
    expect(({} as { x?: string }).x).toBeUndefined();
  });

  const bomb = '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a>&c;</a>';
  it.each([
    ['a document type', '<!DOCTYPE a><a/>', 'document type'],
    ['entities of its own', bomb, 'document type'],
    ['a file', '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', 'document type'],
    ['an entity of HTML', '<a>&nbsp;</a>', 'an entity beyond the five of XML, at line 1, column 9'],
    ['an entity of HTML in an attribute', '<a b="&nbsp;"/>', 'an entity beyond'],
    ['an ampersand alone', '<a>b & c</a>', 'not well-formed'],
    ['nothing at all', '', 'not well-formed'],
    ['text alone', 'Service Unavailable', 'not well-formed'],
    ['JSON', '{"a": 1}', 'not well-formed'],
    ['an open end', '<a>\n<b></b>', 'not well-formed'],
    ['a wrong end', '<a>\n<b></c></a>', 'not well-formed, at line 2, column 7'],
    ['two roots', '<a/><b/>', 'not well-formed'],
    ['an attribute twice', '<a x="1" x="2"/>', 'not well-formed'],
    ['an attribute without quotes', '<a x=1/>', 'not well-formed'],
    ['a character that may not stand in XML', '<a>&#0;</a>', 'not well-formed'],
    ['a number beyond Unicode', '<a>&#x110000;</a>', 'not well-formed'],
    ['too many levels', '<a>'.repeat(101) + '</a>'.repeat(101), 'deeper than 100 levels'],
  ])('refuses %s', (_, text, message) => {
    const failure = failureOf(() => parseXml(text));
    expect(failure.code).toBe('response_malformed');
    expect(failure.message).toContain(message);
  });

  it('counts elements and attributes', () => {
    const text = '<a x="1"><b/><b y="2"/></a>';
    expect(parseXml(text, { nodes: 5 })).toEqual({ a: { '@x': '1', b: ['', { '@y': '2' }] } });
    expect(failureOf(() => parseXml(text, { nodes: 4 })).message).toContain('more than 4 elements and attributes');
  });

  it('goes down a hundred levels', () => {
    let value: unknown = parseXml('<a>'.repeat(100) + '</a>'.repeat(100));
    for (let level = 0; level < 100; level++) value = (value as { a: unknown }).a;
    expect(value).toBe('');
  });

  it('never quotes what it read', () => {
    const name = canary('xml').slice(0, 30);
    for (const text of [`<${name}>`, `<a></${name}>`, `<a>&${name};</a>`, `<a ${name}="1" ${name}="2"/>`, `<a ${name}/>`]) {
      const failure = failureOf(() => parseXml(text));
      expect(JSON.stringify(failure) + failure.stack).not.toContain(name);
    }
  });

  it('throws nothing but its own error, whatever comes', () => {
    const piece = fc.constantFrom(
      '<a>',
      '</a>',
      '<b x="1">',
      '</b>',
      '<a/>',
      '<![CDATA[',
      ']]>',
      '<!--',
      '-->',
      '<?x',
      '?>',
      '&',
      '&#',
      ';',
      '"',
      '<!DOCTYPE',
      '[',
      '>',
    );
    const text = fc
      .array(fc.oneof(piece, fc.string({ unit: 'binary-ascii', maxLength: 4 })), { maxLength: 12 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (one) => {
        try {
          parseXml(one);
        } catch (error) {
          expect(isFerruleError(error)).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });
});
