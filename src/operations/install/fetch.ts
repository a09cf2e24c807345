import type { BlobStore } from "../../blobs/index.ts";
import {
  type BlobKey,
  blobKeyOf,
  type Manifest,
  type ManifestNode,
  nodeOf,
  type Platform,
  type Progress,
  viewForPlatform,
} from "../../contract/index.ts";
import { assertEpoch, type BlobEntry, getBlobEntries, putBlobEntry } from "../../db/index.ts";
import { mapConcurrent } from "../../lib/index.ts";
import { admitTarball } from "./admit.ts";
import { namingPackage } from "./describe-failure.ts";
import type { InstallOptions } from "./install-options.ts";
import { tarballUrl } from "./tarball-url.ts";

const parallel = 12;

export interface FetchInput {
  manifest: Manifest;
  platforms: Platform[];
  /** A directory of this install's own. */
  scratch: string;
  epoch: number;
  signal: AbortSignal;
  report(progress: Progress): void;
}

export interface FetchResult {
  fetched: number;
  fetchedBytes: number;
  /** Every blob that the wanted platforms need, and their packed bytes. */
  blobs: number;
  bytes: number;
}

/** Makes every blob that the wanted platforms need present, with its row: bytes first. Fetches only what no row names. */
export async function fetchBlobs(options: InstallOptions, input: FetchInput): Promise<FetchResult> {
  const { db, blobs, registry } = options;
  const wanted = wantedBlobs(input.manifest, input.platforms);
  const present = await getBlobEntries(db.query, [...wanted.keys()]);
  const missing = await missingBlobs(blobs, wanted, present);
  const result = { fetched: 0, fetchedBytes: 0, blobs: wanted.size, bytes: 0 };
  for (const { sizeBytes } of present.values()) result.bytes += sizeBytes;
  const progress = (subject?: string) =>
    input.report({
      phase: "fetch",
      done: result.fetched,
      total: missing.length,
      doneBytes: result.fetchedBytes,
      ...(subject === undefined ? {} : { subject }),
    });
  progress();
  const abort = new AbortController();
  const signal = AbortSignal.any([input.signal, abort.signal]);
  await mapConcurrent(missing, { limit: parallel, signal }, async (node) => {
    const label = `${node.name}@${node.version}`;
    try {
      const url = await tarballUrl(options, node, signal);
      const source = await registry.tarball(url, { label, signal });
      const admitted = await admitTarball(source, node, { blobs, scratch: input.scratch, signal });
      await db.transaction(async (tx) => {
        await assertEpoch(tx, input.epoch);
        await putBlobEntry(tx, { ...admitted, store: blobs.name });
      });
      result.fetched += 1;
      result.fetchedBytes += admitted.sizeBytes;
      result.bytes += admitted.sizeBytes;
      progress(label);
    } catch (thrown) {
      const error = signal.aborted ? thrown : namingPackage(thrown, label);
      abort.abort(error);
      throw error;
    }
  });
  return result;
}

/** Those without a row, and those whose bytes are gone or of another size than their row says: an install mends what was lost. */
async function missingBlobs(
  blobs: BlobStore,
  wanted: Map<BlobKey, ManifestNode>,
  present: Map<BlobKey, BlobEntry>,
): Promise<ManifestNode[]> {
  const checked = await mapConcurrent([...wanted], { limit: parallel }, async ([key, node]) => {
    const entry = present.get(key);
    const stored = entry && (await blobs.head(key));
    if (entry && stored?.sizeBytes === entry.sizeBytes) return [];
    present.delete(key);
    return [node];
  });
  return checked.flat();
}

/** Each blob once, with a node that has it. */
function wantedBlobs(manifest: Manifest, platforms: Platform[]): Map<BlobKey, ManifestNode> {
  const wanted = new Map<BlobKey, ManifestNode>();
  for (const platform of platforms) {
    for (const id of viewForPlatform(manifest, platform).nodes) {
      const node = nodeOf(manifest, id);
      wanted.set(blobKeyOf(node.integrity), node);
    }
  }
  return wanted;
}
