import { FUNCTIONS } from '../core/expression/functions.ts';
import { AUTH_TYPES, type AuthType } from '../spec/auth-types.ts';
import { cell, code, markdownTable } from './markdown.ts';
import { streamGuide } from './stream-guide.ts';

/** What an author must know beside the keys: expressions, their variables and functions, and what auth types bring. */
export const languageGuide = (): string =>
  [EXPRESSIONS, variables(), functions(), authTypes(), EXAMPLE, streamGuide(), 'All keys follow.\n'].join('\n');

const EXPRESSIONS = `## Expressions

\`\${…}\` is the only mark; \`$\${\` is a literal \`\${\`. Inside stands a look-up (\`\${fields.site}\`) or [CEL](https://cel.dev): \`\${size(response.body) > 0}\`, \`\${a ? "x" : "y"}\`.

- **Quoting.** Inside \`{ }\` and \`[ ]\`, and with \`: \` or \` #\` in it, write it in single quotes, with double quotes inside: \`'\${default(item.name, "none")}'\`.
- **Escaping** belongs to the place: a value in a path is percent-encoded, in a header it may hold no line break, in a body it stays data. A host takes only attributes of choices, fields of type url, host or subdomain, and captures with \`hosts\`.
- **Absent** is an optional field without a value, a capture with \`?\`, \`given(false, …)\`. An entry of query, headers, cookies, body or add that is exactly one absent \`\${…}\` is left out; elsewhere it is a finding. A key that is missing in data is an error; \`default(x, y)\` says otherwise.
- **null** in YAML removes what is inherited. A JSON null is written \`\${null}\`.
- **Secrets.** An expression that mentions a secret is one, and stands only where a request is made.
- **Inheritance**, the later over the earlier: the type's defaults, \`http\` and \`defaults\`, options of choices, the auth method, the template, the stream or call. Maps merge, \`null\` removes, all else replaces; sections with a \`type\` merge only when it is the same.
`;

/** [variable, what it is, where it stands] */
const VARIABLES: readonly (readonly [string, string, string])[] = [
  ['fields.<name>', 'What the person entered: the fields of the connection and of the chosen method.', 'everywhere'],
  ['<choice>.<attribute>, <choice>.id', 'What the chosen option says: `${region.api}`.', 'everywhere'],
  ['auth.method', 'Name of the chosen method.', 'everywhere'],
  ['now, uuid', 'Time and a fresh id; fixed for one attempt, `now` for a whole read.', 'everywhere'],
  ['vars.<name>', "The method's own expressions.", 'its steps, token calls and `send`'],
  ['token.<name>', 'What steps and token calls captured: `${token.access_token}`.', 'later steps, `send`, `http`, calls, streams'],
  [
    'oauth.client_id, .scope, .resource, .redirect_uri, .state',
    'What is asked for, and by whom.',
    'steps, token calls, the page of consent',
  ],
  [
    'oauth.code, .code_verifier, .code_challenge, .device_code',
    'What a consent brings, and its proof.',
    'token calls; the challenge in `authorize`',
  ],
  ['callback.<name>', 'What came with the callback.', 'captures of `authorize` and `install`'],
  [
    'request.method, .host, .path, .params, .query, .headers, .body, .body_text, .body_length, .body_sha256',
    'The request as it will be sent; `params` is its query, sorted and encoded, `body` its bytes.',
    '`send`',
  ],
  [
    'response.status, .headers["name"], .cookies, .body',
    'The answer. A plain path starts at its body.',
    'conditions, captures, computed paths',
  ],
  ['parent.<path>', "The parent stream's record.", 'a stream with `parent`'],
  ['each.<name>', 'The item of a list that is being read.', 'a stream with `each`'],
  [
    'window.start, .end, .start_time, .end_time',
    "What is asked for: in the cursor's format, and as times. Without `start`, or without a window, absent.",
    'a stream with `cursor`',
  ],
  ['job.<name>', 'What `create` captured; in `download` what `poll` did, too.', 'calls of a `job` after `create`'],
  ['record, last_record', 'The record, the last of a page.', '`add`, computed paths of `paginate`'],
  ['page.index, .size, .count', 'The page that was read.', 'computed paths of `paginate`'],
  ['item', 'One of the options.', "an option's `label`"],
  ['with.<name>', "The stream's own literal.", 'templates'],
];

const variables = (): string =>
  `## Variables\n\n${markdownTable(
    ['Variable', 'Is', 'Stands in'],
    VARIABLES.map(([name, is, where]) => [name.split(', ').map(code).join(', '), cell(is), cell(where)]),
  )}`;

const functions = (): string =>
  `## Functions\n\nMacros (the last ones) do not nest, and take lists of at most 1,000 items.\n\n${markdownTable(
    ['Function', 'Gives'],
    FUNCTIONS.map(({ signature, summary }) => [code(signature), cell(summary)]),
  )}`;

function authTypes(): string {
  const fields = ({ fields: implied }: AuthType): string =>
    Object.entries(implied)
      .map(([name, { secret }]) => `${code(name)}${secret === true ? ' (secret)' : ''}`)
      .join(', ');
  const sends = ({ send }: AuthType): string =>
    Object.entries(send.headers ?? {})
      .map(([name, value]) => code(`${name}: ${value}`))
      .join(', ');
  const token = ({ token: call }: AuthType): string =>
    call === undefined
      ? ''
      : Object.entries(call.body ?? {})
          .map(([name, value]) => code(`${name}=${value}`))
          .join(' ');
  return `## What each auth type fills in\n\nA method is fields, then steps, then \`send\`. Each can be amended: \`fields: { password: null }\` drops a field, \`send\` of one's own replaces headers by name.\n\n${markdownTable(
    ['Type', 'Fields', 'Token request', 'Sends'],
    Object.entries(AUTH_TYPES).map(([type, entry]) => [code(type), fields(entry), token(entry), sends(entry)]),
  )}`;
}

/** Loaded and read against its sandbox by a test. */
export const LOGIN_EXAMPLE = `spec: 1
name: zephyr
title: Zephyr
version: 1.0.0
choices:
  plan:
    default: pro
    options:
      free: { title: Free, host: free.zephyr.example }
      pro: { title: Pro, host: pro.zephyr.example }
auth:
  login:
    type: none                       # nothing is implied: all of it is said here
    fields:
      email: { type: email }
      password: { secret: true }
    steps:
      - name: login                  # runs first, and again when the session ends
        post: https://\${plan.host}/login
        body: { email: '\${fields.email}', password: '\${fields.password}' }
        capture: { session: data.session_id }
        expires: { in: data.ttl, default: 30m }
    send:
      headers: { X-Session: '\${token.session}' }
http:
  base_url: https://\${plan.host}/api
check: { get: /me, account: name }
defaults:
  records: data
  primary_key: [id]
  paginate: { type: link_header, size: query.limit, page_size: 100 }
streams:
  boards:
    get: /boards
    source: https://docs.zephyr.example/boards
    columns: { id: integer, name: text }
  cards:
    parent: boards                   # read once for each board
    get: /boards/\${parent.id}/cards
    add: { board_id: '\${parent.id}' }
    primary_key: [board_id, id]
    source: https://docs.zephyr.example/cards
    columns: { id: integer, board_id: integer, title: text }
`;

const EXAMPLE = `## An example: login call, choice, child stream

\`\`\`yaml
${LOGIN_EXAMPLE}\`\`\`
`;
