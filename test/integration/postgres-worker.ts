// A process of its own for the tests of the PostgreSQL store; the address, the prefix and the key come from its environment.
//   count TIMES  adds one that often
//   hold         takes the lease of "shared", says "held", and ends it when it reads a line: by keeping, noting and writing, each said with how it ended
//   die MOMENT   is killed at that moment of an update
//   once         puts one credential, and ends by itself, with the store open
import { once } from 'node:events';
import { isFerruleError } from '../../framework/core/errors.ts';
import { onMoment } from '../../framework/core/moment.ts';
import { Secret } from '../../framework/core/secret.ts';
import { postgresStore } from '../../framework/credentials/postgres.ts';
import { canary } from '../canary.ts';
import { sampleCredential } from '../unit/credentials/store-contract.ts';

const [what, times] = process.argv.slice(2);
const store = postgresStore({ url: process.env.STORE_URL!, prefix: process.env.STORE_PREFIX! });

const ended = async (work: () => unknown): Promise<string> => {
  try {
    await work();
    return 'done';
  } catch (error) {
    return isFerruleError(error) ? error.code : String(error);
  }
};

if (what === 'hold') {
  const said: string[] = [];
  const final = await ended(() =>
    store.update('shared', async (current, held) => {
      process.stdout.write('held\n');
      await once(process.stdin, 'data');
      said.push(await ended(() => held.keep({ ...current, scope: 'kept' })));
      const answer = { step: 'token', spent: 'hash', at: 5, answer: new Secret(canary('worker answer')) };
      said.push(await ended(() => held.note(answer)));
      return { ...current, scope: 'written' };
    }),
  );
  process.stdout.write(`${[...said, final].join(' ')}\n`);
  process.exit();
}
if (what === 'die') {
  onMoment((moment) => {
    if (moment === times) process.kill(process.pid, 'SIGKILL');
  });
  await store.update('shared', async (current) => ({ ...current, scope: 'written' }));
}
if (what === 'once') {
  await store.put(sampleCredential(`one of ${process.pid}`));
  process.stdout.write('put\n');
}
for (let i = 0; what === 'count' && i < Number(times); i++) {
  await store.update('shared', async (current) => ({ ...current, expires: { n: current.expires.n! + 1 } }));
}
if (what === 'count') await store.close();
