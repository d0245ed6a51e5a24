import type { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import type { Json } from '../core/value.ts';

/** One connection to the server, for auth that proves itself to a connection rather than with each request (NTLM). */
export interface Channel {
  /** What auth knows of this connection. */
  memory: Record<string, Json>;
  /** Agents of one socket each. */
  agents: { http: HttpAgent; https: HttpsAgent; mapped: HttpAgent };
}

/** Connections that wait for a request. A request has one for itself until its answer is read: a second one between the legs of a handshake would break it. */
export class Channels {
  readonly #make: () => Channel;
  readonly #idle: Channel[] = [];

  constructor(make: () => Channel) {
    this.#make = make;
  }

  take(): Channel {
    return this.#idle.pop() ?? this.#make();
  }

  giveBack(channel: Channel): void {
    this.#idle.push(channel);
  }
}
