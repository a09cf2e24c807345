import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { buildPackage, type FixturePackage } from "../../../test/harness/fixture-package.ts";
import { type InstallStage, openInstallStage } from "../../../test/harness/install-stage.ts";
import { defaultEnvironment, type Id, parseExactVersion, parsePackageName, parsePlatform } from "../../contract/index.ts";
import { getAllowlist, insertHost, insertRevocation, listBlobEntries, listGenerations } from "../../db/index.ts";
import { armFailpoints } from "../../lib/index.ts";
import { rollbackTo } from "../generations/rollback.ts";

setDefaultTimeout(60_000);

const [linux, mac] = [parsePlatform("linux-x64-glibc"), parsePlatform("darwin-arm64")];
const built = (name: string, os: string, cpu: string): FixturePackage => ({ name, version: "1.0.0", os: [os], cpu: [cpu] });
const packages: FixturePackage[] = [
  { name: "app", version: "1.0.0", optionalDependencies: { "app-linux": "1.0.0", "app-mac": "1.0.0" } },
  built("app-linux", "linux", "x64"),
  built("app-mac", "darwin", "arm64"),
  { name: "other", version: "1.0.0" },
];

let stage: InstallStage;
beforeEach(async () => {
  stage = await openInstallStage(packages);
  await stage.allow("app@1.0.0");
  expect(await stage.installed({ platforms: [linux] })).toMatchObject({ fetched: 2 });
  stage.registry.requests.length = 0;
});
afterEach(async () => {
  armFailpoints(undefined);
  expect(await stage.scratch()).toEqual([]);
  await stage[Symbol.asyncDispose]();
});

const joinMac = () =>
  stage.db.transaction((tx) => insertHost(tx, { id: "mac" as Id, environment: defaultEnvironment, platform: mac }));
const fetched = () => stage.registry.requests.filter(({ kind }) => kind === "tarball").map(({ name }) => name);
const blobs = async () => (await listBlobEntries(stage.db.query)).length;

test("what a host of a new platform lacks is fetched, and nothing else; no generation is made, and the allowlist's changes stay unreleased", async () => {
  await joinMac();
  await stage.allow("other@1.0.0");
  const outcome = await stage.stock({ platforms: [linux] });
  expect(outcome).toMatchObject({
    ok: true,
    result: { generation: 1, platforms: ["darwin-arm64", "linux-x64-glibc"], blobs: 3, fetched: 1 },
  });
  expect(outcome.progress).toContainEqual(
    expect.objectContaining({ phase: "fetch", done: 1, total: 1, subject: "app-mac@1.0.0" }),
  );
  expect(fetched()).toEqual(["app-mac"]);
  expect(await listGenerations(stage.db.query, defaultEnvironment)).toHaveLength(1);
  expect((await getAllowlist(stage.db.query, defaultEnvironment))?.installDue).toBe(true);
  expect(await stage.stock({ platforms: [linux] })).toMatchObject({ ok: true, result: { fetched: 0, blobs: 3 } });
});

test("bytes that are not those of the manifest are refused by name, and nothing is stored", async () => {
  await joinMac();
  const { tarball } = buildPackage({
    ...built("app-mac", "darwin", "arm64"),
    files: { "index.js": "module.exports = 'another';" },
  });
  stage.registry.fault(({ kind }) => (kind === "tarball" ? { kind: "body", body: tarball } : undefined));
  const outcome = await stage.stock();
  expect(outcome).toMatchObject({ ok: false, error: { code: "E_INTEGRITY" } });
  expect(!outcome.ok && outcome.error.message).toContain("app-mac@1.0.0");
  expect(await blobs()).toBe(2);
});

test("a version that was revoked since is not fetched, even for hosts whose generation still has it", async () => {
  await joinMac();
  await insertRevocation(stage.db.query, {
    name: parsePackageName("app-mac"),
    version: parseExactVersion("1.0.0"),
    revokedBy: "test",
  });
  const outcome = await stage.stock();
  expect(outcome).toMatchObject({ ok: false, error: { code: "E_POLICY" } });
  expect([fetched(), await blobs()]).toEqual([[], 2]);
});

test("a generation that comes meanwhile is stocked too, before it ends", async () => {
  await stage.allow("other@1.0.0");
  await stage.installed({ platforms: [linux] });
  await joinMac();
  let rolledBack = false;
  armFailpoints(async (name) => {
    if (name !== "stock:fetched" || rolledBack) return;
    rolledBack = true;
    await rollbackTo(stage.db, stage.signer, { environment: defaultEnvironment, number: 1, requestedBy: "test" });
  });
  expect(await stage.stock()).toMatchObject({ ok: true, result: { generation: 3, fetched: 1 } });
});

test("one that is cut off goes on where it was", async () => {
  await joinMac();
  const stop = new AbortController();
  armFailpoints((name) => {
    if (name === "stock:fetched") stop.abort(new Error("cut"));
    stop.signal.throwIfAborted();
  });
  expect(await stage.stock({ signal: stop.signal })).toMatchObject({ ok: false });
  armFailpoints(undefined);
  expect(await stage.stock()).toMatchObject({ ok: true, result: { fetched: 0 } });
  expect(fetched()).toEqual(["app-mac"]);
});
