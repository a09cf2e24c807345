import { assertEpoch, type Db, type NewBlobEntry, putBlobEntries, putPackageTypes } from "../../db/index.ts";
import type { PackedBundle } from "../../types/index.ts";

export interface BlobNote extends NewBlobEntry {
  /** `name@version`, for whoever is told that it is noted. */
  label: string;
  types: PackedBundle;
}

/** Writes the rows of blobs whose bytes are durable, each with its declarations. */
export interface BlobNotes {
  /** Soon, with others; waits when many are waiting. */
  add(note: BlobNote): Promise<void>;
  /** Resolves when all that were added have their row. Throws what `onFailed` was told, `E_FENCED` say: nothing is written after that. */
  settle(): Promise<void>;
}

export interface BlobNotesOptions {
  db: Db;
  store: string;
  epoch: number;
  onNoted(note: BlobNote): void;
  onFailed(error: unknown): void;
}

/** What a crash costs is fetched once more. */
const everyMs = 100;
const perTransaction = 64;

/** Several rows in one transaction: on the embedded database, a transaction for each blob took half of a cold install. */
export function createBlobNotes({ db, store, epoch, onNoted, onFailed }: BlobNotesOptions): BlobNotes {
  let waiting: BlobNote[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let writing: Promise<void> = Promise.resolve();

  const write = async (notes: readonly BlobNote[]): Promise<void> => {
    await db.transaction(async (tx) => {
      await assertEpoch(tx, epoch);
      await putBlobEntries(tx, store, notes);
      await putPackageTypes(
        tx,
        notes.map(({ key, types }) => ({ blobKey: key, bundleKey: types.key, content: types.content })),
      );
    });
    for (const note of notes) onNoted(note);
  };
  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const notes = waiting;
    waiting = [];
    if (notes.length > 0) {
      writing = writing.then(() => write(notes));
      writing.catch(onFailed);
    }
    return writing;
  };
  return {
    async add(note) {
      waiting.push(note);
      timer ??= setTimeout(flush, everyMs);
      if (waiting.length >= perTransaction) await flush();
    },
    settle: flush,
  };
}
