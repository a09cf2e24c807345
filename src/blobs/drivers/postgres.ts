import type { BlobKey } from "../../contract/index.ts";
import {
  type BlobContent,
  beginBlobUpload,
  type Db,
  deleteBlobContent,
  discardBlobUpload,
  getBlobChunk,
  getBlobContent,
  listBlobContents,
  publishBlobUpload,
  putBlobChunk,
  sweepBlobUploads,
} from "../../db/index.ts";
import type { BlobStore } from "../blob-store.ts";
import { blobMissing, incomingContent } from "../check-content.ts";
import { storedBlob } from "../stored-blob.ts";

const chunkBytes = 1 << 20;
/** Longer than any upload takes. */
const sweepAgeMs = 24 * 3600_000;

/**
 * Blobs in the control plane's own database, in rows of 1 MiB; works on PGlite as well. Each chunk is a statement of its own: no transaction is open while
 * a source is slow. Does not own `db`.
 */
export async function openPostgresBlobStore(db: Db): Promise<BlobStore> {
  await sweepBlobUploads(db.query, sweepAgeMs);
  return {
    name: "postgres",
    async put(key, content, options) {
      const uploadId = await beginBlobUpload(db.query, key);
      try {
        const sizeBytes = await writeChunks(db, uploadId, incomingContent(key, content, options));
        options?.signal?.throwIfAborted();
        await publishBlobUpload(db.query, key, { uploadId, sizeBytes, chunkBytes });
        return { sizeBytes };
      } catch (error) {
        // Nobody can see it; if this fails too, the sweep does it.
        await discardBlobUpload(db.query, uploadId).catch(() => {});
        throw error;
      }
    },
    async get(key, options = {}) {
      const content = await getBlobContent(db.query, key);
      if (content === undefined) return undefined;
      return storedBlob(key, content.sizeBytes, options, (start, end) => readChunks(db, key, content, { start, end }));
    },
    async head(key) {
      const content = await getBlobContent(db.query, key);
      return content && { sizeBytes: content.sizeBytes };
    },
    delete: (key) => db.transaction((tx) => deleteBlobContent(tx, key)),
    async *list({ after: first, signal } = {}) {
      let after = first;
      for (;;) {
        signal?.throwIfAborted();
        const page = await listBlobContents(db.query, { after });
        if (page.length === 0) return;
        yield* page;
        after = page.at(-1)?.key;
      }
    },
    link: async () => undefined,
    async [Symbol.asyncDispose]() {},
  };
}

async function writeChunks(db: Db, uploadId: string, content: AsyncIterable<Uint8Array>): Promise<number> {
  const buffer = new Uint8Array(chunkBytes);
  let filled = 0;
  let position = 0;
  const flush = async () => {
    await putBlobChunk(db.query, { uploadId, position, bytes: buffer.subarray(0, filled) });
    position += 1;
    filled = 0;
  };
  for await (const piece of content) {
    for (let offset = 0; offset < piece.byteLength; ) {
      const taken = piece.subarray(offset, offset + chunkBytes - filled);
      buffer.set(taken, filled);
      filled += taken.byteLength;
      offset += taken.byteLength;
      if (filled === chunkBytes) await flush();
    }
  }
  const sizeBytes = position * chunkBytes + filled;
  if (filled > 0) await flush();
  return sizeBytes;
}

async function* readChunks(
  db: Db,
  key: BlobKey,
  content: BlobContent,
  { start, end }: { start: number; end: number },
): AsyncGenerator<Uint8Array> {
  for (let position = Math.floor(start / content.chunkBytes); position * content.chunkBytes < end; position++) {
    const bytes = await getBlobChunk(db.query, content.uploadId, position);
    if (bytes === undefined) throw blobMissing(key);
    const offset = position * content.chunkBytes;
    yield bytes.subarray(Math.max(0, start - offset), Math.min(bytes.byteLength, end - offset));
  }
}
