import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { blobFrameHead, largestBatchedBlob, readBlobFrames } from "./blob-frames.ts";
import type { BlobKey } from "./integrity.ts";

const keyOf = (bytes: Uint8Array) => createHash("sha512").update(bytes).digest("hex") as BlobKey;

const batchOf = (blobs: readonly Uint8Array[]): Buffer =>
  Buffer.concat([...blobs.flatMap((bytes) => [blobFrameHead(keyOf(bytes), bytes.length), bytes]), blobFrameHead()]);

async function* cutUp(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.slice(at, at + size);
    at += size;
  }
}

async function readAll(source: AsyncIterable<Uint8Array>) {
  const found: [BlobKey, Buffer][] = [];
  for await (const { key, content } of readBlobFrames(source)) found.push([key, Buffer.from(content)]);
  return found;
}

test("whatever pieces a batch comes in, its blobs are read as they were written", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 6 }),
      async (blobs, sizes) => {
        const found = await readAll(cutUp(batchOf(blobs), sizes));
        expect(found).toEqual(blobs.map((bytes) => [keyOf(bytes), Buffer.from(bytes)]));
      },
    ),
  );
});

test("a batch that breaks off anywhere is not taken for a whole one", async () => {
  const batch = batchOf([new Uint8Array(100), new Uint8Array(3)]);
  for (let length = 0; length < batch.length; length += 7) {
    await expect(readAll(cutUp(batch.subarray(0, length), [64]))).rejects.toThrow("broke off");
  }
});

test("no memory is set aside for a blob larger than a batch may have", async () => {
  const head = blobFrameHead(keyOf(new Uint8Array(1)), largestBatchedBlob + 1);
  await expect(readAll(cutUp(head, [68]))).rejects.toMatchObject({ code: "E_TOO_LARGE" });
});
