import { capture } from '../../../framework/auth/capture.ts';
import type { Capture } from '../../../framework/core/spec-types.gen.ts';
import type { Json } from '../../../framework/core/value.ts';

const captured = (site: Json, { type, hosts }: { type: Capture['type']; hosts: string[] }): unknown => {
  const one: Capture = { path: 'site', ...(type && { type }), hosts: hosts as [string, ...string[]] };
  const response = {
    status: 200,
    headers: {},
    cookies: {},
    body: { site },
    bytes: new Uint8Array(),
    url: 'https://auth.acme.test:8443/token',
  };
  return capture({ site: one }, response, 'token', {}, {}).site;
};

describe('a captured address, which will get the credential', () => {
  it.each([
    ['https://eu.acme.test', { type: 'url', hosts: ['*.acme.test'] }, 'https://eu.acme.test'],
    ['https://api.acme.test/', { type: 'url', hosts: ['x.test', 'api.acme.test'] }, 'https://api.acme.test'],
    ['EU.acme.test', { type: 'host', hosts: ['*.acme.test'] }, 'EU.acme.test'],
    ['https://auth.acme.test:8443/v1', { type: 'url', hosts: ['same'] }, 'https://auth.acme.test:8443/v1'],
  ] as const)('%s is taken', (site, one, expected) => {
    expect(captured(site, { ...one, hosts: [...one.hosts] })).toBe(expected);
  });

  it.each([
    ['https://evil.test', ['*.acme.test']],
    ['https://acme.test', ['*.acme.test']],
    ['https://evilacme.test', ['*.acme.test']],
    ['https://eu.acme.test.', ['*.acme.test']],
    ['https://eu.acme.test.evil.test', ['*.acme.test']],
    ['https://eu.acme.test@evil.test', ['*.acme.test']],
    ['https://me@eu.acme.test', ['*.acme.test']],
    // Another port is another server.
    ['https://eu.acme.test:8443', ['*.acme.test']],
    ['https://auth.acme.test', ['same']],
    ['https://auth.acme.test:9443', ['same']],
    ['https://evil.test\\.acme.test', ['*.acme.test']],
    ['https://evil.test/.acme.test', ['*.acme.test']],
    ['https://evil.test#.acme.test', ['*.acme.test']],
    ['https://eu.acme.test', []],
    ['nothing', ['*.acme.test']],
    ['', ['*.acme.test']],
  ])('%s is refused where %j may be', (site, hosts) => {
    expect(() => captured(site, { type: 'url', hosts })).toThrow(expect.objectContaining({ code: 'host_refused' }));
  });

  it.each([
    'eu.acme.test:8443',
    'evil.test/.acme.test',
    'a@eu.acme.test',
    'evil.test\t.acme.test',
    'evil.test?.acme.test',
    ' eu.acme.test',
  ])('%j is no host', (site) => {
    expect(() => captured(site, { type: 'host', hosts: ['*.acme.test'] })).toThrow(expect.objectContaining({ code: 'host_refused' }));
  });
});
