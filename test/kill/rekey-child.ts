// A process of its own for rekey.ts: rekey-child FOLDER MOMENT NTH seals the store anew and is killed when that moment comes for the nth time.
import { onMoment } from '../../framework/core/moment.ts';
import { encryptedFileStore } from '../../framework/credentials/encrypted-file.ts';

const [folder, wanted, nth] = process.argv.slice(2);
let left = Number(nth);
onMoment((moment) => {
  if (moment !== wanted) return;
  left -= 1;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
});
await encryptedFileStore({ folder: folder!, env: {} }).rekey();
