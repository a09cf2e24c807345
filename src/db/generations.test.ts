import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { onBothDatabases } from "../../test/harness/on-both-databases.ts";
import {
  type BlobKey,
  type EnvironmentName,
  generationSchema,
  type LockfileHash,
  type SignedDesiredState,
  signedDesiredStateSchema,
} from "../contract/index.ts";
import {
  blobUsage,
  deleteBlobEntry,
  getBlobEntries,
  getBlobEntry,
  getBlobEntryOf,
  listBlobEntries,
  putBlobEntry,
} from "./blob-index.ts";
import { getDesiredState, putDesiredState } from "./desired-states.ts";
import { assertEpoch, isCurrentEpoch, tryElect } from "./election.ts";
import {
  type CommitResult,
  commitGeneration,
  currentGeneration,
  type GenerationCommit,
  getGeneration,
  listGenerations,
} from "./generations.ts";
import { getLockfile, getManifest, getManifestOf, listManifestBlobs, putManifest } from "./manifests.ts";
import { getAllowlist, upsertPackages } from "./packages.ts";
import { markUnreferenced } from "./retention.ts";

let seed = 0;
const hashOf = (text: string) => createHash("sha256").update(text).digest("hex") as LockfileHash;
const someBlob = () => createHash("sha512").update(`blob ${++seed}`).digest("hex") as BlobKey;
const digest = `sha512-${"A".repeat(86)}==` as never;

function signedFor(environment: EnvironmentName, lockfileHash: LockfileHash) {
  return async (generation: number): Promise<SignedDesiredState> => ({
    desired: {
      format: 1,
      storeId: "store-of-tests",
      environment,
      generation,
      lockfileHash,
      manifestDigest: digest,
      issuedAt: "2026-01-31T12:00:00.000Z",
      expiresAt: "2026-02-28T12:00:00.000Z",
    },
    keyId: "key",
    signature: "AAAA",
  });
}

