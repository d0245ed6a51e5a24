import type { ErrorKind } from './errors.ts';

interface ErrorEntry {
  kind: ErrorKind;
  /** Why it happens, for the generated error page. */
  cause: string;
  /** What to do next; shown with each error that brings no better advice. */
  next: string;
}

const entry = (kind: ErrorKind, cause: string, next: string): ErrorEntry => ({ kind, cause, next });

/** Every error code, in one place. A code keeps its meaning for ever; the page docs/errors.md is made from this. */
export const ERRORS = {
  // spec
  spec_invalid: entry('spec', 'The spec has findings of severity error.', 'Run `ferrule lint` on the file and mend each finding.'),
  spec_unreadable: entry('spec', 'The file is missing, not UTF-8, or larger than 1 MiB.', 'Check the path, the encoding and the size.'),
  expression_failed: entry(
    'data',
    'An expression met data that it has no answer for.',
    'Correct the expression in the spec, or give it a default(…).',
  ),
  // input
  connector_unknown: entry('input', 'No spec of that name is in the catalogue.', 'Run `ferrule list` to see the names, or pass a path.'),
  stream_unknown: entry('input', 'The connector has no such stream, or not under these choices.', 'Run `ferrule streams <connector>`.'),
  input_unknown: entry(
    'input',
    'A method, field or choice was named that the spec does not have.',
    'Run `ferrule show <connector>` to see the names.',
  ),
  input_missing: entry(
    'input',
    'A required field or choice has no value.',
    'Give the value: as an input, in the environment, or at the prompt.',
  ),
  input_malformed: entry(
    'input',
    'A value does not fit its type or place.',
    "Correct the value; the field's help says what it should look like.",
  ),
  option_unknown: entry('input', 'An option was passed that this call does not take.', 'Leave it out, or use one of those listed.'),
  connection_string_malformed: entry(
    'input',
    'The connection string does not parse or has an unsupported property.',
    'Correct the property that the message names.',
  ),
  not_supported: entry('input', 'The property is known but Ferrule does not do that.', 'Leave it out.'),
  usage: entry('input', 'The command line does not parse.', 'Run the command with --help.'),
  aborted: entry('input', 'The caller cancelled.', 'Start again when ready.'),
  closed: entry('input', 'The connection was closed.', 'Open a new connection.'),
  // hosts and network
  host_refused: entry(
    'input',
    'A URL leads to a host that the spec does not name for credentials.',
    'If the host is right, add it under http.hosts in the spec.',
  ),
  address_refused: entry(
    'input',
    'A host resolves to a private, loopback or metadata address.',
    "Allow it in the runtime's own settings (never in the spec): allowPrivateAddresses or --allow-private; for this machine allowLoopbackAddresses or --allow-loopback.",
  ),
  name_not_resolved: entry('input', 'The host name does not resolve.', 'Check the host name and the network.'),
  connection_failed: entry('transient', 'No connection could be made, or it was cut.', 'Check the network, proxy and firewall; try again.'),
  tls_failed: entry(
    'input',
    'The TLS certificate is not trusted or does not fit the host.',
    'Check the host name; pass an extra CA for a private one.',
  ),
  timeout: entry('transient', 'The server took longer than the time limit.', 'Try again; raise http.timeout if the provider is slow.'),
  redirect_refused: entry(
    'request',
    'A redirect leads too far or to a host that may not have the credential.',
    'Check the URL in the spec.',
  ),
  // responses
  unauthorized: entry(
    'auth',
    'The provider does not accept the credential.',
    'Check the fields of the auth method; reconnect if a token was revoked.',
  ),
  forbidden: entry(
    'permission',
    'The credential is valid but may not do this.',
    'Grant the permission or scope at the provider, or leave the stream out.',
  ),
  rate_limited: entry(
    'rate_limit',
    'The provider limits requests and the wait was longer than allowed.',
    'Try again later, or lower the rate.',
  ),
  server_failed: entry(
    'transient',
    'The provider answered with a server error after all retries.',
    "Try again later; see the provider's status page.",
  ),
  request_refused: entry(
    'request',
    'The provider refused the request.',
    "Check the path and parameters; the provider's own words say what is wrong.",
  ),
  response_malformed: entry(
    'data',
    'The answer is not what its type says: broken JSON, HTML in place of JSON, an unknown encoding.',
    'Check base URL and path; the excerpt shows what came.',
  ),
  number_too_large: entry('data', 'A whole number beyond 2^53 would be rounded.', 'Set http.big_integers: text in the spec.'),
  // auth
  token_refused: entry(
    'auth',
    'The authorization server refused the grant.',
    'Check client ID, secret and scopes; reconnect if the refresh token was revoked.',
  ),
  token_malformed: entry('auth', 'The token answer lacks what the spec says it has.', 'Check token_url; see token.capture in the spec.'),
  token_bound: entry(
    'auth',
    'The token is of a type that wants a proof with each request, which Ferrule does not give.',
    'Have the provider issue bearer tokens to this client (RFC 6750).',
  ),
  reconnect_required: entry('auth', 'The stored grant is no longer valid.', 'Run `ferrule connect` again for this credential.'),
  consent_denied: entry('auth', 'The person refused, or the authorization server ended the flow.', 'Start again and accept.'),
  state_mismatch: entry('auth', 'The callback does not belong to the flow that was started.', 'Start again; do not reuse an old link.'),
  issuer_mismatch: entry(
    'auth',
    'The callback comes from another authorization server than the one that was asked.',
    'Start again, and give the code to nobody. If it happens again, the provider or the page that it leads to is not to be trusted.',
  ),
  consent_timeout: entry('auth', 'No callback came in time.', 'Start again; on a machine without a browser use --paste.'),
  callback_port_taken: entry('input', 'Another program listens on the callback port.', 'Stop it, or register and pass another port.'),
  scope_missing: entry('permission', 'The token was granted fewer scopes than the spec asks for.', 'Reconnect and grant all scopes.'),
  // credentials
  credential_unknown: entry('input', 'No credential of that name is stored.', 'Run `ferrule credentials list`.'),
  credential_sandbox: entry(
    'input',
    'A sandbox credential cannot reach a real host, nor a real one the sandbox.',
    'Connect again to the side that you mean.',
  ),
  store_unreadable: entry('input', 'The credential store cannot be read.', 'Check the file and its rights.'),
  store_unwritable: entry('input', 'The credential store cannot be written.', 'Check the folder, its rights and the free space.'),
  store_key_wrong: entry('input', 'The key does not open the store.', 'Pass the key that the store was made with.'),
  store_locked: entry('transient', "Another process holds the store's lock.", 'Wait for it to finish.'),
  store_conflict: entry('input', 'Another write came between reading and writing the credential.', 'Read it again and repeat the change.'),
  passphrase_wrong: entry(
    'input',
    'The passphrase is not the one that the file was sealed with.',
    'Give the passphrase that it was exported with.',
  ),
  export_unreadable: entry(
    'input',
    'A file of exported credentials is damaged, was changed, or comes from a newer Ferrule.',
    'Fetch the file again, or export once more.',
  ),
  // reading
  records_missing: entry(
    'data',
    'The records path finds nothing, or not what it should.',
    'Correct records in the spec; a trailing ? allows absence.',
  ),
  page_repeated: entry('data', 'The paginator came to the same page again.', 'Correct paginate in the spec.'),
  page_cap: entry('data', 'max_pages was reached with more to come.', 'Raise paginate.max_pages, or narrow the read.'),
  path_missing: entry('data', 'A path or name finds nothing in the data.', 'Correct the path, or allow absence with ? or default(…).'),
  cursor_missing: entry(
    'data',
    'A record has no cursor, or one that its format does not read.',
    'Correct cursor.field, format or record_format in the spec.',
  ),
  record_malformed: entry(
    'data',
    'A record does not fit its declared columns.',
    'Correct columns or types in the spec, or read with --bad-records keep or aside.',
  ),
  state_unusable: entry(
    'input',
    'The stored state was made by another cursor than the one that the spec has now.',
    'Read the stream anew with --from-start, or put the cursor back as it was.',
  ),
  job_failed: entry(
    'data',
    'The provider says that the job failed, or in a word that the spec does not list.',
    'See its message; read again later.',
  ),
  job_timeout: entry(
    'transient',
    'The job was not done in time.',
    'Read again: it goes on with the same job. Raise job.poll.timeout if the provider is slow.',
  ),
  peer_missing: entry('input', 'A library that this needs is not installed.', 'Install it with the command that the message names.'),
  record_refused: entry(
    'data',
    'The destination cannot hold a record as it is.',
    'The message names the record and the column; correct types in the spec, or leave the column out with remove.',
  ),
  output_locked: entry('input', 'Another process writes to the same destination.', 'Wait for it to finish, or write to another place.'),
  output_unreadable: entry(
    'input',
    'What is in the destination was not written by Ferrule, or is damaged.',
    'Choose another place, or mend what the message names.',
  ),
  output_failed: entry('input', 'Writing the output failed.', 'Check the disk and the path; what was written before it stays whole.'),
  internal: entry('internal', 'A bug in Ferrule.', 'Report it with the command and the trace.'),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;
