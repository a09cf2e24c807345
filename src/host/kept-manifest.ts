import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type LockfileHash, type Manifest, parseManifest } from "../contract/for-hosts.ts";
import { undefinedOn } from "../lib/index.ts";
import type { HostStore } from "./host-store.ts";

export const manifestsFolder = (store: HostStore): string => join(store.layout.state, "manifests");
export const manifestPath = (store: HostStore, lockfileHash: LockfileHash): string =>
  join(manifestsFolder(store), `${lockfileHash}.json`);

/** A manifest that this store has kept, checked again; `undefined` when it has not, or no longer whole. */
export async function readKeptManifest(store: HostStore, lockfileHash: LockfileHash): Promise<Manifest | undefined> {
  const bytes = await undefinedOn(["ENOENT"], readFile(manifestPath(store, lockfileHash)));
  if (bytes === undefined || createHash("sha256").update(bytes).digest("hex") !== lockfileHash) return undefined;
  return parseManifest(new TextDecoder().decode(bytes));
}
