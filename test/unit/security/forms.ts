/** A hostile URL: how it is written where an honest one stands, and what a reader of URLs makes of it. */
export interface Form {
  name: string;
  kind: Kind;
  /** Instead of `https://<host><path>`. */
  url: (host: string, path: string) => string;
  /** What the honest target answers when it is asked. */
  chain?: Chain;
}

/**
 * - `honest`: the right host in other words: asked as ever.
 * - `spelt`: a spelling that readers of URLs turn into the right host; who checks the text itself refuses it.
 * - `other`: a URL of a host or port that nobody named.
 * - `bare host`: the same without scheme. `slashless`: without slashes.
 * - `user`: a user name in it. `http`. `scheme`: neither http nor https. `opaque`: the same without slashes.
 * - `sign`: a backslash, space or control character that readers of URLs drop or turn into another.
 * - `address`: a literal address that no call may reach. `name`: a host that the spec allows, whose name leads to such an address.
 * - `nothing`: what no reader takes for a URL.
 * - `chain`: the honest URL, which redirects.
 */
export const KINDS = [
  ...(['honest', 'spelt', 'other', 'bare host', 'slashless', 'user', 'http'] as const),
  ...(['scheme', 'opaque', 'sign', 'address', 'name', 'nothing', 'chain'] as const),
] as const;
export type Kind = (typeof KINDS)[number];

export type Chain = 'loop' | 'long' | 'evil' | 'downgrade' | 'evil and back';

const at =
  (make: (host: string) => string): Form['url'] =>
  (host, path) =>
    `https://${make(host)}${path}`;
const fixed = (host: string): Form['url'] => at(() => host);
const form = (kind: Kind, name: string, url: Form['url'], chain?: Chain): Form => ({ name, kind, url, ...(chain && { chain }) });

