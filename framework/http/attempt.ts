import type { Random } from '../core/clock.ts';
import type { Json, RequestDraft } from '../core/value.ts';
import { type EncodedContent, encodeDraftBody } from './draft.ts';
import type { Run } from './run.ts';
import type { Attempt } from './types.ts';

const NO_BYTES = new Uint8Array();

interface AttemptEnv {
  now: number;
  random: Random;
  connection: Record<string, Json> | undefined;
}

/** One attempt as auth sees it. What most auth never asks for is made when it is asked for. */
export class AuthAttempt implements Attempt {
  readonly number: number;
  readonly url: URL;
  readonly now: number;
  readonly #run: Run;
  readonly #draft: RequestDraft;
  readonly #payload: Uint8Array | undefined;
  readonly #random: Random;
  readonly connection: Record<string, Json> | undefined;
  #uuid: string | undefined;
  #content: EncodedContent | undefined;
  #encoded = false;

  constructor(call: { run: Run; payload: Uint8Array | undefined }, draft: RequestDraft, url: URL, env: AttemptEnv) {
    const { run, payload } = call;
    const { now, random, connection } = env;
    this.number = run.sent;
    this.connection = connection;
    this.url = url;
    this.now = now;
    this.#run = run;
    this.#draft = draft;
    this.#payload = payload;
    this.#random = random;
  }

  get uuid(): string {
    this.#uuid ??= this.#random.uuid();
    return this.#uuid;
  }

  get signal(): AbortSignal {
    return this.#run.signal;
  }

  get body(): Attempt['body'] {
    const content = this.contentOf(this.#draft);
    const bytes = content?.bytes ?? NO_BYTES;
    return { bytes: typeof bytes === 'string' ? Buffer.from(bytes) : bytes, contentType: content?.contentType };
  }

  /** What is sent: encoded once, since a multipart boundary is another one each time and a signature covers it. */
  contentOf(draft: RequestDraft): EncodedContent | undefined {
    if (this.#payload) return { bytes: this.#payload, contentType: undefined };
    if (draft.body !== this.#draft.body) return encodeDraftBody(draft, this.#random);
    if (!this.#encoded) this.#content = encodeDraftBody(draft, this.#random);
    this.#encoded = true;
    return this.#content;
  }
}
