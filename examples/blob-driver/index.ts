// A blob store driver in a package of its own: one file for each blob, all in one folder.
//
//   larder serve --blob-store-module folder=larder-blobs-in-a-folder --blob-store folder

import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  type BlobKey,
  type BlobStore,
  blobMissing,
  incomingContent,
  isBlobKey,
  LarderError,
  parseBlobKey,
  storedBlob,
} from "larder/blob-driver";

/** `directory` is for this store alone. `name` has to be the one in `--blob-store-module NAME=…`. */
export async function openBlobStore({ directory, name = "folder" }: { directory: string; name?: string }): Promise<BlobStore> {
  await mkdir(directory, { recursive: true });
  const pathOf = (key: BlobKey) => join(directory, parseBlobKey(key));
  const head = (key: BlobKey) =>
    told(async () => {
      const info = await stat(pathOf(key)).catch(unless("ENOENT"));
      // A folder that is gone is something else than a folder without this blob.
      if (info === undefined) await stat(directory);
      return info && { sizeBytes: info.size };
    });

  return {
    name,
    put: (key, content, options) =>
      told(async () => {
        const draft = join(directory, `${randomUUID()}.draft`);
        try {
          const file = await open(draft, "wx");
          let sizeBytes = 0;
          try {
            // Throws at the end when the bytes do not hash to the key: then nothing was renamed, and nobody saw them.
            for await (const chunk of incomingContent(key, content, options)) {
              await file.writeFile(chunk);
              sizeBytes += chunk.byteLength;
            }
            await file.sync();
          } finally {
            await file.close();
          }
          await rename(draft, pathOf(key));
          return { sizeBytes };
        } finally {
          await rm(draft, { force: true });
        }
      }),
    async get(key, options = {}) {
      const found = await head(key);
      if (found === undefined) return undefined;
      // Checks the range, and the hash of what is read whole.
      return storedBlob(key, found.sizeBytes, options, (start, end) => read(pathOf(key), { key, start, end }));
    },
    head,
    delete: (key) => told(() => rm(pathOf(key), { force: true })),
    async *list({ after = "" as BlobKey, signal } = {}) {
      for (const key of (await told(() => readdir(directory))).filter(isBlobKey).sort()) {
        signal?.throwIfAborted();
        const found = key > after ? await head(key) : undefined;
        if (found) yield { key, ...found };
      }
    },
    // No address of its own: readers come through Larder.
    link: async () => undefined,
    async [Symbol.asyncDispose]() {},
  };
}

async function* read(
  path: string,
  { key, start, end }: { key: BlobKey; start: number; end: number },
): AsyncGenerator<Uint8Array> {
  const file = await open(path).catch(unless("ENOENT"));
  if (file === undefined) throw blobMissing(key);
  try {
    for (let position = start; position < end; ) {
      const chunk = new Uint8Array(Math.min(1 << 18, end - position));
      const { bytesRead } = await file.read(chunk, 0, chunk.byteLength, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** Foreign errors become Larder's at the driver's edge: with a code, and a way out. */
async function told<T>(task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (error instanceof LarderError || !/^E[A-Z]+$/.test(code)) throw error;
    if (code === "ENOSPC") throw new LarderError("E_NO_SPACE", "The folder of blobs has no space left.", { hint: "Free some." });
    throw new LarderError("E_STORE_UNAVAILABLE", `The folder of blobs cannot be used (${code}).`, {
      hint: "Check that it is there, and that Larder may use it.",
      retryable: true,
      cause: error,
    });
  }
}

const unless = (code: string) => (error: NodeJS.ErrnoException) => {
  if (error.code === code) return undefined;
  throw error;
};
