import { FerruleError } from '../core/errors.ts';
import type { Connections } from './postgres-connections.ts';
import type { Tables } from './postgres-tables.ts';

/** The row as it was when the lease was taken. */
export interface Taken {
  sealed: Buffer | undefined;
  version: number;
}

interface Mine extends Taken {
  name: string;
  fence: string;
}

/** A credential that is ours until `release`. Each write holds only while the fence does; done twice it is the same, so a broken connection is tried again. */
export class Lease {
  readonly taken: Taken;
  readonly release: (drop: boolean) => Promise<void>;
  readonly #connections: Connections;
  readonly #table: string;
  readonly #mine: Mine;
  readonly #row = 'name = $1 AND fence = $2';
  #last: Promise<unknown> = Promise.resolve();

  constructor(connections: Connections, tables: Tables, mine: Mine, release: (drop: boolean) => Promise<void>) {
    this.#connections = connections;
    this.#table = tables.credentials;
    this.#mine = mine;
    this.taken = { sealed: mine.sealed, version: mine.version };
    this.release = release;
  }

  /** `version` is the new one. */
  keep(sealed: Buffer, version: number): Promise<void> {
    const row = `${this.#row} AND version = $3::bigint`;
    const done = { text: `SELECT 1 FROM ${this.#table} WHERE ${row} AND sealed = $4`, values: [version, sealed] };
    const seen = `${this.#row} AND version = $3::bigint - 1`;
    return this.#inTurn(async () => {
      await this.#write(`UPDATE ${this.#table} SET version = $3::bigint, sealed = $4 WHERE ${seen}`, [version, sealed], done);
      this.#mine.version = version;
    });
  }

  /** null drops it. */
  note(noted: Buffer | null): Promise<void> {
    const text = `UPDATE ${this.#table} SET noted = $4 WHERE ${this.#row} AND version = $3`;
    return this.#inTurn(() => this.#write(text, [this.#mine.version, noted]));
  }

  /** The same content under another key. */
  reseal(sealed: Buffer, noted: Buffer | null): Promise<void> {
    const text = `UPDATE ${this.#table} SET sealed = $4, noted = $5 WHERE ${this.#row} AND version = $3`;
    return this.#inTurn(() => this.#write(text, [this.#mine.version, sealed, noted]));
  }

  erase(): Promise<void> {
    const text = `UPDATE ${this.#table} SET version = 0, sealed = NULL, noted = NULL WHERE ${this.#row} AND version IN ($3, 0)`;
    return this.#inTurn(async () => {
      await this.#write(text, [this.#mine.version]);
      this.#mine.version = 0;
    });
  }

  async noted(): Promise<Buffer | undefined> {
    const { rows } = await this.#connections.read(`SELECT noted FROM ${this.#table} WHERE name = $1`, [this.#mine.name]);
    return (rows[0]?.noted as Buffer | null | undefined) ?? undefined;
  }

  /** One write after the other: each names the version that the one before it left. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(work);
    // Its failure is its caller's.
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** `done` finds the row when an earlier try, whose answer was lost with its connection, did it. */
  async #write(text: string, values: unknown[], done?: { text: string; values: unknown[] }): Promise<void> {
    const own = [this.#mine.name, this.#mine.fence];
    await this.#connections.persist(async () => {
      if ((await this.#connections.write(text, [...own, ...values])).count === 1) return;
      if (done && (await this.#connections.read(done.text, [...own, ...done.values])).count === 1) return;
      throw this.#lost();
    });
  }

  #lost(): FerruleError {
    return new FerruleError(
      'store_locked',
      `The lease of credential "${this.#mine.name}" went to another process while this one had no connection; nothing was written.`,
      {
        where: this.#connections.where,
        next: 'Try again. What the other process wrote is kept.',
      },
    );
  }
}
