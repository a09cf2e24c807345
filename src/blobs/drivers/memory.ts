import type { BlobKey } from "../../contract/index.ts";
import type { BlobStore } from "../blob-store.ts";
import { incomingContent } from "../check-content.ts";
import { storedBlob } from "../stored-blob.ts";

const pieceBytes = 1 << 18;

/** For tests and trials: gone with the process. `contents` lets a test look in, and damage. */
export function createMemoryBlobStore(contents: Map<BlobKey, Uint8Array> = new Map()): BlobStore {
  return {
    name: "memory",
    async put(key, content, options) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of incomingContent(key, content, options)) chunks.push(chunk.slice());
      const bytes = Buffer.concat(chunks);
      contents.set(key, bytes);
      return { sizeBytes: bytes.byteLength };
    },
    async get(key, options = {}) {
      const bytes = contents.get(key);
      if (bytes === undefined) return undefined;
      return storedBlob(key, bytes.byteLength, options, (start, end) => pieces(bytes, start, end));
    },
    async head(key) {
      const bytes = contents.get(key);
      return bytes && { sizeBytes: bytes.byteLength };
    },
    async delete(key) {
      contents.delete(key);
    },
    async *list({ after, signal } = {}) {
      for (const key of [...contents.keys()].sort()) {
        signal?.throwIfAborted();
        const bytes = contents.get(key);
        if (bytes && (after === undefined || key > after)) yield { key, sizeBytes: bytes.byteLength };
      }
    },
    link: async () => undefined,
    async [Symbol.asyncDispose]() {},
  };
}

/** Copies: what a reader does to its chunks stays with it. */
async function* pieces(bytes: Uint8Array, start: number, end: number): AsyncGenerator<Uint8Array> {
  for (let offset = start; offset < end; offset += pieceBytes) {
    yield new Uint8Array(bytes.subarray(offset, Math.min(end, offset + pieceBytes)));
  }
}
