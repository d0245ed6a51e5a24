import type { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import type { Json } from '../core/value.ts';

/** One connection to the server, for auth that proves itself to a connection rather than with each request (NTLM). */
export interface Channel {
  /** What auth knows of this connection. */
  memory: Record<string, Json>;
  /** Of one socket each. */
  agents: Agents;
}

/** `mapped`: to the sandbox's own address; `tunnel`: through a proxy, where there is one. */
export interface Agents {
  http: HttpAgent;
  https: HttpsAgent;
  mapped: HttpAgent;
  tunnel: HttpsAgent | undefined;
}

export function destroy(agents: Agents): void {
  for (const agent of Object.values(agents)) agent?.destroy();
}

/** Connections that wait for a request. A request has one for itself until its answer is read: a second one between the legs of a handshake would break it. */
export class Channels {
  readonly #make: () => Channel;
  readonly #open = new Set<Channel>();
  readonly #idle: Channel[] = [];

  constructor(make: () => Channel) {
    this.#make = make;
  }

  take(): Channel {
    const channel = this.#idle.pop() ?? this.#make();
    this.#open.add(channel);
    return channel;
  }

  giveBack(channel: Channel): void {
    this.#idle.push(channel);
  }

  /** One on which something failed: who is let in on it, and by what, is no longer known. */
  drop(channel: Channel): void {
    this.#open.delete(channel);
    destroy(channel.agents);
  }

  close(): void {
    for (const channel of this.#open) this.drop(channel);
  }
}