export const FORMS: readonly Form[] = [
  form(
    'honest',
    'the honest URL',
    at((host) => host),
  ),
  // Names of hosts and schemes have no case (RFC 3986, 3.1 and 3.2.2), and 443 is what https means anyway.
  form('honest', 'upper case', (host, path) => `HTTPS://${host.toUpperCase()}${path}`),
  form(
    'honest',
    'the port of https',
    at((host) => `${host}:443`),
  ),

  // UTS 46 maps them to the same name; a person who writes them by mistake loses nothing, one who is misled neither.
  form(
    'spelt',
    'full-width letters',
    at((host) => host.replace('a', 'ａ')),
  ),
  form(
    'spelt',
    'full-width dots',
    at((host) => host.replaceAll('.', '。')),
  ),
  form(
    'spelt',
    'a soft hyphen',
    at((host) => host.replace('.', '\u00ad.')),
  ),
  form(
    'spelt',
    'a percent-encoded letter',
    at((host) => host.replace('a', '%61')),
  ),
  form(
    'spelt',
    'an empty user',
    at((host) => `@${host}`),
  ),

  form('other', 'another host', fixed('evil.test')),
  form('other', 'another host behind the port of https', fixed('evil.test:443')),
  form(
    'other',
    'a name below',
    at((host) => `evil.${host}`),
  ),
  form(
    'other',
    'a name above',
    at((host) => host.replace(/^\w+\./, '')),
  ),
  form(
    'other',
    'as a beginning',
    at((host) => `${host}.evil.test`),
  ),
  form(
    'other',
    'as an end',
    at((host) => `evil${host}`),
  ),
  form(
    'other',
    'another port',
    at((host) => `${host}:8443`),
  ),
  form(
    'other',
    'the port of http',
    at((host) => `${host}:80`),
  ),
  // A name with a dot at its end is looked up without the search list: another host for cookies, certificates and for us.
  form(
    'other',
    'a dot at the end',
    at((host) => `${host}.`),
  ),
  form(
    'other',
    'a letter of another alphabet',
    at((host) => host.replace('a', 'а')),
  ),
  form(
    'other',
    'the same in xn--',
    at((host) => new URL(`https://${host.replace('a', 'а')}`).host),
  ),
  form('other', 'the right host behind #', (host, path) => `https://evil.test${path}#@${host}`),
  form('other', 'the right host behind ?', (host, path) => `https://evil.test${path}?@${host}`),
  form('other', 'the right host as a path', (host, path) => `https://evil.test/${host}${path}`),
  form('other', 'an encoded slash', (host, path) => `https://evil.test/%2f${host}${path}`),

  form('bare host', 'no scheme', (_, path) => `//evil.test${path}`),
  form('bare host', 'three slashes', (_, path) => `///evil.test${path}`),
  form('slashless', 'one slash', (_, path) => `https:/evil.test${path}`),
  form('slashless', 'no slash', (_, path) => `https:evil.test${path}`),

  form(
    'user',
    'the right host as user',
    at((host) => `${host}@evil.test`),
  ),
  form(
    'user',
    'the right host as user and password',
    at((host) => `${host}:443@evil.test`),
  ),
  form(
    'user',
    'a user and a password',
    at((host) => `user:pw@${host}`),
  ),
  form(
    'user',
    'a password alone',
    at((host) => `:pw@${host}`),
  ),

  form('http', 'http', (host, path) => `http://${host}${path}`),
  form('http', 'http at the port of https', (host, path) => `http://${host}:443${path}`),
  form('http', 'http to this machine', (_, path) => `http://127.0.0.1${path}`),
  form('scheme', 'ftp', (host, path) => `ftp://${host}${path}`),
  form('scheme', 'ws', (host, path) => `ws://${host}${path}`),
  form('scheme', 'wss', (host, path) => `wss://${host}${path}`),
  form('scheme', 'file', () => 'file:///etc/passwd'),
  form('scheme', 'a scheme of nobody', (host, path) => `acme://${host}${path}`),
  form('opaque', 'data', () => 'data:application/json,{}'),
  form('opaque', 'javascript', () => 'javascript:alert(1)'),
  form('opaque', 'blob', (host, path) => `blob:https://${host}${path}`),

  form(
    'sign',
    'a backslash before the right host',
    at((host) => `evil.test\\@${host}`),
  ),
  form('sign', 'backslashes for slashes', (_, path) => `https:\\\\evil.test${path}`),
  form('sign', 'a slash and a backslash', (_, path) => `/\\evil.test${path}`),
  form(
    'sign',
    'a tab that joins two names',
    at((host) => `${host}\t.evil.test`),
  ),
  form(
    'sign',
    'a line break that joins two names',
    at((host) => `${host}\n.evil.test`),
  ),
  form(
    'sign',
    'a carriage return that joins two names',
    at((host) => `${host}\r.evil.test`),
  ),
  form('sign', 'a tab in the scheme', (_, path) => `ht\ttps://evil.test${path}`),
  form('sign', 'a space in front', (_, path) => ` https://evil.test${path}`),
  form(
    'nothing',
    'a space in the host',
    at((host) => `${host} .evil.test`),
  ),
  form(
    'nothing',
    'a NUL in the host',
    at((host) => `${host}\0.evil.test`),
  ),
  form('nothing', 'an address with a zone', fixed('[fe80::1%25eth0]')),
  form('nothing', 'half an address', fixed('[::1')),
  form(
    'nothing',
    'a port that is none',
    at((host) => `${host}:99999`),
  ),

  form('address', '127.0.0.1', fixed('127.0.0.1')),
  form('address', 'decimal', fixed('2130706433')),
  form('address', 'octal', fixed('0177.0.0.1')),
  form('address', 'hexadecimal', fixed('0x7f000001')),
  form('address', 'short', fixed('127.1')),
  form('address', 'this host', fixed('0.0.0.0')),
  form('address', 'IPv6', fixed('[::1]')),
  form('address', 'no IPv6 address', fixed('[::]')),
  form('address', 'IPv4 in IPv6', fixed('[::ffff:127.0.0.1]')),
  form('address', 'IPv4 behind NAT64', fixed('[64:ff9b::7f00:1]')),
  form('address', 'IPv4 in 6to4', fixed('[2002:7f00:1::]')),
  form('address', 'a private one', fixed('10.0.0.7')),
  form('address', 'a unique local one', fixed('[fd00::7]')),
  form('address', 'metadata of AWS, Azure and GCP', fixed('169.254.169.254')),
  form('address', 'metadata in IPv6', fixed('[fd00:ec2::254]')),
  form('address', 'metadata in decimal', fixed('2852039166')),

  form('name', 'a name of this machine', fixed('loop.acme.test')),
  form('name', 'a public address and one of this machine', fixed('both.acme.test')),
  form('name', 'the same in IPv6', fixed('both6.acme.test')),
  form('name', 'a name of a private address', fixed('private.acme.test')),
  form('name', 'a name of the metadata service', fixed('metadata.acme.test')),

  form(
    'chain',
    'a redirect to itself',
    at((host) => host),
    'loop',
  ),
  form(
    'chain',
    'six redirects',
    at((host) => host),
    'long',
  ),
  form(
    'chain',
    'honest, honest, evil',
    at((host) => host),
    'evil',
  ),
  form(
    'chain',
    'https, http, https',
    at((host) => host),
    'downgrade',
  ),
  form(
    'chain',
    'evil, and back',
    at((host) => host),
    'evil and back',
  ),
];

/** Hosts of other people that a form leads to, for the trap's certificate; also as they come out of a header, which has no letters but Latin-1. */
export const HOSTILE: readonly string[] = ['api.acme.test', 'auth.acme.test'].flatMap((honest) => {
  const cyrillic = honest.replace('a', 'а');
  const inHeader = [cyrillic, honest.replace('.', '\u00ad.')].map((host) => Buffer.from(host).toString('latin1'));
  return [
    ...['evil.test', 'acme.test', `evil.${honest}`, `${honest}.evil.test`, `evil${honest}`, `${honest}.`],
    ...[cyrillic, ...inHeader].map((host) => new URL(`https://${host}`).host),
  ];
});
