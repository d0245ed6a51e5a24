import { words } from '../spec/resolve.ts';

/** A first spec of that auth type: it lints clean, and its comments say what to change. `schema`: the editor schema's path from it. */
export function starter(name: string, auth: string, schema: string): string {
  const title = words(name.replaceAll('-', '_'));
  return `# yaml-language-server: $schema=${schema}
spec: 1
name: ${name} # the file's name without .yaml
title: ${title} # as people write it
version: 0.1.0 # this connector's own version
summary: One sentence on what the provider is.
categories: [other]
links:
  api: https://docs.example.com/api # the provider's own documentation

# What a person enters and how it gets onto each request. The first method is the default.
auth:
${AUTH[auth] ?? ''}
# Every call to the API. The origin of base_url is the only place that the credential goes to.
http:
  base_url: https://api.example.com/v1
  errors:
    message: message # where the provider puts its own words, from the body

# A cheap call that proves the credential.
check:
  get: /me

# What every stream starts from.
defaults:
  records: data # where the list is in the answer
  primary_key: [id]
  paginate: { type: page, page: query.page, size: query.per_page, page_size: 100 }

streams:
  projects:
    title: Projects
    source: https://docs.example.com/api/projects # the page that says so
    get: /projects
    columns: { id: integer, name: text, updated_at: datetime }
  tasks:
    title: Tasks
    source: https://docs.example.com/api/tasks
    parent: projects # read once for each project
    get: /projects/\${parent.id}/tasks
    add: { project_id: '\${parent.id}' } # put into each record
    columns:
      project_id: { type: integer, help: ID of the project }
      id: integer
      title: text
      done: boolean
`;
}

const HELP = 'Settings > API, Create key. Say here where to find what is asked for, step by step.';

const oauth = (extra: string): string => `    help: ${HELP}
${extra}    token_url: https://auth.example.com/oauth/token
    scopes: [read]
`;

const AUTH: Readonly<Record<string, string>> = {
  none: `  public:
    type: none
`,
  api_key: `  key:
    type: api_key # asks for api_key
    help: ${HELP}
    send:
      headers: { X-Api-Key: '\${fields.api_key}' }
`,
  basic: `  basic:
    type: basic # asks for username and password
    help: ${HELP}
`,
  bearer: `  token:
    type: bearer # asks for token, sends Authorization: Bearer …
    help: ${HELP}
`,
  oauth2_client_credentials: `  oauth:
    type: oauth2_client_credentials # asks for client_id and client_secret
${oauth('')}`,
  oauth2_authorization_code: `  oauth:
    type: oauth2_authorization_code # asks for client_id and client_secret, then for consent in a browser
${oauth('    authorize_url: https://auth.example.com/oauth/authorize\n')}`,
};
