import { expect, test } from "bun:test";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { StorageStatus } from "../../src/contract/index.ts";
import { getActiveStore, listBlobEntries, listOperations } from "../../src/db/index.ts";
import { openSmallDisk, whyNoSmallDisk } from "../harness/small-disk.ts";
import { testUnless } from "../harness/test-unless.ts";
import { flipBit, isAsleep, openStorageReplicas } from "./storage-replicas.ts";

// Real replicas over a real PostgreSQL, a file system and a real S3 server; kills are `kill -9` of the replica that runs the migration.

const steps = [
  "migrate:planned",
  "migrate:probed",
  "migrate:after-put",
  "migrate:after-put@9",
  "migrate:after-read-back@2",
  "migrate:after-row@5",
  "migrate:after-row@20",
  "migrate:moved",
  "migrate:flipped",
];
const stores = ["postgres", "s3", "fs"];

test(`I3 I4 I5 I11: killed at ${steps.length} steps on the way round ${stores.join(", ")}, the other replica ends it; every read meanwhile succeeds`, async () => {
  await using replicas = await openStorageReplicas();
  const other = await replicas.start();
  const keys = await replicas.fill(20, 60_000);
  const probe = replicas.probe(keys);
  for (const [round, step] of steps.entries()) {
    const target = stores[round % stores.length] as string;
    // Asleep for a moment, so that the one to be killed is the one that is elected.
    const victim = await replicas.start(step.includes("@") ? step.replace("@", ":kill@") : `${step}:kill`);
    other.signal("SIGSTOP");
    await replicas.api(victim, "POST", "/storage/migrations", { target });
    expect((await victim.exited).signal).toBe("SIGKILL");
    other.signal("SIGCONT");
    const ended = await replicas.ended("migrate", "succeeded");
    expect(ended.attempt).toBe(2);
    expect(await getActiveStore(replicas.db.query)).toBe(target);
    expect(new Set((await listBlobEntries(replicas.db.query)).map(({ store }) => store))).toEqual(new Set([target]));
    await replicas.assertIndexIsTrue();
    // So that the next round copies, and does not only read what is there.
    await replicas.api(other, "POST", "/storage/collections", { graceMs: 0 });
    await replicas.ended("collect", "succeeded");
  }
  const reads = await probe.stop();
  expect(reads).toBeGreaterThan(keys.length);
  console.log(`killed at ${steps.length} steps; ${reads} reads meanwhile, none failed`);
}, 120_000);

test("a migration goes on after any number of crashes, not just three", async () => {
  await using replicas = await openStorageReplicas();
  await using first = await replicas.start("migrate:after-row:kill");
  await replicas.fill(8, 20_000);
  await replicas.api(first, "POST", "/storage/migrations", { target: "postgres" });
  await first.exited;
  for (let crash = 2; crash <= 5; crash++) await (await replicas.start("migrate:after-row:kill").catch(() => undefined))?.exited;
  await replicas.start();
  const { attempt } = await replicas.ended("migrate", "succeeded");
  expect(attempt).toBeGreaterThanOrEqual(5);
  await replicas.assertIndexIsTrue();
}, 60_000);

test("I5: a replica that sleeps through its election changes nothing when it wakes up", async () => {
  await using replicas = await openStorageReplicas();
  const sleeper = await replicas.start("migrate:after-read-back:stop@3");
  const keys = await replicas.fill(12, 30_000);
  const probe = replicas.probe(keys);
  const other = await replicas.start();
  other.signal("SIGSTOP");
  await replicas.api(sleeper, "POST", "/storage/migrations", { target: "postgres", parallel: 1 });
  await isAsleep(sleeper);
  other.signal("SIGCONT");
  // PostgreSQL ends the sleeper's session after 15 s of silence.
  await replicas.ended("migrate", "succeeded", 40_000);
  await replicas.api(other, "POST", "/storage/migrations", { target: "s3" });
  await replicas.ended("migrate", "succeeded");
  const [rows, operations] = [await listBlobEntries(replicas.db.query), await listOperations(replicas.db.query)];
  sleeper.signal("SIGCONT");
  await replicas.api(sleeper, "GET", "/storage");
  await Bun.sleep(1500);
  expect(await listBlobEntries(replicas.db.query)).toEqual(rows);
  expect(await listOperations(replicas.db.query)).toEqual(operations);
  expect(await getActiveStore(replicas.db.query)).toBe("s3");
  await replicas.assertIndexIsTrue();
  expect(await probe.stop()).toBeGreaterThan(0);
  // It takes part again.
  await other.kill9();
  await replicas.api(sleeper, "POST", "/storage/migrations", { target: "fs" });
  await replicas.ended("migrate", "succeeded");
}, 90_000);

