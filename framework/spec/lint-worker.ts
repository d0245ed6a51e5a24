import { readFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { lintLoaded } from './lint.ts';
import type { WorkerAnswer, WorkerTask } from './lint-threads.ts';
import { loadText } from './load.ts';

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
      bytes = readFileSync(file);
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? 'unreadable';
      return { unreadable: { message: `${file} cannot be read (${reason})`, where: file } };
    }
    findings.push(lintLoaded(loadText(bytes, file)));
  }
  return { from, findings };
}
