import { createHash } from "node:crypto";
import { type BlobKey, hasCode, isBlobKey, LarderError, parseBlobKey } from "../../contract/index.ts";
import { backoffMs, failpoint, sleep } from "../../lib/index.ts";
import type { BlobStore, ListOptions } from "../blob-store.ts";
import { blobMissing, incomingContent } from "../check-content.ts";
import { type Bucket, openBucket } from "../s3/open-bucket.ts";
import { s3ErrorAt } from "../s3/s3-errors.ts";
import { describeBucket, type S3Options } from "../s3/s3-options.ts";
import { storedBlob } from "../stored-blob.ts";

/** The least that a part may have, but for the last. A blob of one part is put at once; at most three parts of a blob are in memory. */
const partBytes = 5 * 2 ** 20;
const chunkBytes = 2 ** 18;
const putAttempts = 4;
const readFailures = 4;
/** Longer than any upload takes. */
const sweepAgeMs = 24 * 3600_000;

/**
 * `<prefix>/ab/<key>` in a bucket of AWS or a look-alike. Neither ETag nor listing is trusted: what was put is looked for afterwards, and whatever is
 * doubtful (a time-out, a copy that was there) is read back whole.
 */
export async function openS3BlobStore(options: S3Options): Promise<BlobStore> {
  const prefix = prefixOf(options);
  const nameOf = (key: BlobKey) => `${prefix}${parseBlobKey(key).slice(0, 2)}/${key}`;
  const bucket = openBucket(options);
  try {
    await bucket.probe();
  } catch (error) {
    bucket.close();
    throw error;
  }
  // Many servers do not let it be asked for; a rule of the bucket's own does the same (docs/storage.md).
  await bucket.sweepUploads(prefix, sweepAgeMs).catch(() => {});
  return {
    name: "s3",
    async put(key, content, given = {}) {
      const name = nameOf(key);
      const { signal } = given;
      let sizeBytes = 0;
      const counted = counting(incomingContent(key, content, given), (bytes) => {
        sizeBytes += bytes;
      });
      const parts = inParts(counted, given.sizeBytes);
      try {
        const first = await parts.next();
        const second = await parts.next();
        const target = { bucket, name, key, options, signal };
        // A part comes when there is more after it, the last when the whole was found right: no second part, and the first is all.
        if (second.done) await putWhole(target, first.done ? Buffer.alloc(0) : first.value);
        else await putInParts(target, [first.value as Buffer, second.value], parts, () => sizeBytes);
        return { sizeBytes };
      } finally {
        await parts.return(undefined);
      }
    },
    async get(key, given = {}) {
      const found = await bucket.head(nameOf(key), given.signal);
      if (found === undefined) return undefined;
      return storedBlob(key, found.sizeBytes, given, (start, end) =>
        read(bucket, options, { key, name: nameOf(key), start, end, signal: given.signal }),
      );
    },
    head: async (key) => await bucket.head(nameOf(key)),
    delete: async (key) => await bucket.delete(nameOf(key)),
    list: (given = {}) => list(bucket, prefix, nameOf, given),
    async link(key) {
      if (options.linkSeconds === undefined) return undefined;
      return await bucket.link(nameOf(key), options.linkSeconds);
    },
    async [Symbol.asyncDispose]() {
      bucket.close();
    },
  };
}

function prefixOf({ prefix = "" }: S3Options): string {
  const trimmed = prefix.replace(/^\/+|\/+$/g, "");
  return trimmed === "" ? "" : `${trimmed}/`;
}

interface Target {
  bucket: Bucket;
  name: string;
  key: BlobKey;
  options: S3Options;
  signal: AbortSignal | undefined;
}

/** Bytes that were found right. One that is there already is kept if it is right too, and replaced otherwise. */
async function putWhole(target: Target, bytes: Buffer): Promise<void> {
  const { bucket, name, signal } = target;
  let replace = false;
  for (let attempt = 1; attempt <= putAttempts; attempt++) {
    const outcome = await bucket
      .put(name, bytes, { ifAbsent: !replace, signal })
      .catch((error: unknown) => doubtful(target, bytes.byteLength, error));
    await failpoint("blob-s3:after-put");
    if (outcome === "right") return;
    if (outcome === "stored" && (await bucket.head(name, signal))?.sizeBytes === bytes.byteLength) return;
    if (outcome === "exists") {
      if (await isRight(target, bytes.byteLength)) return;
      replace = true;
    }
    if (attempt > 1) await sleep(backoffMs(attempt), signal);
  }
  throw notKept(target);
}

