import { readFile } from 'node:fs/promises';
import { parseDuration } from '../core/duration.ts';
import { FerruleError } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';
import type { ConnectionOptions, NetworkOptions, RetryOptions } from '../engine/options.ts';
import type { ClientEvent } from '../http/types.ts';
import type { Arguments } from './arguments.ts';
import { pathOf } from './catalogue.ts';
import { headerLine } from './header-line.ts';
import type { Io } from './io.ts';

type See = (event: ClientEvent) => void;

export interface BehaviourOptions {
  onEvent?: See | undefined;
  /** Whether it looks at headers or bodies. Default true. */
  eventDetails?: boolean;
  /** Whether --header and --query are for every call. Default true. */
  everyCall?: boolean;
}

/** How the connection behaves, as the options of connect, check, request and read say: the word of whoever runs the command. */
export async function behaviourOptions(
  args: Arguments,
  io: Io,
  { onEvent, eventDetails = true, everyCall = true }: BehaviourOptions = {},
): Promise<Pick<ConnectionOptions, 'network' | 'retry' | 'timeout' | 'throttle' | 'onEvent' | 'eventDetails'>> {
  const timeout = duration('timeout', args.text('timeout'));
  const throttle = args.text('throttle');
  const watching = await watchers(args, io);
  const seen = [onEvent, ...watching].filter((one) => one !== undefined);
  return {
    network: { ...(await networkOptions(args, io)), ...(everyCall && addedOptions(args)) },
    retry: retryOptions(args),
    ...(timeout !== undefined && { timeout: { total: timeout } }),
    ...(throttle !== undefined && { throttle: throttled(throttle) }),
    ...(seen.length > 0 && { onEvent: (event) => seen.forEach((see) => void see(event)) }),
    eventDetails: (onEvent !== undefined && eventDetails) || watching.length > 0,
  };
}

/** --trace and --log. */
async function watchers(args: Arguments, io: Io): Promise<See[]> {
  const log = args.text('log');
  const verbosity = args.text('verbosity');
  if (verbosity !== undefined && log === undefined) throw new FerruleError('usage', '--verbosity says how much goes to --log FILE');
  const trace = args.flag('trace') ? [(await import('./trace.ts')).tracer(io)] : [];
  if (log === undefined) return trace;
  const { eventLog } = await import('../engine/event-log.ts');
  return [...trace, eventLog(pathOf(io, log), (verbosity === undefined ? 3 : Number(verbosity)) as 1 | 2 | 3 | 4 | 5)];
}

async function networkOptions(args: Arguments, io: Io): Promise<NetworkOptions> {
  const proxy = args.text('proxy');
  const ca = args.text('ca') ?? (io.env.FERRULE_CA || undefined);
  const certificate = args.text('certificate');
  const key = args.text('key');
  const prefix = args.text('authorization-prefix');
  if ((certificate === undefined) !== (key === undefined)) throw new FerruleError('usage', '--certificate and --key go together');
  return {
    // A proxy's address may hold a password.
    ...(proxy !== undefined && { proxy: new Secret(proxy) }),
    ...(ca !== undefined && { ca: await pem('--ca', ca, io) }),
    ...(certificate !== undefined && { certificate: await pem('--certificate', certificate, io) }),
    ...(key !== undefined && { key: new Secret(await pem('--key', key, io)) }),
    ...(prefix !== undefined && { authorizationPrefix: `${prefix.trim()} `.trimStart() }),
    ...(args.flag('allow-private') && { allowPrivateAddresses: true }),
    ...(args.flag('allow-loopback') && { allowLoopbackAddresses: true }),
  };
}

/** --header and --query. `request` has them for its one call. */
function addedOptions(args: Arguments): NetworkOptions {
  // Either may hold a key: nothing of them is shown.
  const headers = args.texts('header').map((text) => {
    const [name, value] = headerLine(text);
    return [name, new Secret(value)] as const;
  });
  const query = Object.fromEntries(Object.entries(args.pairs('query')).map(([name, value]) => [name, new Secret(value)]));
  return {
    ...(headers.length > 0 && { headers: Object.fromEntries(headers) }),
    ...(Object.keys(query).length > 0 && { query }),
  };
}

async function pem(option: string, path: string, io: Io): Promise<string> {
  return await readFile(pathOf(io, path), 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new FerruleError('input_malformed', `${option}: ${path} cannot be read (${cause.code ?? 'unreadable'})`, {
      where: option,
      next: 'Pass a PEM file.',
      cause,
    });
  });
}

function retryOptions(args: Arguments): RetryOptions {
  const countMax = args.count('retries');
  const statuses = args.text('retry-statuses');
  const wait = args.text('retry-wait');
  return {
    ...(countMax !== undefined && { countMax }),
    ...(statuses !== undefined && { mode: 'RetryWhenStatusCodeMatch' as const, statuses: statusList(statuses) }),
    ...(wait !== undefined && { multiplyWaitTime: wait === 'growing' }),
  };
}

function statusList(text: string): number[] {
  const list = text.split(/[|,\s]+/);
  if (list.every((status) => /^[1-5]\d\d$/.test(status))) return list.map(Number);
  throw new FerruleError('usage', '--retry-statuses wants HTTP statuses, as in 429,503');
}

function duration(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = parseDuration(text);
  if (value !== undefined && value > 0) return value;
  throw new FerruleError('usage', `--${option} wants a duration such as 500ms, 30s or 5m, not "${text}"`);
}

function throttled(text: string): { requests: number; per: number } {
  const [, count, span] = /^(\d+)\/(.+)$/.exec(text) ?? [];
  const requests = Number(count ?? 0);
  const per = span === undefined ? undefined : parseDuration(/^\d/.test(span) ? span : `1${span}`);
  if (requests > 0 && per !== undefined && per > 0) return { requests, per };
  throw new FerruleError('usage', `--throttle wants requests and a time, as in 5/1s, not "${text}"`);
}
