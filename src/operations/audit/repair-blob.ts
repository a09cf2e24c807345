import type { BlobStore, BlobStores } from "../../blobs/index.ts";
import { type BlobKey, blobKeyOf, hasCode, LarderError, type ManifestNode, parseManifest } from "../../contract/index.ts";
import { type BlobEntry, type Db, getManifest, listManifestsNaming } from "../../db/index.ts";
import type { PackumentCache } from "../../gateway/index.ts";
import type { RegistryClient } from "../../npm/index.ts";
import { tarballUrl } from "../fetch/tarball-url.ts";
import { limited, type RateLimit } from "../rate-limit.ts";
import { readCopy } from "../read-copy.ts";

/** Where tarballs come from in the first place. */
export interface RegistrySource {
  registry: RegistryClient;
  cache: PackumentCache;
}

interface RepairOptions {
  db: Db;
  stores: BlobStores;
  registry: RegistrySource;
  target: BlobStore;
  limit: RateLimit;
  signal: AbortSignal;
}

/** Puts good bytes into `target`, and reads them back: from another store, or else from the registry. Says from where; throws what the last source said. */
export async function repairBlob({ key }: BlobEntry, options: RepairOptions): Promise<string> {
  const { stores, target, signal } = options;
  for (const name of stores.names.filter((each) => each !== target.name)) {
    try {
      const found = await (await stores.open(name)).get(key, { signal });
      if (found === undefined) continue;
      await putAndRead(key, found.content, options);
      return name;
    } catch (error) {
      // Whatever is wrong with this copy or its store: there may be another.
      if (signal.aborted || hasCode(error, "E_NO_SPACE", "E_READ_ONLY", "E_PERMISSION")) throw error;
    }
  }
  const node = await nodeOfBlob(options.db, key);
  if (node === undefined)
    throw new LarderError("E_BLOB_MISSING", "No other store has it, and no manifest says what it is the tarball of.");
  const label = `${node.name}@${node.version}`;
  const url = await tarballUrl(options.registry, node, signal);
  await putAndRead(key, await options.registry.registry.tarball(url, { name: node.name, label, signal }), options);
  return `the registry (${label})`;
}

async function putAndRead(
  key: BlobKey,
  content: AsyncIterable<Uint8Array>,
  { target, limit, signal }: Pick<RepairOptions, "target" | "limit" | "signal">,
): Promise<void> {
  await target.put(key, limited(content, limit, signal), { signal });
  const state = await readCopy(target, key, { limit, signal });
  if (state !== "whole")
    throw new LarderError("E_BLOB_CORRUPT", `After it was put there again, it is ${state} in ${target.name}.`);
}

async function nodeOfBlob({ query }: Db, key: BlobKey): Promise<ManifestNode | undefined> {
  for (const lockfileHash of await listManifestsNaming(query, [key], 1)) {
    const stored = await getManifest(query, lockfileHash);
    const nodes = stored ? Object.values(parseManifest(stored.body).nodes) : [];
    const found = nodes.find(({ integrity }) => blobKeyOf(integrity) === key);
    if (found) return found;
  }
  return undefined;
}
