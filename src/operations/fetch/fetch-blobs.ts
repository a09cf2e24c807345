import type { BlobStore, BlobStores } from "../../blobs/index.ts";
import { type BlobKey, LarderError, type ManifestNode, type Progress } from "../../contract/index.ts";
import { type Db, getActiveStore } from "../../db/index.ts";
import { mapConcurrent } from "../../lib/index.ts";
import type { KnownSize } from "../install/caps.ts";
import type { InstallOptions } from "../install/install-options.ts";
import { admitTarball } from "./admit.ts";
import { namingPackage } from "./describe-failure.ts";
import { heldBlobs, type SeenBlobs } from "./held-blobs.ts";
import { createBlobNotes } from "./note-blobs.ts";
import { tarballUrl } from "./tarball-url.ts";

const parallel = 12;

export type FetchOptions = Pick<InstallOptions, "db" | "stores" | "registry" | "cache">;

export interface FetchInput {
  /** Each tarball once, with a node that has it. */
  wanted: Map<BlobKey, ManifestNode>;
  /** What they may come to, packed. */
  limitBytes?: number | undefined;
  /** What stores were already asked about. */
  seen?: SeenBlobs | undefined;
  /** A directory of this operation's own. */
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
  /** All of them, as they are in the index. */
  entries: Map<BlobKey, KnownSize>;
  /** Of what was fetched. */
  warnings: string[];
}

/** Makes every blob that the wanted platforms need present, with its row: bytes first. Fetches only what no store has whole. */
export async function fetchBlobs(options: FetchOptions, input: FetchInput): Promise<FetchResult> {
  const { db, registry } = options;
  const blobs = await openActive(options);
  const { wanted, limitBytes = Number.POSITIVE_INFINITY } = input;
  const present = await heldBlobs(options, [...wanted.keys()], input.seen);
  const missing = [...wanted].filter(([key]) => !present.has(key)).map(([, node]) => node);
  const entries = new Map<BlobKey, KnownSize>(present);
  const result = { fetched: 0, fetchedBytes: 0, blobs: wanted.size, bytes: 0, entries, warnings: [] as string[] };
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
  const notes = createBlobNotes({
    db,
    store: blobs.name,
    epoch: input.epoch,
    onFailed: (error) => abort.abort(error),
    onNoted({ types: _, label, ...entry }) {
      result.fetched += 1;
      result.fetchedBytes += entry.sizeBytes;
      entries.set(entry.key, entry);
      progress(label);
    },
  });
  const fetchOne = async (node: ManifestNode, label: string) => {
    const url = await tarballUrl(options, node, signal);
    const source = await registry.tarball(url, { name: node.name, label, signal });
    const { awkwardPaths, ...admitted } = await admitTarball(source, node, { blobs, scratch: input.scratch, signal });
    await notes.add({ ...admitted, label });
    result.bytes += admitted.sizeBytes;
    if (awkwardPaths.length > 0) result.warnings.push(`${label} has files that Windows cannot hold: ${awkwardPaths.join(", ")}.`);
    if (result.bytes > limitBytes) throw overLimit(result.bytes, { limitBytes, label });
  };
  try {
    await mapConcurrent(missing, { limit: parallel, signal }, async (node) => {
      const label = `${node.name}@${node.version}`;
      try {
        await fetchOne(node, label);
      } catch (thrown) {
        const error = signal.aborted ? thrown : namingPackage(thrown, label);
        abort.abort(error);
        throw error;
      }
    });
  } catch (error) {
    // What was stored before that counts: the next attempt need not fetch it. A failure of this, too, is not what ended the fetching.
    await notes.settle().catch(() => {});
    throw error;
  }
  await notes.settle();
  return result;
}

/** Asked for under election: no migration moves it meanwhile. */
async function openActive({ db, stores }: { db: Db; stores: BlobStores }): Promise<BlobStore> {
  const active = await getActiveStore(db.query);
  if (active === undefined) throw new Error("no blob store is active");
  return await stores.open(active);
}

const overLimit = (bytes: number, { limitBytes, label }: { limitBytes: number; label: string }): LarderError =>
  new LarderError(
    "E_TOO_LARGE",
    `With ${label}, the allowlist takes more than ${limitBytes} bytes of tarballs, which is the limit.`,
    {
      hint: "Disable what nobody needs, split it into several environments, or raise the limit: larder policy set --block-packed …",
      details: { cap: "packedBytes", actual: bytes, limit: limitBytes, package: label },
    },
  );
