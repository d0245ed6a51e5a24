// A process of its own for lock.test.ts and rekey.test.ts: count-up FOLDER TIMES adds one that often; count-up FOLDER hold takes the lock and
// never ends; count-up FOLDER put stops itself, with the lock of a new name, when it is about to write;
// count-up FOLDER log writes 200 uses down.
import { writeSync } from 'node:fs';
import { onMoment } from '../../../framework/core/moment.ts';
import { encryptedFileStore } from '../../../framework/credentials/encrypted-file.ts';
import { sampleCredential } from './store-contract.ts';

const [folder, what] = process.argv.slice(2);
const store = encryptedFileStore({ folder: folder!, env: {} });
if (what === 'log') {
  for (let i = 0; i < 200; i++)
    await store.logUse({ at: '', action: 'opened', credential: `${i}`.padEnd(150), by: `${process.pid}`, outcome: 'ok' });
}
if (what === 'put') {
  onMoment((moment) => {
    if (moment !== 'before_write') return;
    writeSync(1, 'stopped\n');
    process.kill(process.pid, 'SIGSTOP');
  });
  await store.put(sampleCredential('late'));
}
if (what === 'hold') {
  await store.update('shared', async () => {
    process.stdout.write('held\n');
    return new Promise(() => setInterval(() => {}, 1000));
  });
}
for (let i = 0; i < Number(what); i++) {
  await store.update('shared', async (current) => ({ ...current, expires: { n: current.expires.n! + 1 } }));
}
