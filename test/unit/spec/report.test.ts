import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import type { Finding } from '../../../framework/core/finding.ts';
import { lintText } from '../../../framework/spec/lint.ts';
import { report } from '../../../framework/spec/report/index.ts';

// The official schema, of draft 4: nothing in it but the name of its id differs from draft 7.
// (The package's own matcher needs a module that it does not bring along.)
const official = readFileSync('node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json', 'utf8');
const { $schema: _draft, id, ...rest } = JSON.parse(official) as { [key: string]: unknown };
const isSarif = new Ajv({ strict: false, validateFormats: false, unicodeRegExp: false, allErrors: true }).compile({
  ...rest,
  $id: String(id),
});
const sarifErrors = (log: unknown): unknown[] => (isSarif(log) ? [] : (isSarif.errors ?? []));

const TEXT = `spec: 1
name: acme
title: Acme
version: 1.0.0
auth: { key: { type: baerer } }
http: { base_url: http://api.acme.com, query: { a_rather_long_name: and_a_long_value, another: value } , hosts: [a.b], timeot: {} }
`;
const FINDINGS = lintText(TEXT, 'specs/acme.yaml');

const finding = (over: Partial<Finding>): Finding => ({
  rule: 'unknown-key',
  severity: 'error',
  message: 'm',
  file: 'a.yaml',
  path: ['a'],
  start: { line: 1, column: 2, offset: 1 },
  end: { line: 1, column: 4, offset: 3 },
  ...over,
});

describe('report', () => {
  it('text: place, rule, message, the line with a caret, what to write', () => {
    expect(report('text', FINDINGS, { source: () => TEXT })).toBe(
      [
        'specs/acme.yaml:5:22 error bad-tag: `baerer` is no type of `auth.key`.',
        '  5 | auth: { key: { type: baerer } }',
        '    |                      ^^^^^^',
        '  Did you mean `bearer`? Types: none, api_key, basic, bearer, session, custom, jwt, digest, ntlm, wsse, mutual_tls, oauth1, … (21).',
        'specs/acme.yaml:6:120 error unknown-key: `timeot` is no key of `http`.',
        // The last 64 characters.
        '  6 |  and_a_long_value, another: value } , hosts: [a.b], timeot: {} }',
        '    |                                                     ^^^^^^',
        '  Did you mean `timeout`?',
        '2 errors, 0 warnings in 1 file',
        '',
      ].join('\n'),
    );
  });

  it('text: without the source no frame, with color escapes, nothing for nothing', () => {
    expect(report('text', [finding({ severity: 'warning' })])).toBe('a.yaml:1:2 warning unknown-key: m\n0 errors, 1 warning in 1 file\n');
    expect(report('text', [finding({})], { color: true })).toContain('\u001b[31merror\u001b[0m');
    expect(report('text', [finding({})])).not.toContain('\u001b');
    expect(report('text', [])).toBe('');
  });

  it('json: findings and their numbers', () => {
    const shown = JSON.parse(report('json', FINDINGS)) as { findings: Finding[]; errors: number; warnings: number };
    expect(shown.errors).toBe(2);
    expect(shown.warnings).toBe(0);
    expect(shown.findings[0]).toEqual(FINDINGS[0]);
  });

  it('github: escapes what would end a property or a line', () => {
    const hard = finding({ file: 'a,b:c%.yaml', message: '100%\r\nnext', hint: 'do, this: now' });
    expect(report('github', [hard])).toBe(
      '::error file=a%2Cb%3Ac%25.yaml,line=1,endLine=1,col=2,endColumn=4,title=unknown-key::100%25%0D%0Anext do, this: now\n',
    );
  });

  it('sarif: valid against the schema of 2.1.0, relative URIs, fingerprints that survive moved lines', () => {
    const log = JSON.parse(report('sarif', FINDINGS, { cwd: '/home/me', version: '1.2.3' }));
    expect(sarifErrors(log)).toEqual([]);
    expect(sarifErrors({ ...log, version: 2 })).not.toEqual([]);
    const [run] = log.runs;
    expect(run.results.map((result: { ruleId: string }) => result.ruleId)).toEqual(['bad-tag', 'unknown-key']);
    expect(run.results[0].locations[0].physicalLocation).toEqual({
      artifactLocation: { uri: 'specs/acme.yaml', uriBaseId: 'SRCROOT' },
      region: { startLine: 5, startColumn: 22, endLine: 5, endColumn: 28 },
    });
    for (const { ruleId, ruleIndex } of run.results) expect(run.tool.driver.rules[ruleIndex].id).toBe(ruleId);

    const prints = (text: string): string[] =>
      JSON.parse(report('sarif', lintText(text, '/home/me/specs/a b.yaml'), { cwd: '/home/me' })).runs[0].results.map(
        (result: {
          partialFingerprints: Record<string, string>;
          locations: { physicalLocation: { artifactLocation: { uri: string } } }[];
        }) => {
          expect(result.locations[0]?.physicalLocation.artifactLocation.uri).toBe('specs/a%20b.yaml');
          return result.partialFingerprints['ferruleFinding/v1'];
        },
      );
    expect(prints(`# moved\n\n${TEXT}`)).toEqual(prints(TEXT));
    expect(new Set(prints(TEXT)).size).toBe(2);
    // The same finding twice in one place is two results.
    const twice = JSON.parse(report('sarif', [finding({}), finding({})])).runs[0].results;
    expect(twice[0].partialFingerprints).not.toEqual(twice[1].partialFingerprints);
  });

  it('sarif: an empty log is valid too', () => {
    expect(sarifErrors(JSON.parse(report('sarif', [])))).toEqual([]);
  });
});