async function putInParts(
  target: Target,
  begun: [Buffer, Buffer],
  rest: AsyncIterable<Buffer>,
  sizeBytes: () => number,
): Promise<void> {
  const { bucket, name, signal } = target;
  const upload = await bucket.startUpload(name, signal);
  // One part is under way while the next is filled.
  let underWay: Promise<void> = Promise.resolve();
  let number = 0;
  const send = async (bytes: Buffer) => {
    await underWay;
    underWay = upload.put(++number, bytes);
    underWay.catch(() => {});
  };
  try {
    for (const bytes of begun.splice(0)) await send(bytes);
    for await (const bytes of rest) await send(bytes);
    await underWay;
    await failpoint("blob-s3:before-complete");
  } catch (error) {
    await underWay.catch(() => {});
    // Invisible, and swept one day if this fails too.
    await upload.abandon().catch(() => {});
    throw error;
  }
  try {
    await upload.finish();
    if ((await bucket.head(name, signal))?.sizeBytes === sizeBytes()) return;
  } catch (error) {
    const outcome = await doubtful(target, sizeBytes(), error).catch(async (failure: unknown) => {
      await upload.abandon().catch(() => {});
      throw failure;
    });
    if (outcome === "right") return;
  }
  throw notKept(target);
}

/** After an answer that never came: the bytes may be there all the same. */
async function doubtful(target: Target, sizeBytes: number, error: unknown): Promise<"right"> {
  target.signal?.throwIfAborted();
  if (!hasCode(error, "E_STORE_UNAVAILABLE")) throw error;
  if (await isRight(target, sizeBytes).catch(() => false)) return "right";
  throw error;
}

async function isRight({ bucket, options, name, key, signal }: Target, sizeBytes: number): Promise<boolean> {
  if ((await bucket.head(name, signal))?.sizeBytes !== sizeBytes) return false;
  const hash = createHash("sha512");
  for await (const chunk of read(bucket, options, { key, name, start: 0, end: sizeBytes, signal })) hash.update(chunk);
  return hash.digest("hex") === key;
}

const notKept = ({ options, key }: Target): LarderError =>
  new LarderError(
    "E_STORE_UNAVAILABLE",
    `Blob ${key} was put into ${describeBucket(options)}, which said so, and is not there.`,
    {
      hint: "Look at the server's own log, and at rules that remove objects.",
      retryable: true,
      details: { blob: key, bucket: options.bucket },
    },
  );

/** Over as many answers as it takes, each going on where the last broke off. */
async function* read(
  bucket: Bucket,
  options: S3Options,
  { key, name, start, end, signal }: { key: BlobKey; name: string; start: number; end: number; signal: AbortSignal | undefined },
): AsyncGenerator<Uint8Array> {
  let failures = 0;
  for (let position = start; position < end; ) {
    const before = position;
    const content = await bucket.read(name, { start: position, end }, signal);
    if (content === undefined) throw blobMissing(key);
    try {
      for await (const chunk of content) {
        position += chunk.byteLength;
        for (let offset = 0; offset < chunk.byteLength; offset += chunkBytes) yield chunk.subarray(offset, offset + chunkBytes);
      }
      // It ended early and says that this is all: the object is shorter now. Whoever counts sees that.
      if (position === before) return;
    } catch (error) {
      signal?.throwIfAborted();
      failures = position > before ? 1 : failures + 1;
      if (failures === readFailures) throw s3ErrorAt(options, error);
      await sleep(backoffMs(failures), signal);
    }
  }
}

async function* list(
  bucket: Bucket,
  prefix: string,
  nameOf: (key: BlobKey) => string,
  { after: first, signal }: ListOptions,
): AsyncGenerator<{ key: BlobKey; sizeBytes: number }> {
  let after = first === undefined ? undefined : nameOf(first);
  for (;;) {
    signal?.throwIfAborted();
    const { objects, more } = await bucket.page({ prefix, after, signal });
    for (const { name, sizeBytes } of objects) {
      signal?.throwIfAborted();
      const key = name.slice(name.lastIndexOf("/") + 1);
      if (isBlobKey(key) && name === nameOf(key)) yield { key, sizeBytes };
    }
    if (!more) return;
    after = objects.at(-1)?.name;
  }
}

async function* counting(content: AsyncIterable<Uint8Array>, count: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of content) {
    count(chunk.byteLength);
    yield chunk;
  }
}

/** Every part but the last has `partBytes`. Each is a copy: the source may use its chunks again. */
async function* inParts(content: AsyncIterable<Uint8Array>, expectedBytes = partBytes): AsyncGenerator<Buffer, undefined> {
  const allocate = () => Buffer.allocUnsafeSlow(Math.min(partBytes, Math.max(expectedBytes, 1)));
  let part = allocate();
  let filled = 0;
  for await (const chunk of content) {
    for (let offset = 0; offset < chunk.byteLength; ) {
      if (filled === part.byteLength) {
        yield part;
        part = Buffer.allocUnsafeSlow(partBytes);
        filled = 0;
      }
      const taken = chunk.subarray(offset, offset + part.byteLength - filled);
      part.set(taken, filled);
      filled += taken.byteLength;
      offset += taken.byteLength;
    }
  }
  if (filled > 0) yield part.subarray(0, filled);
}
