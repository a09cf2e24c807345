import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { sql } from "drizzle-orm";
import { type InstallStage, openInstallStage } from "../../../test/harness/install-stage.ts";
import { until } from "../../../test/harness/until.ts";
import { type BlobKey, defaultEnvironment, type Host, type Id, type Platform, parsePlatform } from "../../contract/index.ts";
import { insertHost, listAudit, listOperations, quarantineBlob, requestOperationCancel, revokeHost } from "../../db/index.ts";
import { silentLogger } from "../../lib/index.ts";
import { requestInstall } from "../../operations/index.ts";
import { createStocker, type Stocker } from "./stocker.ts";

setDefaultTimeout(60_000);

const environment = defaultEnvironment;
const [linux, mac] = [parsePlatform("linux-x64-glibc"), parsePlatform("darwin-arm64")];

let stage: InstallStage;
let stocker: Stocker;
beforeEach(async () => {
  stage = await openInstallStage([
    { name: "app", version: "1.0.0", optionalDependencies: { "app-mac": "1.0.0" } },
    { name: "app-mac", version: "1.0.0", os: ["darwin"], cpu: ["arm64"] },
  ]);
  await stage.allow("app@1.0.0");
  await stage.installed({ platforms: [linux] });
  await stage.db.transaction((tx) => insertHost(tx, { id: "mac" as Id, environment, platform: mac }));
  stocker = createStocker({ db: stage.db, logger: silentLogger, platforms: [linux], lookEveryMs: 0, lookAfterMs: 0 });
});
afterEach(() => stage[Symbol.asyncDispose]());

const report = (phase: Host["phase"], platform = mac) => stocker.consider({ environment, phase, platform });
const stocks = async () => (await listOperations(stage.db.query)).filter(({ kind }) => kind === "stock");
/** As if all that has ended had ended so much earlier. */
const pass = (seconds: number) =>
  stage.db.query.execute(sql`update operations set ended_at = ended_at - ${seconds}::int * interval '1 second'`);
const failing = () => stage.registry.fault(({ kind }) => (kind === "tarball" ? { kind: "status", status: 404 } : undefined));

test.each(["pending", "error"] as const)(
  "a host that is %s and lacks something makes one stocking, however often it says so",
  async (phase) => {
    await Promise.all([report(phase), report(phase), report(phase)]);
    expect(await stocks()).toMatchObject([{ state: "queued", environment, requestedBy: "stocker" }]);
    const [row] = await listAudit(stage.db.query, { limit: 1 });
    expect(row).toMatchObject({ actor: "stocker", action: "stock.start", target: environment });
    await stage.stock({ platforms: [linux] });
    await report(phase);
    expect(await stocks()).toMatchObject([{ state: "succeeded" }]);
  },
);

test("a host that is well, or in trouble for another reason, makes none", async () => {
  await report("ready");
  await report("syncing");
  await stage.stock({ platforms: [linux] });
  await report("error");
  await report("error", linux);
  expect(await stocks()).toHaveLength(1);
});

test("a new generation is looked at for the platforms of all hosts", async () => {
  stocker.notice({ type: "desired", environment, generation: 1 });
  expect(await until("a stocking is queued", async () => (await stocks())[0])).toMatchObject({ state: "queued" });
});

test("a blob that was found lost is fetched again", async () => {
  await stage.stock({ platforms: [linux] });
  await report("error");
  expect(await stocks()).toHaveLength(1);
  const { key } = (await Array.fromAsync(stage.blobs.list()))[0] as { key: BlobKey };
  await stage.blobs.delete(key);
  await quarantineBlob(stage.db.query, { key, store: stage.blobs.name, reason: "missing" });
  await report("error");
  expect(await stage.stock({ platforms: [linux] })).toMatchObject({ ok: true, result: { fetched: 1 } });
});

test("after one that brought nothing it waits, each time twice as long, on every replica; ten minutes at most", async () => {
  failing();
  await report("error");
  for (const [attempts, seconds] of [5, 10, 20, 40, 80, 160, 320, 600, 600].entries()) {
    expect(await stage.stock({ platforms: [linux] })).toMatchObject({ ok: false });
    await pass(seconds - 2);
    await report("error");
    await createStocker({ db: stage.db, logger: silentLogger, platforms: [linux] }).consider({
      environment,
      phase: "error",
      platform: mac,
    });
    expect(await stocks()).toHaveLength(attempts + 1);
    await pass(2);
    await report("error");
    expect(await stocks()).toHaveLength(attempts + 2);
  }
});

test("one that was cancelled is left alone for ten minutes", async () => {
  await report("error");
  const [queued] = await stocks();
  await requestOperationCancel(stage.db.query, queued?.id as Id);
  await pass(590);
  await report("error");
  expect(await stocks()).toMatchObject([{ state: "cancelled" }]);
  await pass(10);
  await report("error");
  expect(await stocks()).toHaveLength(2);
});

test("what failed for an earlier generation does not hold the next one up", async () => {
  failing();
  await report("error");
  await stage.stock({ platforms: [linux] });
  await report("error");
  expect(await stocks()).toHaveLength(1);
  await stage.db.query.execute(sql`update generations set created_at = now()`);
  await report("error");
  expect(await stocks()).toHaveLength(2);
});

test("while an install is queued it leaves it to that", async () => {
  await requestInstall(stage.db, { environment, requestedBy: "test" });
  await report("error");
  expect(await stocks()).toEqual([]);
});

test("a start that was given another platform has what hosts of it would lack fetched, without any such host", async () => {
  await stage.db.transaction((tx) => revokeHost(tx, "mac" as Id));
  const start = (platforms: Platform[]) =>
    createStocker({ db: stage.db, logger: silentLogger, platforms, lookAfterMs: 0, lookAgainMs: 20 });
  using same = start([linux]);
  same.begin();
  using other = start([linux, mac]);
  other.begin();
  await until("a stocking is queued", async () => (await stocks())[0]);
  expect(await stage.stock({ platforms: [linux, mac] })).toMatchObject({ ok: true, result: { fetched: 1 } });
  expect(await stocks()).toHaveLength(1);
});

test("while something lacks it looks again, as after a stocking by a replica that was not given the platform", async () => {
  using other = createStocker({
    db: stage.db,
    logger: silentLogger,
    platforms: [linux, mac],
    lookAfterMs: 0,
    lookAgainMs: 20,
  });
  await stage.db.transaction((tx) => revokeHost(tx, "mac" as Id));
  other.begin();
  await until("a stocking is queued", async () => (await stocks())[0]);
  expect(await stage.stock({ platforms: [linux] })).toMatchObject({ ok: true, result: { fetched: 0 } });
  await pass(5);
  await until("another is queued", async () => (await stocks()).find(({ state }) => state === "queued"));
});
