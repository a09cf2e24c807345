import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { defaultArchiveLimits, readTarball } from "../../archive/index.ts";
import type { BlobStore } from "../../blobs/index.ts";
import { type BlobKey, blobKeyOf, type Integrity, LarderError, type ManifestNode } from "../../contract/index.ts";
import { failpoint } from "../../lib/index.ts";
import { createTypesCutter, type PackedBundle, packBundle } from "../../types/index.ts";
import { openSpool } from "./spool.ts";

export interface Admitted {
  key: BlobKey;
  sizeBytes: number;
  unpackedBytes: number;
  files: number;
  /** The first few that Windows cannot hold. */
  awkwardPaths: string[];
  /** Its declarations. */
  types: PackedBundle;
}

export interface AdmitOptions {
  blobs: BlobStore;
  scratch: string;
  signal: AbortSignal;
}

/**
 * Takes one tarball in: the archive rules that hosts apply, the integrity of the lock, the name and version inside; then the blob store. Nothing is
 * stored before all of it held. Throws `E_INTEGRITY`, `E_TARBALL_IDENTITY`, `E_ARCHIVE`, `E_TOO_LARGE`, each naming the package.
 */
export async function admitTarball(
  source: AsyncIterable<Uint8Array>,
  node: Pick<ManifestNode, "name" | "version" | "integrity">,
  { blobs, scratch, signal }: AdmitOptions,
): Promise<Admitted> {
  const label = `${node.name}@${node.version}`;
  const path = join(scratch, `${randomBytes(8).toString("hex")}.tgz`);
  await using spool = await openSpool(source, { path, limitBytes: defaultArchiveLimits.compressedBytes, label, signal });
  const cutter = createTypesCutter();
  const summary = await readTarball(spool.read(), cutter.sink, { label, signal });
  assertIntegrity(label, node.integrity, summary.integrity);
  assertIdentity(label, summary.packageJson);
  await failpoint("install:before-put");
  const key = blobKeyOf(summary.integrity);
  const content = spool.read();
  await blobs.put(key, content instanceof Uint8Array ? single(content) : content, { sizeBytes: spool.sizeBytes, signal });
  await failpoint("install:after-put");
  await readBack(blobs, key, { label, signal });
  const types = await packBundle(cutter.finish());
  const { unpackedBytes, files, awkwardPaths } = summary;
  return { key, sizeBytes: spool.sizeBytes, unpackedBytes, files, awkwardPaths, types };
}

/** Its row says that it can be read; so that is what is shown first. */
async function readBack(
  blobs: BlobStore,
  key: BlobKey,
  { label, signal }: { label: string; signal: AbortSignal },
): Promise<void> {
  const stored = await blobs.get(key, { signal });
  if (stored === undefined) {
    throw new LarderError(
      "E_STORE_UNAVAILABLE",
      `The blob store ${blobs.name} took the tarball of ${label} and does not have it.`,
      {
        hint: "Check the disk or the service behind it, and install again.",
        retryable: true,
        details: { package: label },
      },
    );
  }
  // Its end is reached only when all bytes hash to the key.
  for await (const _ of stored.content) signal.throwIfAborted();
}

async function* single(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

function assertIntegrity(label: string, expected: Integrity, actual: Integrity): void {
  if (expected === actual) return;
  throw new LarderError(
    "E_INTEGRITY",
    `The tarball of ${label} is not the one that was resolved: expected ${expected}, got ${actual}.`,
    {
      hint: "The registry or something before it changed the bytes. Nothing was stored. Try again, or pin another version.",
      details: { package: label, expected, actual },
    },
  );
}

function assertIdentity(label: string, inside: { name: string; version: string }): void {
  const found = `${inside.name}@${inside.version}`;
  // npm normalises versions when it publishes: a leading "v" or "=" in package.json stays inside the tarball.
  if (found === label || `${inside.name}@${inside.version.trim().replace(/^[v=\s]+/, "")}` === label) return;
  throw new LarderError("E_TARBALL_IDENTITY", `The tarball of ${label} holds ${JSON.stringify(found)}.`, {
    hint: "The registry serves another package's bytes under this name. Nothing was stored.",
    details: { package: label, found },
  });
}
