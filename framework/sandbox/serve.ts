import { type Answer, json, Refused, refusal } from './answer.ts';
import { wrongAsked } from './asked.ts';
import { type Verdict, worst } from './authenticate.ts';
import { CONSENT_PATH, OUT_OF_BAND } from './consent.ts';
import type { Data } from './data.ts';
import { DEVICE_PATH, deviceEndpoint, devicePage } from './device-page.ts';
import type { Subject } from './faults.ts';
import { wrongField } from './fields.ts';
import { issue } from './issue.ts';
import { answerJob } from './job-answers.ts';
import { ownerOf } from './jobs.ts';
import { resetHeader } from './limits.ts';
import { type Matched, matchPath, matchRequest } from './match.ts';
import { metadata, register } from './metadata.ts';
import type { Filled } from './pattern.ts';
import { faulty, type Refuse, type Served } from './planned.ts';
import type { Endpoint, Provider, Side } from './provider.ts';
import type { Incoming } from './request.ts';
import { type Asking, respond } from './respond.ts';
import { RESULTS } from './result-address.ts';
import { atResult } from './results.ts';
import { leaves, type Route } from './route.ts';
import { sentAs } from './signed.ts';
import { revocationEndpoint, tokenEndpoint } from './token-endpoint.ts';
import type { Fault } from './types.ts';

/** `origin`: the spec's origin that the Host header names, or undefined when it names none; `own`: the sandbox's own. */
export function serve(provider: Provider, request: Incoming, origin: string | undefined, own: string): Served {
  if (request.path === CONSENT_PATH && request.method === 'POST') return { answer: provider.consent.answer(request) };
  const endpoint = provider.endpoints.find(
    ({ address }) => (origin === undefined || address.origin === origin) && address.path === request.path.replace(/\/+$/, ''),
  );
  if (request.path.startsWith(RESULTS) && (origin === undefined || provider.resultOrigins.has(origin)))
    return atResult(provider, request, origin);
  if (request.path === DEVICE_PATH) return { answer: devicePage(provider.sides[0]!.view, request, provider.grants) };
  const step = endpoint?.kind === 'token' ? stepThere(provider, request, origin) : [];
  if (step.length > 0) return atRoute(provider, request, step, origin ?? own);
  if (endpoint !== undefined) return atEndpoint(provider, endpoint, request, own);
  return atApi(provider, request, origin, own);
}

function atEndpoint(provider: Provider, endpoint: Endpoint, request: Incoming, own: string): Served {
  const { kind, views } = endpoint;
  const { grants, consent } = provider;
  if (kind === 'authorize') return { answer: consent.authorize(views, request) };
  if (kind === 'metadata') return { answer: metadata(views[0]!, endpoint.call!) };
  const fault = provider.faults.take({ where: 'token', path: request.path, stream: undefined });
  const planned = faulty(provider, fault, views[0]!.resolved.http.rate_limit, (status, message, headers) =>
    json(status, { error: 'temporarily_unavailable', error_description: message }, headers),
  );
  if (planned.answer !== undefined) return { ...planned, answer: planned.answer };
  if (kind === 'registration') return { ...planned, answer: register(views[0]!, request, grants, consent) };
  const url = `${endpoint.address.origin}${endpoint.address.path}`;
  if (kind === 'device') return { ...planned, answer: deviceEndpoint(endpoint.calls, request, grants, url, own, provider.autoConsent) };
  if (kind === 'ending') return { ...planned, answer: revocationEndpoint(endpoint.calls, request, grants, url) };
  return { ...planned, answer: tokenEndpoint(endpoint.calls, request, grants, url) };
}

interface Candidate {
  side: Side;
  route: Route;
  filled: Filled[];
}

/** Every call of the spec that has the request's origin and path. */
function under(provider: Provider, { path }: Incoming, origin: string | undefined): Candidate[] {
  return provider.sides.flatMap((side) =>
    [...side.routes, ...side.steps].flatMap((route): Candidate[] => {
      if (origin !== undefined && route.origin !== origin) return [];
      const filled = matchPath(route, path);
      return filled === undefined ? [] : [{ side, route, filled }];
    }),
  );
}

/** A step that goes to the token endpoint as well, such as one more exchange: whatever is right for it is meant for it. */
function stepThere(provider: Provider, request: Incoming, origin: string | undefined): Candidate[] {
  return under(provider, request, origin).filter((one) => {
    if (one.route.purpose !== 'step' || one.route.method !== request.method) return false;
    const { verdict, matched } = judge(one, request, provider);
    return verdict === 'good' && matched.problems.length === 0;
  });
}

