/** A spec of about 150 lines as people write them: fields, two methods, choices, templates, streams with columns. */
export function makeSpec(name: string): string {
  const streams = Array.from(
    { length: 5 },
    (_, at) => `  things_${at}:
    title: Things of kind ${at}
    help: All things of kind ${at} that the user can see.
    source: https://docs.acme.com/api/things_${at}
    use: listed
    with: { path: things_${at} }
    query: { status: active, since: '\${default(fields.start_date, "2020-01-01")}' }
    columns:
      id: integer
      name: text
      status: { type: text, help: 'draft, active or archived', example: active }
      createdAt: datetime
      updatedAt: datetime
  parts_of_${at}:
    title: Parts of things of kind ${at}
    source: https://docs.acme.com/api/parts_${at}
    parent: things_${at}
    get: /things_${at}/\${parent.id}/parts
    add: { thing_id: '\${parent.id}' }
    columns: { id: integer, thing_id: integer, quantity: number, at: datetime }
`,
  ).join('');
  return `spec: 1
name: ${name}
title: Acme ${name}
version: 1.0.0
summary: Things and their parts.
categories: [things]
links: { api: https://docs.acme.com/api }
choices:
  region:
    title: Region
    default: na
    options:
      na: { title: North America, api: api.acme.com, login: login.acme.com }
      eu: { title: Europe, api: api.acme.eu, login: login.acme.eu }
fields:
  start_date: { title: Things from, type: date, required: false, example: '2026-01-31' }
  account:
    title: Account
    pattern: '^[0-9]{4,10}$'
    example: '10012'
auth:
  oauth:
    type: oauth2_client_credentials
    title: API client
    token_url: https://\${region.login}/oauth/token
    client_auth: basic
  basic:
    type: basic
    title: User and password
    help: The same as in the browser.
http:
  base_url: https://\${region.api}/v1
  headers: { X-Account: '\${fields.account}' }
  rate_limit: { requests: 10, per: 1s }
  errors:
    message: error.message
    rules:
      - { status: [403], when: '\${response.body.code == "limit"}', kind: rate_limit }
defaults:
  records: data
  primary_key: [id]
  paginate: { type: offset, offset: query.skip, size: query.limit, page_size: 100, total: meta.total }
check:
  get: /me
  expect: \${size(response.body.name) > 0}
  account: data.name
templates:
  listed:
    get: /\${with.path}
    headers: { Accept: application/json }
streams:
${streams}`;
}
