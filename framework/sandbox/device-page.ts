import { type Answer, html, json } from './answer.ts';
import { checkClient, checkScope, TokenError } from './client.ts';
import { POLL_INTERVAL } from './devices.ts';
import type { Grants } from './grants.ts';
import { decisionPage, escaped, stop } from './page.ts';
import { type Incoming, pairs } from './request.ts';
import { digest } from './seeded.ts';
import { checkParameters, parameters, type TokenCall } from './token-endpoint.ts';
import type { View } from './view.ts';

export const DEVICE_PATH = '/__sandbox/device';

/** Without vowels, so that no words come out (RFC 8628, 6.1). */
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';

/** The device authorization endpoint (RFC 8628, 3.1 and 3.2). `own`: the sandbox's origin, where the page is. */
export function deviceEndpoint(
  calls: readonly TokenCall[],
  request: Incoming,
  grants: Grants,
  url: string,
  own: string,
  auto: boolean,
): Answer {
  try {
    if (request.method !== 'POST') throw new TokenError('invalid_request', 'the endpoint takes POST', 405, { allow: 'POST' });
    const params = parameters(calls[0]!, request);
    const one = calls.find(({ view }) => view.value('client_id') === params.get('client_id')) ?? calls[0]!;
    const client = checkClient(one, request, params, grants, url);
    checkParameters(one, params, request);
    const scope = checkScope(one.view, params.get('scope'));
    const code = grants.text('device');
    const letters = [...digest(code)].slice(0, 8).map((byte) => LETTERS[byte % LETTERS.length]);
    const userCode = `${letters.slice(0, 4).join('')}-${letters.slice(4).join('')}`;
    const grant = { method: one.view.resolved.method.name, clientId: client, scope, revoked: false };
    grants.devices.issue(code, userCode, grant, grants.codeLifetime, auto ? true : undefined);
    const verification = `${own}${DEVICE_PATH}`;
    return json(
      200,
      {
        ...{
          device_code: code,
          user_code: userCode,
          verification_uri: verification,
          expires_in: grants.codeLifetime,
          interval: POLL_INTERVAL,
        },
        verification_uri_complete: `${verification}?user_code=${userCode}`,
      },
      { 'cache-control': 'no-store' },
    );
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    return json(error.status, { error: error.error, error_description: error.message }, { 'cache-control': 'no-store', ...error.headers });
  }
}

/** The page on which a person enters the code (RFC 8628, 3.3). `auto=accept` or `auto=deny` beside the code decides at once. */
export function devicePage(view: View, request: Incoming, grants: Grants): Answer {
  const given = new Map([...request.query, ...(request.method === 'POST' ? pairs(request.body) : [])]);
  const code = given.get('user_code') ?? '';
  const decision = given.get('decision') ?? given.get('auto');
  const input = `<input name="user_code" value="${escaped(code)}" autocomplete="off">`;
  if (decision === undefined) return decisionPage(view, DEVICE_PATH, ['Enter the code that the application shows.'], {}, input);
  const device = grants.devices.waiting(code);
  if (device === undefined) return stop(400, 'There is no such code, or not any more.');
  device.accepted = decision === 'accept';
  return html(
    200,
    `<title>Done</title>\n<body><p>${device.accepted ? 'The application may use your account.' : 'Refused.'} You can close this page.</p></body>`,
  );
}