function atApi(provider: Provider, request: Incoming, origin: string | undefined, own: string): Served {
  const onPath = under(provider, request, origin);
  const errors = (onPath[0]?.side ?? provider.sides[0]!).view.resolved.http.errors;
  if (onPath.length === 0) return { answer: refusal(errors, 404, `There is nothing at ${request.path}`) };
  const candidates = onPath.filter(({ route }) => route.method === request.method);
  if (candidates.length === 0) {
    const allow = [...new Set(onPath.map(({ route }) => route.method))].join(', ');
    return { answer: refusal(errors, 405, `${request.method} is not allowed here`, { allow }) };
  }
  return atRoute(provider, request, candidates, origin ?? own);
}

/** Of the routes under this address the one whose query, headers and body fit; credentials are looked at before what is wrong in them. */
function atRoute(provider: Provider, request: Incoming, candidates: Candidate[], origin: string): Served {
  let judged = candidates.map((candidate) => judge(candidate, request, provider));
  let best = nearest(judged);
  const { side, route } = best.candidate;
  const { errors, rate_limit: limits } = side.view.resolved.http;
  const stream = route.stream?.name;
  const right = best.verdict === 'good' && best.matched.problems.length === 0;
  const job = right && (route.part === 'create' || route.part === 'poll');
  const subject: Subject = { where: 'api', path: request.path, stream, job };
  const fault = provider.faults.take(subject);
  if (fault?.kind === 'expire_tokens') {
    provider.grants.expire();
    judged = candidates.map((candidate) => judge(candidate, request, provider));
    best = nearest(judged);
  }
  const counted = provider.limits.count(limits, request.path);
  const refuse = (status: number, message: string, headers: Record<string, string> = {}): Answer =>
    refusal(route.call.errors ?? errors, status, message, { ...counted.headers, ...headers });
  const planned = faulty(provider, fault, limits, refuse);
  const done = (answer: Answer): Served => ({
    ...planned,
    answer: { ...answer, headers: { ...counted.headers, ...answer.headers } },
    ...(stream !== undefined && { stream }),
  });
  if (planned.answer !== undefined) return done(planned.answer);
  if (provider.enforceLimits && counted.passed !== undefined) {
    const wait = { 'retry-after': String(Math.ceil(counted.wait / 1000)) };
    return done(refuse(429, 'Too many requests', { ...wait, ...resetHeader(counted.passed, provider.clock.now(), counted.wait) }));
  }
  if (best.verdict !== 'good') return done(unauthorized(best, judged, request, refuse));
  const [problem] = best.matched.problems;
  if (problem?.status === 200) return done(json(200, { errors: [{ message: problem.message }] }));
  if (problem !== undefined) return done(refuse(problem.status, problem.message));
  try {
    return done(fulfil(provider, best, judged, request, origin, fault));
  } catch (error) {
    if (error instanceof Refused) return done(refuse(error.status, error.message, error.headers));
    throw error;
  }
}

interface Judged {
  candidate: Candidate;
  matched: Matched;
  verdict: Verdict;
}

function judge(candidate: Candidate, request: Incoming, { clock, jobs }: Provider): Judged {
  const { side, route } = candidate;
  if (route.purpose === 'step') {
    // A login has no credential but what it holds.
    const signature = route.call.sign === undefined ? undefined : side.gate.signed?.checkCall(request, route.call.sign).verdict;
    const names = signature === undefined ? [] : side.gate.signed!.queryNames(request);
    const login = matchRequest(route, request, new Set(names));
    return {
      candidate,
      matched: login,
      verdict: worst([side.gate.checkFilled(login.filled), side.gate.checkComputed(route.call, request, login.body), signature ?? 'good']),
    };
  }
  // RFC 7009, 2.2: whoever ends what has ended already has what he wanted.
  if (route.purpose === 'ending') return { candidate, matched: matchRequest(route, request, new Set()), verdict: 'good' };
  const matched = matchRequest(route, request, side.gate.queryNames(request));
  const filled = [...candidate.filled, ...matched.filled];
  for (const one of filled) {
    const wrong = wrongField(one, route, side.dataset);
    if (wrong !== undefined) matched.problems.push({ status: 400, message: wrong });
  }
  const status = route.encode === 'graphql' ? 200 : undefined;
  const wrong = wrongAsked(filled, route, side.dataset, clock.now());
  if (wrong !== undefined) matched.problems.push({ status: status ?? 400, message: wrong });
  const later = route.part !== undefined && route.part !== 'create';
  if (later && jobs.find(route.stream!.name, ownerOf(route.view), filled) === undefined)
    matched.problems.push({ status: status ?? 404, message: 'There is no such job' });
  const shown = leaves(route.part, route.origin, route.view) ? [] : [side.gate.check(request)];
  return { candidate, matched: { ...matched, filled }, verdict: worst([...shown, side.gate.checkFilled(filled)]) };
}

