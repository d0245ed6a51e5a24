// A process of its own for lock.test.ts: count-up FOLDER TIMES adds one that often; count-up FOLDER hold takes the lock and never ends.
import { encryptedFileStore } from '../../../framework/credentials/encrypted-file.ts';

const [folder, what] = process.argv.slice(2);
const store = encryptedFileStore({ folder: folder!, env: {} });
if (what === 'hold') {
  await store.update('shared', async () => {
    process.stdout.write('held\n');
    return new Promise(() => setInterval(() => {}, 1000));
  });
}
for (let i = 0; i < Number(what); i++) {
  await store.update('shared', async (current) => ({ ...current, expires: { n: current.expires.n! + 1 } }));
}
