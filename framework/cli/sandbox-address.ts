import { FerruleError } from '../core/errors.ts';
import { urlOf } from '../core/url.ts';

/** What a running sandbox says of itself at /__sandbox. */
export interface RunningSandbox {
  connector: string;
  addresses: Record<string, string>;
  inputs: { method: string; choices: Record<string, string>; fields: Record<string, string> };
}

/** What its inputs are wanted for. */
interface Wanted {
  connector: string;
  method: string | undefined;
  choices: Record<string, string>;
}

/** Asks the sandbox that `ferrule sandbox` runs at this address; only this machine's own addresses are asked. */
export async function runningSandbox(
  address: string,
  { connector, method, choices }: Wanted,
  signal: AbortSignal,
): Promise<RunningSandbox> {
  const url = urlOf(address);
  if (url?.protocol !== 'http:' || !['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname)) {
    throw new FerruleError('usage', '--sandbox wants the address that `ferrule sandbox` prints, such as http://127.0.0.1:8100');
  }
  const asked = new URLSearchParams({ ...choices, ...(method !== undefined && { method }) });
  const answer = await fetch(new URL(`/__sandbox?${asked}`, url), { signal, redirect: 'error' }).catch(() => undefined);
  const said = (await answer?.json().catch(() => undefined)) as (Partial<RunningSandbox> & { message?: unknown }) | undefined;
  if (answer?.status === 400 && typeof said?.message === 'string') throw new FerruleError('input_unknown', said.message);
  if (said?.addresses === undefined || said.inputs === undefined) {
    throw new FerruleError('connection_failed', `No sandbox answers at ${url.origin}`, {
      where: url.origin,
      next: 'Start one with `ferrule sandbox <connector>` and pass the address that it prints.',
    });
  }
  if (said.connector !== undefined && said.connector !== connector) {
    throw new FerruleError('usage', `The sandbox at ${url.origin} stands in for ${said.connector}, not for ${connector}`, {
      where: url.origin,
      next: `Start one with \`ferrule sandbox ${connector}\`.`,
    });
  }
  return { connector, addresses: said.addresses, inputs: said.inputs };
}
