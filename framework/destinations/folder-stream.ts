import { syncFolder } from '../core/atomic-write.ts';
import type { FerruleError } from '../core/errors.ts';
import { reached } from '../core/moment.ts';
import type { SinkOptions, SinkStream, StreamSink } from '../core/sink.ts';
import { committing } from './committing.ts';
import { outputFailed, unreadable } from './output-failure.ts';
import { pathOf } from './row-file.ts';
import { type Picture, type RowFormat, type RowPlace, type RowSet, settled } from './rows.ts';
import { openState, readState, type StateContents } from './state-file.ts';

/** A folder with its lock, as its streams see it. */
export interface FolderPlace {
  folder: string;
  format: RowFormat;
  options: SinkOptions;
  /** False: another process took the lock over. */
  isHeld(): Promise<boolean>;
  /** Where the state of a stream is. */
  statePath(stream: string): string;
}

/** A stream and what its state is; undefined once it can be written to no more. */
export interface OpenStream {
  sink: StreamSink;
  contents(): StateContents | undefined;
}

/** Under this name rows wait that will take the place of others. */
const WAITING = '.new';

/**
 * Opens one stream of a folder, and brings it in line with what was committed last. `onClose` is called when it is closed.
 *
 * Exactly once: rows are appended and flushed, then a line of the state file, which says how much of them there is and what the state is
 * now, is appended and flushed. What the last whole line does not count is cut off when the stream is opened again. What has to be
 * renamed (rows of an overwrite, a file with a wider head) is complete beside its place when the line is written, and the line
 * names it: whoever opens the stream and still finds it there ends the renaming.
 * @throws FerruleError output_failed, output_unreadable
 */
export async function openStream(place: FolderPlace, stream: SinkStream, onClose: () => void): Promise<OpenStream> {
  const { folder, format } = place;
  const main: RowPlace = { folder, name: format.nameOf(stream.name) };
  const waiting: RowPlace = { folder, name: main.name + WAITING };
  try {
    const former = await restored(place, stream.name, main, waiting);
    const picture = begin(former?.rows, stream);
    const state = await openState(place.statePath(stream.name), format.type, former);
    try {
      await state.append(picture, stream.state);
      reached('sink_opened');
      await state.tidy();
      // Of a read that has been given up, or of an earlier mode.
      if (picture.next === undefined || picture.next.length === 0) await format.remove(waiting);
      const target = picture.next === undefined ? main : waiting;
      const writer = await format.open(target, picture.next ?? picture.main, stream, place.options);
      // A file that a power cut made disappear would be shorter than its state says.
      await syncFolder(folder).catch(async (error: unknown) => {
        await writer.close();
        throw error;
      });
      return committing({ ...place, stream, main, waiting, picture, state, writer, onClose });
    } catch (error) {
      await state.close();
      throw error;
    }
  } catch (error) {
    throw outputFailed(pathOf(main), error, 'Opening');
  }
}

/** What was committed, once the rows are in line with it. */
async function restored(place: FolderPlace, stream: string, main: RowPlace, waiting: RowPlace): Promise<StateContents | undefined> {
  const { format } = place;
  const found = await readState(place.statePath(stream));
  if (found !== undefined) sameType(found, place, stream);
  if (found?.rows === undefined) {
    if (await format.holds(main)) throw notOurs(pathOf(main));
    return found;
  }
  await format.restore(main, found.rows.main);
  if (found.rows.next !== undefined) await format.restore(waiting, found.rows.next);
  return found;
}

/** What a new read begins with. */
function begin(former: Picture | undefined, { mode, resumes }: SinkStream): Picture {
  const empty: RowSet = { length: 0 };
  const main = settled(former?.main ?? empty);
  return mode === 'overwrite' ? { main, next: settled((resumes ? former?.next : undefined) ?? empty) } : { main };
}

/** Rows of one kind and the state of another would not be one. @throws FerruleError output_unreadable */
export function sameType({ type }: StateContents, { format, folder, statePath }: FolderPlace, stream: string): void {
  if (type === format.type) return;
  throw unreadable(
    statePath(stream),
    `The folder ${folder} holds the stream ${stream} as ${type}, not as ${format.type}.`,
    `Write to another folder, or as ${type}.`,
  );
}

const notOurs = (path: string): FerruleError =>
  unreadable(path, `${path} is there already, and no state says that Ferrule wrote it.`, 'Choose another folder, or move it away.');
