import { createHash } from "node:crypto";
import {
  type BlobKey,
  blobKeyOf,
  canonicalJson,
  defaultEnvironment,
  type EnvironmentName,
  type ExactVersion,
  type Generation,
  type Integrity,
  type LockfileHash,
  type Manifest,
  type PackageName,
} from "../../contract/index.ts";
import { commitGeneration, getActiveStore, putBlobEntry, putManifest } from "../../db/index.ts";
import type { ServerContext } from "../context.ts";
import { formatNotice } from "../events/notice.ts";

/** A `bun.lock` without packages: where the next resolve starts. */
const emptyLock = JSON.stringify({ lockfileVersion: 1, workspaces: { "": { name: "allowlist" } }, packages: {} });

export interface TestGeneration {
  generation: Generation;
  manifest: string;
  lockfileHash: LockfileHash;
  key: BlobKey;
}

/** The next generation of an environment, with one package whose tarball is `content`, as an install would leave it. */
export async function commitTestGeneration(
  { db, stores, signer }: ServerContext,
  {
    content,
    environment = defaultEnvironment,
    name = "x",
  }: { content: Uint8Array; environment?: EnvironmentName; name?: string },
): Promise<TestGeneration> {
  const integrity = `sha512-${createHash("sha512").update(content).digest("base64")}` as Integrity;
  const key = blobKeyOf(integrity);
  const pin = { name: name as PackageName, version: "1.0.0" as ExactVersion };
  const id = `${name}@1.0.0`;
  const manifest = canonicalJson({
    format: 1,
    roots: { [pin.name]: id },
    nodes: { [id]: { ...pin, integrity, dependencies: {} } },
  } satisfies Manifest);
  const lockfileHash = createHash("sha256").update(manifest).digest("hex") as LockfileHash;
  const digest = `sha512-${createHash("sha512").update(manifest).digest("base64")}` as Integrity;
  const blobs = await stores.open((await getActiveStore(db.query)) ?? "none");
  await blobs.put(key, single(content));
  const generation = await db.transaction(async (tx) => {
    await putBlobEntry(tx, { key, sizeBytes: content.byteLength, store: blobs.name });
    await putManifest(tx, { lockfileHash, digest, body: manifest, nodes: 1, lockfile: emptyLock, blobs: [key] });
    const outcome = await commitGeneration(tx, {
      environment,
      lockfileHash,
      nodes: 1,
      packages: [pin],
      createdBy: "test",
      reason: "install",
      sign: (number) => signer.sign({ environment, generation: number, lockfileHash, manifestDigest: digest }),
    });
    if (outcome.kind !== "committed") throw new Error(outcome.kind);
    await db.notify(tx, formatNotice({ type: "desired", environment, generation: outcome.generation.number }));
    return outcome.generation;
  });
  return { generation, manifest, lockfileHash, key };
}

async function* single(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
