import type { BigIntegers } from '../core/json.ts';
import type { Json, Response } from '../core/value.ts';
import { decodeBody, decodeLeniently } from './decode.ts';
import type { Shown } from './trace.ts';
import type { WireResponse } from './transport.ts';
import type { CallResult, Decode } from './types.ts';

/** Everything but the body is known; that is decoded when somebody asks, and as they ask. Cookies and URL, too, wait until somebody looks. */
export class Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly bytes: Buffer;
  readonly attempts: number;
  /** A rule said that it stands for "no records". */
  empty = false;
  readonly #source: AnswerSource;
  readonly #setCookie: string | string[] | undefined;

  constructor(wire: WireResponse & { bytes: Buffer }, source: AnswerSource) {
    this.status = wire.status;
    this.headers = source.headers;
    this.bytes = wire.bytes;
    this.attempts = source.attempts;
    this.#source = source;
    this.#setCookie = wire.headers['set-cookie'];
  }

  get cookies(): Record<string, string> {
    return cookiesOf(this.#setCookie);
  }

  get url(): string {
    const { shown, href, bare } = this.#source;
    return shown.url(href, bare);
  }

  /** Throws response_malformed or number_too_large. */
  decode(as: Decode = 'json'): Json {
    if (this.empty) return null;
    const { status, headers, bytes } = this;
    const { bigIntegers, where, shown } = this.#source;
    return decodeBody(bytes, {
      decode: as,
      bigIntegers,
      contentType: headers['content-type'],
      status,
      where,
      excerpt: shown.answerExcerpt,
    });
  }

  /** For judging: JSON when it is some, else text. */
  leniently(): Response {
    const { status, headers, cookies, bytes, url } = this;
    return { status, headers, cookies, bytes, url, body: decodeLeniently(bytes, headers['content-type']) };
  }

  withBody(body: Json): CallResult {
    const answer = this;
    return {
      status: this.status,
      headers: this.headers,
      get cookies() {
        return answer.cookies;
      },
      body,
      bytes: this.bytes,
      get url() {
        return answer.url;
      },
      empty: this.empty,
      attempts: this.attempts,
    };
  }
}

export interface AnswerSource {
  /** Lower-case names, one text each. */
  headers: Record<string, string>;
  href: string;
  bare: boolean;
  attempts: number;
  where: () => string;
  shown: Shown;
  bigIntegers: BigIntegers;
}

/** RFC 6265 section 5.2: name and value; attributes are of no use to a caller who sends cookies by name. */
function cookiesOf(header: string | string[] | undefined): Record<string, string> {
  const result: Record<string, string> = {};
  for (const line of header === undefined ? [] : [header].flat()) {
    const [pair = ''] = line.split(';', 1);
    const at = pair.indexOf('=');
    if (at > 0) result[pair.slice(0, at).trim()] = pair.slice(at + 1).trim();
  }
  return result;
}
