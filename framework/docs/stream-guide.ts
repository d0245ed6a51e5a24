/** A worked stream: what stands in the spec, and what is asked for. Lint has nothing to say of it. */
export interface StreamExample {
  heading: string;
  /** What stands below the head of a spec. */
  yaml: string;
  text: string;
}

export const STREAM_EXAMPLES: readonly StreamExample[] = [
  {
    heading: 'What is new, in windows',
    yaml: `fields:
  since: { title: Read from, type: date, required: false, default: '2026-01-01' }
streams:
  daily_costs:
    source: https://docs.acme.com/costs
    get: /costs
    query: { from: '\${window.start}', to: '\${window.end}' }
    primary_key: [day, campaign]
    cursor:
      field: day                     # where a record, as it comes, says what it is of
      format: date                   # how the request writes it
      time_zone: Europe/Berlin       # whose days these are
      window: { max: 31d, end: inclusive }
      lookback: 3d
      start: '\${fields.since}'
`,
    text: `Read at noon of 10 March 2026, it asks for 2026-01-01 to 2026-01-31, 2026-02-01 to 2026-03-03, 2026-03-04 to 2026-03-10. Windows do not overlap, so each record comes once; with \`end: exclusive\` the same windows would end a day later and mean the same. Read again a day later, it asks for 2026-03-07 to 2026-03-11: from the moment of the last read back by \`lookback\`, for what the provider corrects afterwards. Where the provider has no end, leave \`window\` out; where it takes no time at all, write \`filter: client\`: all is read, and what is not new is left out.`,
  },
  {
    heading: 'Parents of parents',
    yaml: `streams:
  workspaces:
    source: https://docs.acme.com/workspaces
    get: /workspaces
    primary_key: [id]
  boards:
    source: https://docs.acme.com/boards
    parent: workspaces
    get: /workspaces/\${parent.id}/boards
    add: { workspace: '\${parent.id}' }
    primary_key: [id]
  cards:
    source: https://docs.acme.com/cards
    parent: boards                   # which is read by its own parent in turn
    get: /boards/\${parent.id}/cards
    query: { workspace: '\${parent.workspace}', since: '\${window.start}' }
    primary_key: [id]
    cursor: { field: updated_at }
`,
    text: "`parent` is the record of the next level up, as it leaves its stream: what a grandchild needs of the one above, the level between carries in `add`. A partition is named by the parent's primary key, and each has a cursor of its own (`per: partition`), so that a new board is read from the beginning. With `parents: changed` only those parents are read whose own cursor says that they are new; theirs must then have one.",
  },
  {
    heading: 'Lists and windows',
    yaml: `fields:
  accounts: { title: Accounts, type: list }
streams:
  insights:
    source: https://docs.acme.com/insights
    each:
      account: '\${fields.accounts}'
      level: [campaign, ad]
    get: /accounts/\${each.account}/insights
    query: { level: '\${each.level}', from: '\${window.start}', to: '\${window.end}' }
    add: { account: '\${each.account}', level: '\${each.level}' }
    primary_key: [account, level, day]
    cursor: { field: day, format: date, window: { max: 7d, end: exclusive }, oldest: 14d }
`,
    text: 'Lists multiply: two accounts are four partitions, and with two windows each a first read is eight requests. `oldest` says how far back the provider keeps data, and nothing before it is asked for. What tells the partitions apart must be in the record, else their records would have the same keys: `add` puts it there.',
  },
  {
    heading: 'A job whose result is CSV',
    yaml: `streams:
  usage:
    source: https://docs.acme.com/exports
    primary_key: [day, sku]
    cursor: { field: day, format: date, window: { max: 31d, end: inclusive }, oldest: 60d }
    job:                             # in place of get or post
      create: { post: /exports, body: { from: '\${window.start}', to: '\${window.end}' }, capture: { id: id } }
      poll: { get: '/exports/\${job.id}', every: 10s, timeout: 30m, capture: { file: file? } }
      status: state
      states: { done: [complete], failed: [error], running: [queued, working], none: [empty] }
      message: reason
      download: { get: '\${job.file}', decode: [gzip, { type: csv, delimiter: ';' }] }
      cancel: { delete: '/exports/\${job.id}' }
    rename: { SKU: sku, Units: units }
    types: { units: integer }
    columns: { day: date, sku: text, units: integer }
`,
    text: "One window is one job. What `create` captures is kept in the state: a read that was stopped goes on with the same job. What `poll` captures is taken when its status is one of `done`, and known to `download` alone. A word that is in none of the lists is an error, so that a new one is not waited for until the timeout. A download from another host than the API's goes there without the credential. In CSV all values are text; `types` makes numbers of them.",
  },
  {
    heading: 'GraphQL with a cursor',
    yaml: `streams:
  issues:
    source: https://docs.acme.com/graphql
    post: /graphql
    encode: graphql
    body:
      query: |
        query ($since: DateTime, $after: String) {
          issues(updatedSince: $since, first: 100, after: $after, orderBy: updatedAt) {
            nodes { id title updatedAt }
            pageInfo { hasNextPage endCursor }
          }
        }
      variables: { since: '\${window.start}' }
    records: data.issues.nodes
    primary_key: [id]
    paginate:
      type: next_token
      from: data.issues.pageInfo.endCursor
      into: body.variables.after
      more: data.issues.pageInfo.hasNextPage
    cursor: { field: updatedAt, format: iso_ms, order: asc }
`,
    text: "The document stays as it is written; values go through `variables`, where nothing can be mistaken for a part of the query. A cursor without `start` has no `window.start` in its first read, and the variable is left out: the provider gives all. Two things are called cursor here: `paginate` follows the provider's mark from page to page within one read, `cursor` remembers how far the reads have come. `order: asc` says that records come sorted by it.",
  },
];

export const streamGuide = (): string =>
  `## Streams, worked out\n\n${STREAM_EXAMPLES.map(({ heading, yaml, text }) => `### ${heading}\n\n\`\`\`yaml\n${yaml}\`\`\`\n\n${text}\n`).join('\n')}`;