onBothDatabases("generations, manifests and blobs", ({ db, environment }) => {
  const someManifest = async (blobs: BlobKey[] = []) => {
    const body = JSON.stringify({ seed: ++seed });
    const manifest = { lockfileHash: hashOf(body), digest, body, nodes: 1 };
    await db().transaction((tx) => putManifest(tx, { ...manifest, lockfile: `lock of ${body}`, blobs }));
    return manifest;
  };
  const commit = async (name: EnvironmentName, rest: Partial<GenerationCommit> = {}): Promise<CommitResult> => {
    const lockfileHash = rest.lockfileHash ?? (await someManifest()).lockfileHash;
    const sign = signedFor(name, lockfileHash);
    return await db().transaction((tx) =>
      commitGeneration(tx, {
        environment: name,
        lockfileHash,
        nodes: 1,
        packages: [],
        createdBy: "ann",
        reason: "install",
        sign,
        ...rest,
      }),
    );
  };

  test("a commit makes the next generation, its desired state and the environment's current one together", async () => {
    const name = await environment();
    expect(await currentGeneration(db().query, name)).toBeUndefined();
    expect(await getDesiredState(db().query, name)).toBeUndefined();
    const pins = [{ name: "lodash" as never, version: "4.17.21" as never }];
    await db().transaction((tx) => upsertPackages(tx, name, { pins, addedBy: "ann" }));
    const first = await commit(name, { expectedRevision: 1, packages: pins, operationId: "op-1" });
    expect(first).toMatchObject({
      kind: "committed",
      generation: { number: 1, current: true, packages: pins, operationId: "op-1" },
    });
    expect(await commit(name)).toMatchObject({ kind: "committed", generation: { number: 2, current: true } });
    const listed = await listGenerations(db().query, name);
    expect(listed.map(({ number, current }) => ({ number, current }))).toEqual([
      { number: 2, current: true },
      { number: 1, current: false },
    ]);
    for (const generation of listed) expect(generationSchema.parse(generation)).toEqual(generation as never);
    expect(await getGeneration(db().query, name, 1)).toEqual(listed[1]);
    expect(await getGeneration(db().query, name, 3)).toBeUndefined();
    expect((await currentGeneration(db().query, name))?.number).toBe(2);
    const desired = await getDesiredState(db().query, name);
    expect(signedDesiredStateSchema.parse(desired)).toEqual(desired as never);
    expect(desired?.desired.generation).toBe(2);
  });

  test("an install is due until the current generation has the enabled packages", async () => {
    const name = await environment();
    const pins = [{ name: "lodash" as never, version: "4.17.21" as never }];
    await db().transaction((tx) => upsertPackages(tx, name, { pins, addedBy: "ann" }));
    expect((await getAllowlist(db().query, name))?.installDue).toBe(true);
    await commit(name, { packages: pins });
    expect((await getAllowlist(db().query, name))?.installDue).toBe(false);
  });

  test("a commit on an old allowlist revision changes nothing", async () => {
    const name = await environment();
    await db().transaction((tx) =>
      upsertPackages(tx, name, { pins: [{ name: "a" as never, version: "1.0.0" as never }], addedBy: "ann" }),
    );
    expect(await commit(name, { expectedRevision: 0 })).toEqual({ kind: "stale", revision: 1 });
    expect(await listGenerations(db().query, name)).toEqual([]);
    expect(await getDesiredState(db().query, name)).toBeUndefined();
  });

  test("I5: a commit of an earlier epoch changes nothing", async () => {
    const name = await environment();
    await using earlier = await tryElect(db());
    await earlier?.[Symbol.asyncDispose]();
    await using later = await tryElect(db());
    if (!earlier || !later) throw new Error("not elected");
    expect(later.epoch).toBeGreaterThan(earlier.epoch);
    expect(await commit(name, { epoch: earlier.epoch })).toEqual({ kind: "fenced" });
    expect(await listGenerations(db().query, name)).toEqual([]);
    expect(await isCurrentEpoch(db().query, earlier.epoch)).toBe(false);
    await expect(assertEpoch(db().query, earlier.epoch)).rejects.toMatchObject({ code: "E_FENCED" });
    expect(await commit(name, { epoch: later.epoch })).toMatchObject({ kind: "committed" });
  });

  test("I6: concurrent commits get numbers of their own, in order", async () => {
    const name = await environment();
    const { lockfileHash } = await someManifest();
    const results = await Promise.all(Array.from({ length: 10 }, () => commit(name, { lockfileHash })));
    const numbers = results.map((result) => (result.kind === "committed" ? result.generation.number : 0));
    expect(numbers.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect((await getDesiredState(db().query, name))?.desired.generation).toBe(10);
  });

  test("a failure to sign leaves no generation", async () => {
    const name = await environment();
    const sign = () => Promise.reject(new Error("no key"));
    await expect(commit(name, { sign })).rejects.toThrow("no key");
    expect(await commit(name)).toMatchObject({ generation: { number: 1 } });
  });

  test("I6: a desired state never goes back", async () => {
    const name = await environment();
    const sign = signedFor(name, hashOf("x"));
    expect(await putDesiredState(db().query, await sign(5))).toBe(true);
    expect(await putDesiredState(db().query, await sign(4))).toBe(false);
    expect(await putDesiredState(db().query, { ...(await sign(5)), keyId: "other" })).toBe(true);
    expect(await getDesiredState(db().query, name)).toMatchObject({ keyId: "other", desired: { generation: 5 } });
  });

  test("a manifest keeps its exact text, and may be put again", async () => {
    const keys = [someBlob(), someBlob()].sort();
    const manifest = await someManifest([...keys, ...keys]);
    await db().transaction((tx) => putManifest(tx, { ...manifest, lockfile: "another", blobs: keys }));
    expect(await getManifest(db().query, manifest.lockfileHash)).toEqual(manifest);
    expect((await getLockfile(db().query, manifest.lockfileHash))?.lockfile).toBe(`lock of ${manifest.body}`);
    expect(await listManifestBlobs(db().query, manifest.lockfileHash)).toEqual(keys);
    expect(await getManifest(db().query, hashOf("absent"))).toBeUndefined();
  });

  test("hosts of an environment may read the manifests and blobs of its generations, and no others", async () => {
    const [name, other] = [await environment(), await environment()];
    const key = someBlob();
    const { lockfileHash } = await someManifest([key]);
    await putBlobEntry(db().query, { key, sizeBytes: 10, store: "memory" });
    expect(await getBlobEntryOf(db().query, name, key)).toBeUndefined();
    expect(await getManifestOf(db().query, name, lockfileHash)).toBeUndefined();
    await commit(name, { lockfileHash });
    expect(await getBlobEntryOf(db().query, name, key)).toMatchObject({ key, sizeBytes: 10, store: "memory" });
    expect(await getManifestOf(db().query, name, lockfileHash)).toMatchObject({ lockfileHash });
    expect(await getBlobEntryOf(db().query, other, key)).toBeUndefined();
    expect(await getManifestOf(db().query, other, lockfileHash)).toBeUndefined();
  });

  test("the blob index counts what it holds", async () => {
    const before = await blobUsage(db().query);
    const keys = Array.from({ length: 5 }, someBlob).sort();
    const huge = 3_000_000_000;
    for (const key of keys) await putBlobEntry(db().query, { key, sizeBytes: huge, unpackedBytes: 7, store: "fs" });
    await putBlobEntry(db().query, { key: keys[0]!, sizeBytes: huge, store: "other" });
    expect(await getBlobEntry(db().query, keys[0]!)).toMatchObject({ store: "other", sizeBytes: huge, unpackedBytes: 7 });
    expect(await blobUsage(db().query)).toEqual({ blobs: before.blobs + 5, bytes: before.bytes + 5 * huge });
    expect([...(await getBlobEntries(db().query, [...keys, someBlob()])).keys()].sort()).toEqual(keys);
    const listed = await listBlobEntries(db().query, { after: keys[1]!, limit: 1000 });
    expect(listed.every(({ key }) => key > keys[1]!)).toBe(true);
    await deleteBlobEntry(db().query, keys[0]!);
    expect(await getBlobEntry(db().query, keys[0]!)).toBeUndefined();
  });

  test("a blob's grace starts when nothing refers to it any more, and ends when something does again", async () => {
    const name = await environment();
    const key = someBlob();
    await putBlobEntry(db().query, { key, sizeBytes: 1, store: "memory" });
    await db().transaction((tx) => markUnreferenced(tx, 1));
    const marked = await getBlobEntry(db().query, key);
    expect(marked?.unreferencedSince).toMatch(/^\d{4}-.*Z$/);
    await db().transaction((tx) => markUnreferenced(tx, 1));
    expect(await getBlobEntry(db().query, key)).toEqual(marked);
    await commit(name, { lockfileHash: (await someManifest([key])).lockfileHash });
    await db().transaction((tx) => markUnreferenced(tx, 1));
    expect((await getBlobEntry(db().query, key))?.unreferencedSince).toBeUndefined();
  });
});
