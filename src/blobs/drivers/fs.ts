import { randomBytes } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type BlobKey, isBlobKey, parseBlobKey } from "../../contract/index.ts";
import { failpoint, syncDirectory, undefinedOn } from "../../lib/index.ts";
import type { BlobStore, ListOptions } from "../blob-store.ts";
import { blobMissing, incomingContent } from "../check-content.ts";
import { fsErrorAt } from "../fs-errors.ts";
import { storedBlob } from "../stored-blob.ts";

const readBytes = 1024 * 1024;
/** A draft that nobody has written to for so long belongs to a process that is gone. */
const draftAgeMs = 3600_000;

/** `<directory>/ab/cd/<key>`: a blob is there by rename, whole and durable; drafts are in `<directory>/incoming`. */
export async function openFsBlobStore(directory: string): Promise<BlobStore> {
  const pathOf = (key: BlobKey) => join(directory, parseBlobKey(key).slice(0, 2), key.slice(2, 4), key);
  const incoming = join(directory, "incoming");
  const sizeOf = async (key: BlobKey) => {
    const info = await undefinedOn(["ENOENT"], stat(pathOf(key)));
    // A disk that was taken away is not a store without blobs.
    if (info === undefined) await stat(incoming);
    return info?.size;
  };
  const translated = async <T>(task: () => Promise<T>): Promise<T> => {
    try {
      return await task();
    } catch (error) {
      throw fsErrorAt(directory, error);
    }
  };
  await translated(async () => {
    await mkdir(incoming, { recursive: true, mode: 0o700 });
    await sweepDrafts(incoming);
  });
  return {
    name: "fs",
    put: (key, content, options) =>
      translated(async () => {
        const path = pathOf(key);
        const draft = join(incoming, `.${randomBytes(8).toString("hex")}.tmp`);
        try {
          const sizeBytes = await writeDraft(draft, incomingContent(key, content, options));
          await failpoint("blob-fs:before-rename");
          await makeShard(directory, dirname(path));
          await rename(draft, path);
          await syncDirectory(dirname(path));
          return { sizeBytes };
        } catch (error) {
          await rm(draft, { force: true });
          throw error;
        }
      }),
    get: (key, options = {}) =>
      translated(async () => {
        const sizeBytes = await sizeOf(key);
        if (sizeBytes === undefined) return undefined;
        return storedBlob(key, sizeBytes, options, (start, end) => readFile(pathOf(key), { key, start, end, directory }));
      }),
    head: (key) =>
      translated(async () => {
        const sizeBytes = await sizeOf(key);
        return sizeBytes === undefined ? undefined : { sizeBytes };
      }),
    delete: (key) =>
      translated(async () => {
        const path = pathOf(key);
        await rm(path, { force: true });
        await undefinedOn(["ENOENT"], syncDirectory(dirname(path)));
      }),
    async *list(options = {}) {
      await translated(() => stat(incoming));
      yield* listBlobs(directory, options);
    },
    link: async () => undefined,
    async [Symbol.asyncDispose]() {},
  };
}

async function writeDraft(path: string, content: AsyncIterable<Uint8Array>): Promise<number> {
  const file = await open(path, "wx", 0o444);
  try {
    let sizeBytes = 0;
    for await (const chunk of content) {
      await writeFully(file, chunk);
      sizeBytes += chunk.byteLength;
    }
    await file.sync();
    return sizeBytes;
  } finally {
    await file.close();
  }
}

async function writeFully(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let offset = 0; offset < chunk.byteLength; ) {
    offset += (await file.write(chunk, offset, chunk.byteLength - offset)).bytesWritten;
  }
}

/** A new folder survives power loss only when the folders above it are synced too. */
async function makeShard(directory: string, shard: string): Promise<void> {
  const made = await mkdir(shard, { recursive: true, mode: 0o700 });
  if (made === undefined) return;
  await syncDirectory(dirname(shard));
  await syncDirectory(directory);
}

/** Opened when the first chunk is asked for, so that content nobody iterates holds nothing open. */
async function* readFile(
  path: string,
  { key, start, end, directory }: { key: BlobKey; start: number; end: number; directory: string },
): AsyncGenerator<Uint8Array> {
  let file: FileHandle | undefined;
  try {
    file = await undefinedOn(["ENOENT"], open(path, "r"));
    if (file === undefined) throw blobMissing(key);
    for (let position = start; position < end; ) {
      const buffer = new Uint8Array(Math.min(readBytes, end - position));
      const { bytesRead } = await file.read(buffer, 0, buffer.byteLength, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } catch (error) {
    throw fsErrorAt(directory, error);
  } finally {
    await file?.close();
  }
}

async function* listBlobs(
  directory: string,
  { after = "" as BlobKey, signal }: ListOptions,
): AsyncGenerator<{ key: BlobKey; sizeBytes: number }> {
  for (const first of (await namesIn(directory)).filter((name) => isShard(name) && name >= after.slice(0, 2))) {
    for (const second of (await namesIn(join(directory, first))).filter(isShard)) {
      const folder = join(directory, first, second);
      for (const key of (await namesIn(folder)).filter(isBlobKey)) {
        signal?.throwIfAborted();
        const info = key > after ? await undefinedOn(["ENOENT"], stat(join(folder, key))) : undefined;
        if (info) yield { key, sizeBytes: info.size };
      }
    }
  }
}

const isShard = (name: string): boolean => /^[0-9a-f]{2}$/.test(name);

const namesIn = async (directory: string): Promise<string[]> =>
  ((await undefinedOn(["ENOENT", "ENOTDIR"], readdir(directory))) ?? []).sort();

async function sweepDrafts(incoming: string): Promise<void> {
  for (const name of await readdir(incoming)) {
    const path = join(incoming, name);
    const info = await undefinedOn(["ENOENT"], stat(path));
    if (info && info.mtimeMs < Date.now() - draftAgeMs) await rm(path, { force: true });
  }
}