test("one bit flipped at the source is named and the active store stays; wrong bytes on the target are overwritten; mended, it resumes", async () => {
  await using replicas = await openStorageReplicas();
  const server = await replicas.start();
  const [bad, ...good] = await replicas.fill(6, 10_000);
  await replicas.api(server, "POST", "/storage/migrations", { target: "postgres" });
  await replicas.ended("migrate", "succeeded");
  // What the file system still has is torn, swapped, longer, and gone.
  for (const [index, key] of good.entries()) {
    const path = replicas.fsPathOf(key);
    await rm(path, { force: true });
    await mkdir(dirname(path), { recursive: true });
    const bytes = replicas.bytesOf(key);
    if (index === 0) await writeFile(path, bytes.subarray(0, 5000));
    if (index === 1) await writeFile(path, replicas.bytesOf(good[0]!));
    if (index === 2) await writeFile(path, Buffer.concat([bytes, bytes]));
  }
  await replicas.api(server, "POST", "/storage/migrations", { target: "fs" });
  await replicas.ended("migrate", "succeeded");
  await replicas.assertIndexIsTrue();

  await replicas.db.query.execute(`delete from blob_contents where key = '${bad}'`);
  await flipBit(replicas.fsPathOf(bad!));
  await replicas.api(server, "POST", "/storage/migrations", { target: "s3" });
  const failed = await replicas.ended("migrate", "failed");
  expect(failed.error?.code).toBe("E_BLOB_CORRUPT");
  const status = await replicas.api<StorageStatus>(server, "GET", "/storage");
  expect(status).toMatchObject({
    active: "fs",
    migration: { state: "failed", target: "s3", done: 5, total: 6, failures: [{ blob: bad, code: "E_BLOB_CORRUPT" }] },
  });
  expect(status.quarantined).toMatchObject([{ blob: bad, store: "fs" }]);
  await replicas.putBack(bad!);
  await replicas.api(server, "POST", "/storage/migrations/resume", {});
  await replicas.ended("migrate", "succeeded");
  expect(await getActiveStore(replicas.db.query)).toBe("s3");
  await replicas.assertIndexIsTrue();
}, 60_000);

testUnless(
  whyNoSmallDisk(),
  "a full target pauses it with the reason; with room again it resumes",
  async () => {
    await using replicas = await openStorageReplicas();
    const server = await replicas.start();
    const keys = await replicas.fill(20, 100_000);
    await replicas.api(server, "POST", "/storage/migrations", { target: "postgres" });
    await replicas.ended("migrate", "succeeded");
    await using disk = await openSmallDisk(1 << 20, `${replicas.directory}/data/control/blobs`);
    const restarted = await replicas.start();
    await server.kill9();
    await replicas.api(restarted, "POST", "/storage/migrations", { target: "fs" });
    const failed = await replicas.ended("migrate", "failed");
    expect(failed.error).toMatchObject({ code: "E_NO_SPACE", message: expect.stringContaining("paused") });
    const status = await replicas.api<StorageStatus>(restarted, "GET", "/storage");
    expect(status).toMatchObject({ active: "postgres", migration: { state: "failed", target: "fs" } });
    expect(status.migration.hint).toContain("larder storage resume");
    expect(status.migration.done).toBeLessThan(keys.length);
    await replicas.assertIndexIsTrue();
    await disk.resize(8 << 20);
    await replicas.api(restarted, "POST", "/storage/migrations/resume", {});
    await replicas.ended("migrate", "succeeded");
    await replicas.assertIndexIsTrue();
    // Read from there while it is mounted.
    expect(await getActiveStore(replicas.db.query)).toBe("fs");
  },
  60_000,
);

test("what cannot work is refused before anything starts", async () => {
  await using replicas = await openStorageReplicas();
  const server = await replicas.start();
  await replicas.fill(2, 1000);
  const ask = (target: string) => replicas.api(server, "POST", "/storage/migrations", { target });
  await expect(ask("tape")).rejects.toThrow(/400.*E_INPUT/);
  await replicas.stopS3();
  await expect(ask("s3")).rejects.toThrow(/503.*E_STORE_UNAVAILABLE/);
  await expect(replicas.api(server, "POST", "/storage/migrations/resume", {})).rejects.toThrow(/409.*There was no migration/);
  await expect(replicas.api(server, "POST", "/storage/migrations/cancel", {})).rejects.toThrow(/409/);
  expect(await listOperations(replicas.db.query)).toEqual([]);
  expect(await getActiveStore(replicas.db.query)).toBe("fs");
}, 40_000);
