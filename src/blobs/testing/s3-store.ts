import { createHash, randomBytes, randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import type { S3Server } from "../../../test/harness/s3.ts";
import type { BlobKey, LarderError } from "../../contract/index.ts";
import { armFailpoints } from "../../lib/index.ts";
import type { BlobStore } from "../blob-store.ts";
import { openS3BlobStore } from "../drivers/s3.ts";
import type { S3Options } from "../s3/s3-options.ts";

/** In one request, and in several parts. */
export const small = randomBytes(100_000);
export const large = randomBytes(13 << 20);

export const keyOf = (bytes: Uint8Array) => createHash("sha512").update(bytes).digest("hex") as BlobKey;

export async function* once(bytes: Uint8Array) {
  for (let offset = 0; offset < bytes.byteLength; offset += 1 << 18) yield bytes.subarray(offset, offset + (1 << 18));
}

export const contentOf = async (store: BlobStore, key: BlobKey) =>
  Buffer.concat(await Array.fromAsync((await store.get(key))?.content ?? once(Buffer.from("absent"))));

/** What it failed with. */
export const codeOf = (work: Promise<unknown>): Promise<LarderError> =>
  work.then(
    () => Promise.reject(new Error("it did not fail")),
    (error: LarderError) => error,
  );

export interface OpenedStore extends AsyncDisposable {
  store: BlobStore;
  prefix: string;
  /** Of its object. */
  nameOf(key: BlobKey): string;
}

/** A store of its own in the server's bucket. */
export async function openStore(server: S3Server, options: Partial<S3Options> = {}): Promise<OpenedStore> {
  const prefix = randomUUID();
  const store = await openS3BlobStore({ ...server, prefix, ...options });
  await server.requests();
  return {
    store,
    prefix,
    nameOf: (key) => `${prefix}/${key.slice(0, 2)}/${key}`,
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

/** To be called after each test. */
export async function forgetFaults(server: S3Server): Promise<void> {
  armFailpoints(undefined);
  await server.fault();
  await rm(server.uploads, { recursive: true, force: true });
}
