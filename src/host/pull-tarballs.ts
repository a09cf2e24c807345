import { type BlobKey, blobKeyOf, type Integrity } from "../contract/for-hosts.ts";
import { mapConcurrent } from "../lib/index.ts";

export interface TarballSource {
  fetchBlob(key: BlobKey, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /**
   * Many blobs in few answers, in any order, each whole, at most once, and given away. It may leave out whatever it likes: what it does not bring is fetched one by one, and
   * only that can fail.
   */
  fetchBlobs?(keys: readonly BlobKey[], signal: AbortSignal): AsyncIterable<{ key: BlobKey; content: Uint8Array }>;
}

/** Whole, when it is small enough to be handed around; otherwise as it comes. */
export type Tarball = Uint8Array | AsyncIterable<Uint8Array>;

interface PullOptions extends TarballSource {
  signal: AbortSignal;
  /** Does with a tarball what is to be done. Several at a time; the first failure ends everything. */
  take(integrity: Integrity, tarball: Tarball): Promise<void>;
  /** A failure to fetch a single blob, in the caller's words. */
  describe(error: unknown, integrity: Integrity): unknown;
}

/** Fewer are as quick one by one, and then a cut connection is resumed instead of begun again. */
const fewestForBatch = 4;
/** Requests for single blobs under way: over 100 ms of round trip, 6 take three times as long; more than 16 gain little. */
const parallel = 16;
/** Tarballs that have come and were not taken yet hold up those behind them. */
const waitingBytes = 8 * 1024 * 1024;
/** The reader unpacks at most so much at once. */
const wholeBytes = 8 * 1024 * 1024;

/** Every tarball of `wanted`, once. Waits for all that was begun, also when it fails. */
export async function pullTarballs(wanted: readonly Integrity[], options: PullOptions): Promise<void> {
  const left = new Map(wanted.map((integrity) => [blobKeyOf(integrity), integrity]));
  if (options.fetchBlobs && left.size >= fewestForBatch) await pullBatch(left, options.fetchBlobs, options);
  await mapConcurrent([...left], { limit: parallel, signal: options.signal }, async ([key, integrity]) => {
    const tarball = await options
      .fetchBlob(key, options.signal)
      .then(gather)
      .catch((error) => {
        throw options.describe(error, integrity);
      });
    await options.take(integrity, tarball);
  });
}

/** Takes what comes out of `left`. */
async function pullBatch(
  left: Map<BlobKey, Integrity>,
  fetchBlobs: NonNullable<TarballSource["fetchBlobs"]>,
  { signal, take }: PullOptions,
): Promise<void> {
  const taking = new Set<Promise<void>>();
  let bytes = 0;
  let failure: { error: unknown } | undefined;
  for await (const { key, content } of fetchBlobs([...left.keys()], signal)) {
    const integrity = left.get(key);
    if (integrity === undefined) continue;
    left.delete(key);
    const size = content.length;
    bytes += size;
    const task = take(integrity, content)
      .catch((error) => {
        failure ??= { error };
      })
      .finally(() => {
        bytes -= size;
        taking.delete(task);
      });
    taking.add(task);
    while (bytes > waitingBytes && !failure) await Promise.race(taking);
    if (failure) break;
  }
  await Promise.all(taking);
  if (failure) throw failure.error;
  signal.throwIfAborted();
}

async function gather(content: AsyncIterable<Uint8Array>): Promise<Tarball> {
  const iterator = content[Symbol.asyncIterator]();
  const gathered: Uint8Array[] = [];
  let bytes = 0;
  for (let next = await iterator.next(); ; next = await iterator.next()) {
    // A copy: what came may be somebody's, and the tarball is going to be given to a thread.
    if (next.done) return Buffer.concat(gathered);
    gathered.push(next.value);
    bytes += next.value.length;
    if (bytes > wholeBytes) return rejoined(gathered, iterator);
  }
}

async function* rejoined(gathered: Uint8Array[], iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* gathered.splice(0);
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  } finally {
    await iterator.return?.();
  }
}
