import { Worker } from 'node:worker_threads';
import { FerruleError } from '../core/errors.ts';
import type { Finding } from '../core/finding.ts';

export type WorkerTask = { from: number; files: string[] } | undefined;
export type WorkerAnswer = { from: number; findings: Finding[][] } | { unreadable: { message: string; where: string } };

/** Small enough that all threads end together, large enough that messages are few. */
const BATCH = 10;
/**
 * Runs a worker script over files, `count` threads at a time, and gives its findings per file in the order of the files.
 * Each thread takes a batch, answers and takes the next.
 */
export async function inThreads(files: readonly string[], count: number, script: URL): Promise<Finding[][]> {
  const results: Finding[][] = new Array(files.length);
  let next = 0;
  const feed = (worker: Worker): void => {
    const from = next;
    next = Math.min(files.length, from + BATCH);
    worker.postMessage(from < files.length ? { from, files: files.slice(from, next) } : undefined);
  };
  const thread = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(script);
      worker.on('message', (answer: WorkerAnswer) => {
        if ('unreadable' in answer) {
          next = files.length;
          reject(new FerruleError('spec_unreadable', answer.unreadable.message, { where: answer.unreadable.where }));
          feed(worker);
          return;
        }
        for (const [at, findings] of answer.findings.entries()) results[answer.from + at] = findings;
        feed(worker);
      });
      worker.on('error', reject);
      worker.on('exit', () => resolve());
      feed(worker);
    });
  await Promise.all(Array.from({ length: Math.min(count, Math.ceil(files.length / BATCH)) }, thread));
  return results;
}
