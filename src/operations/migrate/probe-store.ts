import { createHash, randomBytes } from "node:crypto";
import type { BlobStore } from "../../blobs/index.ts";
import { type BlobKey, LarderError } from "../../contract/index.ts";
import { createRateLimit } from "../rate-limit.ts";
import { readCopy } from "../read-copy.ts";

const deadlineMs = 20_000;

/** Puts a few bytes, reads them back and deletes them: what cannot be used is refused before anything starts. Throws the store's own error. */
export async function probeStore(store: BlobStore, signal: AbortSignal): Promise<void> {
  const bytes = randomBytes(64);
  const key = createHash("sha512").update(bytes).digest("hex") as BlobKey;
  const limited = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
  try {
    await store.put(key, single(bytes), { sizeBytes: bytes.byteLength, signal: limited });
    const state = await readCopy(store, key, { limit: createRateLimit(undefined), signal: limited });
    await store.delete(key);
    if (state !== "whole") throw unfit(store.name, `what was put into it is ${state} when it is read back`);
  } catch (error) {
    if (error instanceof LarderError) throw error;
    if (limited.aborted && !signal.aborted) throw unfit(store.name, `it did not answer within ${deadlineMs / 1000} s`, error);
    throw error;
  }
}

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const unfit = (name: string, why: string, cause?: unknown): LarderError =>
  new LarderError("E_STORE_UNAVAILABLE", `The blob store ${name} cannot be used: ${why}.`, {
    hint: "Check its settings, and that it can be reached from every replica.",
    cause,
  });
