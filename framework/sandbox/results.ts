import type { Job } from './jobs.ts';
import { faulty, type Served } from './planned.ts';
import type { Provider } from './provider.ts';
import type { Incoming } from './request.ts';
import { respond } from './respond.ts';
import { credentialSent, RESULTS, resultAsked, storeRefusal } from './result-address.ts';
import { type Route, route } from './route.ts';

/** The result of a job at its signed address. `origin`: the one that the Host header names. */
export function atResult(provider: Provider, request: Incoming, origin: string | undefined): Served {
  const job = provider.jobs.all.find(({ key, cleanedUp }) => !cleanedUp && request.path === `${RESULTS}${key}/result`);
  if (job === undefined) return { answer: storeRefusal(404, 'NoSuchKey', 'The specified key does not exist') };
  const stream = job.stream.name;
  const fault = provider.faults.take({ where: 'api', path: request.path, stream });
  const planned = faulty(provider, fault, [], (status, message) => storeRefusal(status, 'ServiceUnavailable', message));
  return { ...planned, stream, answer: planned.answer ?? given(provider, job, request, origin) };
}

function given(provider: Provider, job: Job, request: Incoming, origin: string | undefined): Served['answer'] {
  const { clock, seed, sides } = provider;
  // An address on the API's own host may get what every request to it gets.
  const sent = origin === job.view.origin ? undefined : credentialSent(request, credentialNames(provider));
  if (sent !== undefined) {
    return storeRefusal(400, 'InvalidArgument', `Only one auth mechanism allowed: the signature, and no ${sent} besides`);
  }
  const asked = routeTo(job);
  const refused = resultAsked(request, clock.now(), seed, new Set([...asked.query.keys(), ...queryTargets(asked)]));
  if (refused !== undefined) return refused;
  if (job.state !== 'done') return storeRefusal(404, 'NoSuchKey', 'The specified key does not exist');
  const { dataset } = sides.find(({ view }) => view.resolved === job.view.resolved)!;
  job.downloads++;
  const from = origin ?? job.view.origin;
  return respond({ route: asked, request, filled: job.filled, body: null, origin: from, repeatPage: false }, dataset);
}

/** The download as the spec has it, at the address that the sandbox has given. */
function routeTo(job: Job): Route {
  const { view, stream } = job;
  const { download, create } = stream.job!;
  return route(view, 'job', { ...(download ?? create), url: `${view.origin}${RESULTS}${job.key}/result` }, stream, 'download');
}

const queryTargets = ({ targets }: Route): string[] =>
  [...targets].flatMap((target) => (target.startsWith('query.') ? [target.slice('query.'.length)] : []));

/** Where credentials of the API stand, in any of its methods. */
function credentialNames({ sides }: Provider): { headers: ReadonlySet<string>; query: ReadonlySet<string> } {
  const sends = sides.map(({ view }) => view.resolved.method.send);
  return {
    headers: new Set(sends.flatMap(({ headers }) => Object.keys(headers)).map((name) => name.toLowerCase())),
    query: new Set(sends.flatMap(({ query }) => Object.keys(query))),
  };
}