const VERDICTS: readonly Verdict[] = ['good', 'expired', 'revoked', 'wrong', 'missing'];
/** The nearest candidate: a good credential first, then the fewest problems; a step before what is asked at the same place. */
const score = ({ verdict, matched, candidate }: Judged): number =>
  VERDICTS.indexOf(verdict) * 1000 + matched.problems.length * 2 + (candidate.route.purpose === 'step' ? 0 : 1);

const nearest = (judged: readonly Judged[]): Judged => judged.reduce((one, other) => (score(other) < score(one) ? other : one));

const SAYS: Record<Exclude<Verdict, 'good'>, string> = {
  missing: 'No credential was sent',
  wrong: 'The credential is wrong',
  expired: 'The token has expired',
  revoked: 'The credential was revoked',
};

/** Every way in that the provider has is named (RFC 9110, 11.6.1), in one header. */
function unauthorized({ candidate, verdict }: Judged, judged: readonly Judged[], request: Incoming, refuse: Refuse): Answer {
  const { view } = candidate.side;
  // One for each method: a challenge may hold a nonce of its own. A handshake under way is as good as missing to its own method, and
  // wrong to all others, so what is nearest says nothing of which to name.
  const refusing = new Map(
    judged.filter((one) => one.verdict !== 'good').map((one) => [one.candidate.side.view.resolved.method.name, one] as const),
  );
  const ways = [...refusing.values()].map((one) => one.candidate.side.gate.challenge(one.verdict, request));
  const challenges = [...new Set(ways.filter((way) => way !== undefined))];
  const rule = view.resolved.http.errors.rules?.find(
    ({ kind, status, when }) => kind === 'auth' && status !== undefined && when === undefined,
  );
  const status = rule?.status?.includes(401) === false ? rule.status[0]! : 401;
  return refuse(
    status,
    SAYS[verdict as Exclude<Verdict, 'good'>],
    challenges.length > 0 ? { 'www-authenticate': challenges.join(', ') } : {},
  );
}

function fulfil(
  provider: Provider,
  { candidate, matched }: Judged,
  judged: readonly Judged[],
  request: Incoming,
  origin: string,
  fault: Fault | undefined,
): Answer {
  const { side, route } = candidate;
  const answered = ({ candidate: { side: of, route: asked }, matched: { filled, body } }: Judged): Answer =>
    answerTo({ route: asked, request, filled, body, origin, repeatPage: fault?.kind === 'repeat_page' }, of, provider, fault);
  if (route.purpose === 'step') {
    const other = judged.find((one) => one.candidate.side === side && score(one) === 1 && one.candidate.route.purpose !== 'ending');
    return answerStep(side, route, request, provider, other && (JSON.parse(answered(other).body) as Data));
  }
  const { filled } = matched;
  if (route.purpose === 'ending') {
    for (const { value } of filled) provider.grants.revoke(value);
    return json(200, {});
  }
  return answered({ candidate, matched, verdict: 'good' });
}

function answerTo(asking: Asking, { dataset }: Side, { jobs, seed }: Provider, fault: Fault | undefined): Answer {
  return asking.route.part === undefined ? respond(asking, dataset) : answerJob({ asking, dataset, jobs, seed, fault });
}

/** A step of the spec's own, such as a login: what it captures is issued. `besides`: what a call of the API gets at the same place. */
function answerStep({ view }: Side, { call }: Route, request: Incoming, { grants, consent }: Provider, besides: Data | undefined): Answer {
  const grant = { method: view.resolved.method.name, clientId: '', scope: '', revoked: false };
  const { answer, issued } = issue(view, call, grant, grants, {}, besides);
  const names = Object.entries(call.sign ?? {}).filter(([, text]) => text === '${oauth.redirect_uri}');
  const [redirectUri] = names.map(([name]) => sentAs(name, request));
  if (redirectUri === undefined) return answer;
  // RFC 5849, 2.1: where the person comes back to is said with the first call.
  if (!consent.allows(redirectUri === 'oob' ? OUT_OF_BAND : redirectUri))
    throw new Refused(400, 'This callback is not registered for the client');
  issued.redirectUri = redirectUri;
  return call.decode === 'form' ? { ...answer, body: `${answer.body}&oauth_callback_confirmed=true` } : answer;
}
