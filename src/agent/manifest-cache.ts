import { createHash } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isLockfileHash, LarderError, type LockfileHash, type Manifest, parseManifest } from "../contract/index.ts";
import {
  describeDiskError,
  type HostStore,
  manifestPath,
  manifestsFolder,
  readKeptManifest,
  type StoreWriter,
} from "../host/index.ts";
import { undefinedOn, writeFileAtomic } from "../lib/index.ts";
import type { ControlPlane } from "./control-plane.ts";

/** The two digests of a manifest's bytes that a desired state signs. */
export interface ManifestDigests {
  lockfileHash: LockfileHash;
  manifestDigest: string;
}

/** From this store, else from the control plane and then kept. Throws `E_MANIFEST` for bytes that are not the signed ones, before parsing them. */
export async function loadManifest(
  writer: StoreWriter,
  controlPlane: ControlPlane,
  { digests, signal }: { digests: ManifestDigests; signal: AbortSignal },
): Promise<Manifest> {
  const { store } = writer;
  const { lockfileHash } = digests;
  const cached = await readKeptManifest(store, lockfileHash);
  if (cached) return cached;
  const bytes = await controlPlane.manifest(lockfileHash, signal);
  assertDigests(bytes, digests);
  const manifest = parseManifest(new TextDecoder().decode(bytes));
  const path = manifestPath(store, lockfileHash);
  try {
    await mkdir(manifestsFolder(store), { recursive: true });
    await writeFileAtomic(path, bytes);
  } catch (error) {
    throw describeDiskError(error, path);
  }
  return manifest;
}

/** Removes the manifests of trees that are gone, and drafts of a killed write. */
export async function pruneManifests(store: HostStore, keep: LockfileHash): Promise<void> {
  const trees = new Set([keep, ...(await readdir(store.layout.trees))]);
  const entries = (await undefinedOn(["ENOENT"], readdir(manifestsFolder(store)))) ?? [];
  for (const entry of entries) {
    const hash = entry.replace(/\.json$/, "");
    if (!(isLockfileHash(hash) && trees.has(hash))) await rm(join(manifestsFolder(store), entry), { force: true });
  }
}

function assertDigests(bytes: Uint8Array, { lockfileHash, manifestDigest }: ManifestDigests): void {
  const digest = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
  if (digest === manifestDigest && sha256(bytes) === lockfileHash) return;
  throw new LarderError("E_MANIFEST", `The manifest ${lockfileHash.slice(0, 16)}… is not the one that was signed.`, {
    hint: "Something between the control plane and this host changed it, or its database is damaged; this host stays as it is.",
    retryable: true,
    details: { expected: manifestDigest, got: digest },
  });
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
