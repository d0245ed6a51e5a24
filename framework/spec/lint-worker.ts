import { parentPort } from 'node:worker_threads';
import { isFerruleError } from '../core/errors.ts';
import { lintLoaded } from './lint.ts';
import type { WorkerAnswer, WorkerTask } from './lint-threads.ts';
import { loadText } from './load.ts';
import { specBytes } from './spec-file.ts';

// The parser asks process.env at every token, which is a call out of JavaScript; a plain object costs a tenth of lint less.
process.env = { ...process.env };

/** One thread of lint: takes batches of files until there are none. */
const port = parentPort;
port?.on('message', (task: WorkerTask) => {
  if (task === undefined) {
    port.close();
    return;
  }
  port.postMessage(lintBatch(task));
});

function lintBatch({ from, files }: NonNullable<WorkerTask>): WorkerAnswer {
  const findings = [];
  for (const file of files) {
    let bytes: Uint8Array;
    try {
      bytes = specBytes(file);
    } catch (error) {
      if (!isFerruleError(error)) throw error;
      return { unreadable: { message: error.message, where: file } };
    }
    findings.push(lintLoaded(loadText(bytes, file)));
  }
  return { from, findings };
}
