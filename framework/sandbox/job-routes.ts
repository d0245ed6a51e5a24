import type { ResolvedCall, ResolvedStream } from '../core/resolved.ts';
import type { Capture } from '../core/spec-types.gen.ts';
import { splitText } from './reading.ts';
import type { View } from './view.ts';

/** The calls of a stream that is read by a job. */
export type JobPart = 'create' | 'poll' | 'download' | 'cancel' | 'clean_up';

/** Each call as it arrives. One whose whole address was captured goes where the sandbox says: that is an address of its own. */
export function jobCalls(stream: ResolvedStream, view: View): { part: JobPart; call: ResolvedCall }[] {
  const { job } = stream;
  if (job === undefined) return [];
  const parts = { create: job.create, poll: job.poll, download: job.download, cancel: job.cancel, clean_up: job.clean_up };
  return (Object.entries(parts) as [JobPart, ResolvedCall | undefined][]).flatMap(([part, call]) => {
    if (call === undefined) return [];
    const captured = addressIn(call);
    if (captured === undefined) return [{ part, call }];
    // The result of a job lies elsewhere, and needs no credential.
    return part === 'download' ? [] : [{ part, call: { ...call, url: ownAddress(view, stream, captured, '${job.key}') } }];
  });
}

/** The capture that a call's address is, or begins with. */
export function addressIn({ url }: ResolvedCall): string | undefined {
  const [part] = splitText(url);
  const keys = part !== undefined && 'expr' in part && part.expr.type === 'path' ? part.expr.keys : [];
  return keys[0] === 'job' ? keys[1] : undefined;
}

/** Where a captured address of a poll, a cancellation or a clean-up leads. */
export const ownAddress = (view: View, { name }: ResolvedStream, capture: string, key: string): string =>
  `${view.origin}/sandbox-jobs/${name}/${capture}/${key}`;

/** What a capture of a job is for. */
export function captureRole({ job }: ResolvedStream, name: string, { type }: Capture): 'result' | 'address' | 'id' | 'number' {
  if (job?.download !== undefined && addressIn(job.download) === name) return 'result';
  const others = [job?.poll, job?.cancel, job?.clean_up];
  if (others.some((call) => call !== undefined && addressIn(call) === name)) return 'address';
  if (type === 'url') return 'result';
  return type === 'number' ? 'number' : 'id';
}

/** The origin of a job's result: one that the capture allows, else one of the sandbox's own making. */
export function resultOrigin(view: View, { hosts }: Capture): string {
  const [host] = hosts ?? [];
  if (host === 'same') return view.origin;
  return `https://${host === undefined ? `files.${view.resolved.name}.sandbox.invalid` : host.replace(/^\*/, 'sandbox')}`;
}

/** Every capture of a stream's job, those of the poll last. */
export function jobCaptures({ job }: ResolvedStream): [string, Capture][] {
  return [job?.create, job?.poll].flatMap((call) =>
    Object.entries(call?.capture ?? {}).filter((entry): entry is [string, Capture] => entry[1] !== null),
  );
}

/** Origins from which results come. */
export const resultOrigins = (stream: ResolvedStream, view: View): string[] =>
  jobCaptures(stream).flatMap(([name, capture]) => (captureRole(stream, name, capture) === 'result' ? [resultOrigin(view, capture)] : []));

/** Whether a job's result is in its last poll's answer. */
export const inPoll = ({ job }: ResolvedStream): boolean => job !== undefined && job.download === undefined;
