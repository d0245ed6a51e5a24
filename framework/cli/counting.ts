import type { ClientEvent } from '../http/types.ts';

/** How much went over the wire, from the client's events. */
export class Traffic {
  requests = 0;
  retries = 0;
  /** Bodies of answers. */
  bytes = 0;

  readonly see = (event: ClientEvent): void => {
    if (event.type === 'request') this.requests += 1;
    if (event.type === 'retry') this.retries += 1;
    if (event.type === 'response') this.bytes += event.bytes;
  };

  /** The counts so far, to subtract from later ones. */
  mark(): { requests: number; retries: number; bytes: number } {
    const { requests, retries, bytes } = this;
    return { requests, retries, bytes };
  }

  since({ requests, retries, bytes }: ReturnType<Traffic['mark']>): ReturnType<Traffic['mark']> {
    return { requests: this.requests - requests, retries: this.retries - retries, bytes: this.bytes - bytes };
  }
}
