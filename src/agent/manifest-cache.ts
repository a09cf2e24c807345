import { createHash } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  applyManifestDelta,
  formatManifest,
  isLockfileHash,
  LarderError,
  type LockfileHash,
  type Manifest,
  manifestDeltaSchema,
  type NodeId,
  parseManifest,
} from "../contract/for-hosts.ts";
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

/** The manifest last loaded by a process, and its text in parts: with them, the next one is what changed. */
export interface ManifestMemory {
  last?: { lockfileHash: LockfileHash; manifest: Manifest };
  texts: Map<NodeId, { node: object; text: string }>;
}

export const createManifestMemory = (): ManifestMemory => ({ texts: new Map() });

/** Afterwards the next manifest costs what changed, also when the last one came whole. Takes 25 ms for 4,000 nodes, once. */
export function prepareForDelta({ last, texts }: ManifestMemory): void {
  if (last && texts.size === 0) formatManifest(last.manifest, texts);
}

interface Loading {
  digests: ManifestDigests;
  memory?: ManifestMemory;
  signal: AbortSignal;
}

/** From this store, else from the control plane and then kept. Throws `E_MANIFEST` for bytes that are not the signed ones, before parsing them. */
export async function loadManifest(
  { store }: StoreWriter,
  controlPlane: ControlPlane,
  { digests, memory = createManifestMemory(), signal }: Loading,
): Promise<Manifest> {
  const { lockfileHash } = digests;
  if (memory.last?.lockfileHash === lockfileHash) return memory.last.manifest;
  const manifest =
    (await readKeptManifest(store, lockfileHash)) ?? (await fetchManifest(store, controlPlane, { digests, memory, signal }));
  memory.last = { lockfileHash, manifest };
  for (const id of memory.texts.keys()) if (!Object.hasOwn(manifest.nodes, id)) memory.texts.delete(id);
  return manifest;
}

async function fetchManifest(
  store: HostStore,
  controlPlane: ControlPlane,
  { digests, memory, signal }: Required<Loading>,
): Promise<Manifest> {
  const { lockfileHash } = digests;
  const { last } = memory;
  if (last) {
    const answer = await controlPlane.manifest(lockfileHash, { from: last.lockfileHash, signal });
    const made =
      answer.kind === "whole" ? readWhole(answer.bytes, digests) : readDelta(answer.bytes, last.manifest, { digests, memory });
    if (made) return await keep(store, lockfileHash, made);
  }
  const { bytes } = await controlPlane.manifest(lockfileHash, { signal });
  return await keep(store, lockfileHash, readWhole(bytes, digests));
}

interface Made {
  manifest: Manifest;
  bytes: Uint8Array;
}

function readWhole(bytes: Uint8Array, digests: ManifestDigests): Made {
  assertDigests(bytes, digests);
  return { manifest: parseManifest(new TextDecoder().decode(bytes)), bytes };
}

/** `undefined` when it does not make the signed manifest: then that has to be asked for whole. */
function readDelta(
  bytes: Uint8Array,
  from: Manifest,
  { digests, memory }: Pick<Required<Loading>, "digests" | "memory">,
): Made | undefined {
  try {
    const delta = manifestDeltaSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
    const manifest = applyManifestDelta(from, delta);
    const made = new TextEncoder().encode(formatManifest(manifest, memory.texts));
    assertDigests(made, digests);
    return { manifest, bytes: made };
  } catch {
    // Of no use, whatever is wrong with it.
    return undefined;
  }
}

async function keep(store: HostStore, lockfileHash: LockfileHash, { manifest, bytes }: Made): Promise<Manifest> {
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
