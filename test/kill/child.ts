/**
 * A process that uses a stored credential until it is killed. Orders come as messages:
 * `kill` says at which occurrence of which moment it ends itself, as kill -9 would; `go` sends one request, `renew` renews.
 */
import { type Moment, onMoment } from '../../framework/core/moment.ts';
import type { SpecDocument } from '../../framework/core/spec-types.gen.ts';
import { connectStored } from '../../framework/engine/connect.ts';
import { type StoreAddress, storeAt } from './store.ts';

export interface ChildOptions {
  store: StoreAddress;
  /** Loaded already: a process that is to be killed need not read YAML. */
  spec: SpecDocument;
}

export type Order = { kill: Moment; occurrence: number } | { go: number } | { renew: number };

/** What a request brought: its answer, or an error's code. */
export type Done = { done: number; answer: unknown } | { done: number; failed: string };

const { store: address, spec } = JSON.parse(process.argv[2] ?? '') as ChildOptions;
const store = await storeAt(address);
const connection = await connectStored(spec, 'work', { store, rateLimits: false });

async function act(order: Order): Promise<void> {
  if ('kill' in order) {
    let left = order.occurrence;
    onMoment((moment) => {
      if (moment === order.kill && --left === 0) process.kill(process.pid, 'SIGKILL');
    });
    return;
  }
  const done = 'go' in order ? order.go : order.renew;
  try {
    if ('renew' in order) await connection.renew();
    const answer = 'go' in order ? await connection.http.get('me').json() : {};
    process.send!({ done, answer } satisfies Done);
  } catch (error) {
    process.send!({
      done,
      failed: error instanceof Error ? `${(error as { code?: string }).code}: ${error.message}` : String(error),
    } satisfies Done);
  }
}

process.on('message', (order: Order) => void act(order));
process.on('disconnect', () => process.exit(0));
process.send!({ ready: true });
