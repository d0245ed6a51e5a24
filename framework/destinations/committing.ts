import { syncFolder } from '../core/atomic-write.ts';
import { FerruleError } from '../core/errors.ts';
import { reached } from '../core/moment.ts';
import type { Packed, SinkChange, SinkStream, StateChange } from '../core/sink.ts';
import type { JsonObject } from '../core/value.ts';
import type { FolderPlace, OpenStream } from './folder-stream.ts';
import { outputFailed } from './output-failure.ts';
import { pathOf } from './row-file.ts';
import { type Picture, type RowPlace, type RowWriter, settled } from './rows.ts';
import type { StateFile } from './state-file.ts';

/** A stream of a folder once it is in line with its state. */
export interface Ready extends FolderPlace {
  stream: SinkStream;
  main: RowPlace;
  /** Where the rows of an overwrite wait. */
  waiting: RowPlace;
  picture: Picture;
  state: StateFile;
  writer: RowWriter;
  onClose(): void;
}

/** Commits rows and state of one stream as one; see folder-stream.ts for how. */
export function committing(ready: Ready): OpenStream {
  const { stream, main, waiting, state, writer, options, folder } = ready;
  const path = pathOf(main);
  const written = { records: 0, bytes: 0 };
  let { picture } = ready;
  /** What each further use fails with. */
  let stopped: FerruleError | undefined;
  let closed = false;

  /** `place` puts rows where they belong; when it throws all is as before. */
  async function commitAs(
    next: Picture,
    change: StateChange,
    how: { renames: boolean; last: boolean },
    place: () => Promise<void>,
  ): Promise<void> {
    try {
      await state.append(next, change);
      await place();
    } catch (error) {
      // First the line that counts the rows, then the rows: a line that cannot be taken back must find them.
      const undone = await state.undo().then(
        () => true,
        () => false,
      );
      if (undone) await writer.undo().catch(leftForOpening);
      throw error;
    }
    picture = next;
    // Before the next line, which will not name what was renamed.
    if (how.renames) await syncFolder(folder);
    await state.tidy(how.last);
  }

  async function write(
    records: readonly JsonObject[],
    change: StateChange,
    packed: readonly Packed[] = [],
    last = false,
  ): Promise<readonly SinkChange[]> {
    const before = picture.next ?? picture.main;
    const staged = await writer.stage(records, packed).catch(async (error: unknown) => {
      await writer.undo().catch(leftForOpening);
      throw error;
    });
    if (staged.rows.length === before.length && Object.keys(change).length === 0) return [];
    const next = picture.next === undefined ? { main: staged.rows } : { main: settled(picture.main), next: staged.rows };
    await commitAs(next, change, { renames: staged.rows.from !== undefined, last }, () => writer.settle());
    written.records += packed.reduce((sum, one) => sum + one.records, records.length);
    written.bytes += staged.rows.length - before.length;
    return staged.changes;
  }

  async function overwrite(change: StateChange): Promise<void> {
    await write([], {});
    const whole: Picture = { main: { ...picture.next!, from: waiting.name } };
    await commitAs(whole, change, { renames: true, last: true }, async () => {
      reached('sink_before_replace');
      await ready.format.replace(waiting, main);
      reached('sink_replaced');
    });
    stopped = new FerruleError('internal', `The stream ${stream.name} was finished; nothing can be added to it.`, { where: path });
  }

  /** Whatever fails but a record ends the use of this stream: it is brought in line when it is opened again. */
  async function guarded<T>(work: () => Promise<T>): Promise<T> {
    if (stopped !== undefined) throw stopped;
    try {
      if (!(await ready.isHeld())) throw lockLost(folder);
      return await work();
    } catch (error) {
      const failure = outputFailed(path, error);
      if (failure.code !== 'record_refused') stopped = failure;
      throw failure;
    }
  }

  return {
    contents: () => (stopped === undefined ? state.contents : undefined),
    sink: {
      ...(writer.pack && { pack: writer.pack }),
      ...(writer.packVerbatim && { packVerbatim: writer.packVerbatim }),
      async commit({ records, packed, state: change }) {
        const changes = await guarded(() => write(records, change, packed));
        for (const one of changes) options.onChange?.(one);
      },
      async finish(change) {
        await guarded<unknown>(() => (picture.next === undefined ? write([], change, [], true) : overwrite(change)));
      },
      get totals() {
        return { ...written, place: path };
      },
      async close() {
        if (closed) return;
        closed = true;
        ready.onClose();
        stopped ??= new FerruleError('output_failed', `${path} is closed already.`, { where: path });
        try {
          await writer.close();
          await state.close();
        } catch (error) {
          throw outputFailed(path, error, 'Closing');
        }
      },
    },
  };
}

/** The error that led here says more; whoever opens the stream next takes away what could not be taken away now. */
const leftForOpening = (): void => undefined;

const lockLost = (folder: string): FerruleError =>
  new FerruleError('output_locked', `The lock of ${folder} was taken over by another process, or removed.`, {
    where: folder,
    next: 'Let the other process finish, then run again.',
  });
