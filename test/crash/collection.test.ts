import { expect, test } from "bun:test";
import type { BlobKey, OperationOf } from "../../src/contract/index.ts";
import { getBlobEntry, listBlobEntries, listStrayBlobs, reclaimedBytes } from "../../src/db/index.ts";
import { isAsleep, openStorageReplicas, type StorageReplicas } from "./storage-replicas.ts";

// Real replicas over a real PostgreSQL and a file system; kills are `kill -9` of the replica that collects.

const steps = [
  "collect:marked",
  "collect:after-pointers",
  "collect:before-rows",
  "collect:after-rows",
  "collect:after-listing",
  "collect:before-bytes",
  "collect:after-bytes",
  "collect:after-batch",
];
const isThere = async ({ stores }: StorageReplicas, key: BlobKey) => (await (await stores.open("fs")).head(key)) !== undefined;

test(`I4 I11 I13: killed at ${steps.length} steps, the other replica ends it; what is kept is readable all along, what is not is gone`, async () => {
  await using replicas = await openStorageReplicas();
  const other = await replicas.start();
  const kept = await replicas.fill(10, 20_000);
  let total = 0;
  for (const step of steps) {
    const old = await replicas.fill(6, 5000);
    await replicas.commit(kept);
    await replicas.commit([...kept]);
    const probe = replicas.probe(kept);
    const victim = await replicas.start(`${step}:kill`);
    // Asleep for a moment, so that the one to be killed is the one that is elected.
    other.signal("SIGSTOP");
    await replicas.api(victim, "POST", "/storage/collections", { graceMs: 0, keep: 0 });
    expect((await victim.exited).signal).toBe("SIGKILL");
    other.signal("SIGCONT");
    await replicas.ended("collect", "succeeded");
    total += 6 * 5000;
    expect(await probe.stop()).toBeGreaterThan(0);
    for (const key of old) {
      expect(await getBlobEntry(replicas.db.query, key)).toBeUndefined();
      expect(await isThere(replicas, key)).toBe(false);
    }
    expect(await listStrayBlobs(replicas.db.query, { graceMs: 0, limit: 9 })).toEqual([]);
    expect((await listBlobEntries(replicas.db.query)).map(({ key }) => key)).toEqual([...kept].sort());
  }
  await replicas.assertIndexIsTrue();
  // Bytes that were deleted just before a kill may be counted by nobody.
  expect(await reclaimedBytes(replicas.db.query)).toBeLessThanOrEqual(total);
}, 120_000);

test("I5: a collector that sleeps through its election deletes nothing when it wakes up, also not what an install has put back", async () => {
  // Before it holds the epoch, and while it does: then PostgreSQL ends its transaction after 20 s, and only then somebody else is elected.
  await Promise.all(["collect:before-bytes", "collect:holding"].map(sleepAndWakeUp));
}, 90_000);

async function sleepAndWakeUp(step: string): Promise<void> {
  await using replicas = await openStorageReplicas();
  const sleeper = await replicas.start(`${step}:stop`);
  const old = await replicas.fill(5, 5000);
  const kept = await replicas.fill(5, 5000);
  const other = await replicas.start();
  other.signal("SIGSTOP");
  await replicas.api(sleeper, "POST", "/storage/collections", { graceMs: 0, keep: 0 });
  await isAsleep(sleeper);
  // Its rows are gone, its bytes are about to go.
  expect(await getBlobEntry(replicas.db.query, old[0] as BlobKey)).toBeUndefined();
  other.signal("SIGCONT");
  // PostgreSQL ends the sleeper's session after 15 s of silence.
  const { result } = (await replicas.ended("collect", "succeeded", 60_000)) as OperationOf<"collect">;
  expect(result).toMatchObject({ strays: { blobs: 5 } });
  for (const key of old) await replicas.putBack(key);
  await replicas.commit([...old, ...kept]);
  const probe = replicas.probe([...old, ...kept]);
  sleeper.signal("SIGCONT");
  await replicas.api(sleeper, "GET", "/storage");
  await Bun.sleep(1500);
  expect(await probe.stop()).toBeGreaterThan(0);
  expect((await listBlobEntries(replicas.db.query)).map(({ key }) => key)).toEqual([...old, ...kept].sort());
  await replicas.assertIndexIsTrue();
}
