import { afterEach, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import type { FixturePackage } from "../../../test/harness/fixture-package.ts";
import { type InstallStage, openInstallStage } from "../../../test/harness/install-stage.ts";
import {
  blobKeyOf,
  defaultEnvironment,
  type Integrity,
  type LockfileHash,
  type Manifest,
  parseManifest,
} from "../../contract/index.ts";
import { getAllowlist, getBlobEntries, getDesiredState, getManifest, listGenerations } from "../../db/index.ts";
import { armFailpoints } from "../../lib/index.ts";
import { rollbackTo } from "../generations/rollback.ts";

let stage: InstallStage;
afterEach(async () => {
  armFailpoints(undefined);
  try {
    expect(await stage.scratch()).toEqual([]);
  } finally {
    await stage[Symbol.asyncDispose]();
  }
});

/** `app` needs `lib`, and `extra` where it can be had. */
const packages: FixturePackage[] = [
  { name: "app", version: "1.0.0", dependencies: { lib: "^1.0.0" }, optionalDependencies: { extra: "^1.0.0" } },
  { name: "lib", version: "1.0.0" },
  { name: "extra", version: "1.0.0" },
  { name: "@corp/utils", version: "2.0.0", dependencies: { lib: "^1.0.0" } },
];

const generations = () => listGenerations(stage.db.query, defaultEnvironment);

async function manifestOf(lockfileHash: string): Promise<Manifest> {
  const stored = await getManifest(stage.db.query, lockfileHash as LockfileHash);
  if (stored === undefined) throw new Error(`no manifest ${lockfileHash}`);
  return parseManifest(stored.body);
}

const versionsIn = (manifest: Manifest): string[] =>
  Object.values(manifest.nodes)
    .map(({ name, version }) => `${name}@${version}`)
    .sort();

test("an install runs through its phases and makes a generation with a signed desired state, its manifest and its blobs", async () => {
  stage = await openInstallStage(packages);
  await stage.allow("app@1.0.0", "@corp/utils@2.0.0");
  const outcome = await stage.install();
  if (!outcome.ok) throw outcome.error;
  const { result, progress, operation } = outcome;

  expect(progress.map(({ phase }) => phase).filter((phase, i, all) => phase !== all[i - 1])).toEqual([
    "plan",
    "resolve",
    "check",
    "fetch",
    "publish",
    "commit",
  ]);
  const fetching = progress.filter(({ phase, total }) => phase === "fetch" && total !== undefined);
  expect(fetching.map(({ done }) => done)).toEqual([0, 1, 2, 3, 4]);
  expect(fetching.every(({ total }) => total === 4)).toBe(true);
  expect(new Set(fetching.slice(1).map(({ subject }) => subject))).toEqual(
    new Set(["app@1.0.0", "lib@1.0.0", "extra@1.0.0", "@corp/utils@2.0.0"]),
  );

  const bytes = packages.reduce((sum, { name, version }) => sum + stage.registry.get(name, version).tarball.byteLength, 0);
  expect(result).toMatchObject({ generation: 1, changed: true, nodes: 4, blobs: 4, fetched: 4, bytes, fetchedBytes: bytes });
  expect(fetching.at(-1)?.doneBytes).toBe(bytes);
  expect(Object.keys(result.timingsMs).sort()).toEqual(["check", "commit", "fetch", "plan", "publish", "resolve", "total"]);

  const [generation] = await generations();
  expect(generation).toMatchObject({ number: 1, current: true, reason: "install", nodes: 4, operationId: operation.id });
  const signed = await getDesiredState(stage.db.query, defaultEnvironment);
  const { lockfileHash } = result;
  expect(signed?.desired).toMatchObject({ generation: 1, lockfileHash, environment: defaultEnvironment });
  const stored = await getManifest(stage.db.query, lockfileHash as LockfileHash);
  expect(
    createHash("sha256")
      .update(stored?.body ?? "")
      .digest("hex"),
  ).toBe(lockfileHash);
  expect(signed?.desired.manifestDigest).toBe(
    `sha512-${createHash("sha512")
      .update(stored?.body ?? "")
      .digest("base64")}` as Integrity,
  );
  for (const { name, version } of packages) {
    const { integrity, tarball } = stage.registry.get(name, version);
    const key = blobKeyOf(integrity as Integrity);
    expect((await getBlobEntries(stage.db.query, [key])).get(key)).toMatchObject({ sizeBytes: tarball.byteLength, store: "fs" });
    expect(await stage.blobs.head(key)).toEqual({ sizeBytes: tarball.byteLength });
  }
});

test("nothing on the allowlist is a valid, empty generation, made without a word to the registry", async () => {
  stage = await openInstallStage(packages);
  expect(await stage.installed()).toMatchObject({ generation: 1, changed: true, nodes: 0, blobs: 0, bytes: 0, fetched: 0 });
  expect(stage.registry.requests).toEqual([]);
});

test("a second install with nothing changed makes no generation and fetches nothing", async () => {
  stage = await openInstallStage(packages);
  await stage.allow("app@1.0.0");
  const first = await stage.installed();
  const before = stage.registry.requests.length;
  expect(await stage.installed()).toMatchObject({
    generation: 1,
    changed: false,
    lockfileHash: first.lockfileHash,
    fetched: 0,
    fetchedBytes: 0,
    blobs: 3,
    bytes: first.bytes,
  });
  expect((await generations()).length).toBe(1);
  expect(stage.registry.requests.slice(before).filter(({ kind }) => kind === "tarball")).toEqual([]);
});

test("adding a package leaves the others at their versions although newer ones have appeared", async () => {
  stage = await openInstallStage(packages);
  await stage.allow("app@1.0.0");
  await stage.installed();
  stage.registry.add({ name: "lib", version: "1.1.0" }, { name: "extra", version: "1.2.0" });
  await stage.allow("@corp/utils@2.0.0");
  const second = await stage.installed();
  expect(second).toMatchObject({ generation: 2, changed: true, fetched: 1 });
  expect(versionsIn(await manifestOf(second.lockfileHash))).toEqual([
    "@corp/utils@2.0.0",
    "app@1.0.0",
    "extra@1.0.0",
    "lib@1.0.0",
  ]);
});

test("removing a package takes what only it needed out of the next generation", async () => {
  stage = await openInstallStage(packages);
  await stage.allow("app@1.0.0", "@corp/utils@2.0.0");
  await stage.installed();
  await stage.disallow("app");
  const second = await stage.installed();
  expect(second).toMatchObject({ generation: 2, fetched: 0 });
  expect(versionsIn(await manifestOf(second.lockfileHash))).toEqual(["@corp/utils@2.0.0", "lib@1.0.0"]);
});

test("a package whose registry tells SHA-1 alone is checked against that, and recorded with our SHA-512", async () => {
  stage = await openInstallStage([{ name: "ancient", version: "1.0.0", sha1Only: true }]);
  await stage.allow("ancient@1.0.0");
  const first = await stage.installed();
  const { integrity } = stage.registry.get("ancient", "1.0.0");
  expect((await manifestOf(first.lockfileHash)).nodes).toMatchObject({ "ancient@1.0.0": { integrity } });
  expect(await stage.blobs.head(blobKeyOf(integrity as Integrity))).toBeDefined();

  stage.registry.fault(({ kind }) => (kind === "tarball" ? { kind: "status", status: 500 } : undefined));
  expect(await stage.installed()).toMatchObject({ changed: false, lockfileHash: first.lockfileHash });
});

test("an allowlist edited during the resolve is planned again: the generation is what it says at the commit", async () => {
  stage = await openInstallStage(packages);
  await stage.allow("app@1.0.0");
  let edits = 0;
  armFailpoints(async (name) => {
    if (name === "install:resolved" && edits++ === 0) await stage.allow("@corp/utils@2.0.0");
  });
  const result = await stage.installed();
  expect(edits).toBe(2);
  expect(result).toMatchObject({ generation: 1, nodes: 4 });
  const [generation] = await generations();
  expect(generation?.packages.map(({ name }) => name as string).sort()).toEqual(["@corp/utils", "app"]);
  expect((await getAllowlist(stage.db.query, defaultEnvironment))?.installDue).toBe(false);
});

test("a rollback is a new generation with the old manifest, made without the registry", async () => {
  stage = await openInstallStage(packages);
  await stage.allow("app@1.0.0");
  const first = await stage.installed();
  await stage.allow("@corp/utils@2.0.0");
  await stage.installed();
  const before = stage.registry.requests.length;
  const rollback = { environment: defaultEnvironment, number: 1, requestedBy: "test" };
  expect(await rollbackTo(stage.db, stage.signer, rollback)).toMatchObject({
    number: 3,
    lockfileHash: first.lockfileHash,
    reason: "rollback",
    rollbackOf: 1,
    current: true,
  });
  expect(stage.registry.requests.length).toBe(before);
  const signed = await getDesiredState(stage.db.query, defaultEnvironment);
  expect(signed?.desired).toMatchObject({ generation: 3, lockfileHash: first.lockfileHash });

  await expect(rollbackTo(stage.db, stage.signer, rollback)).rejects.toMatchObject({ code: "E_CONFLICT" });
  await expect(rollbackTo(stage.db, stage.signer, { ...rollback, number: 9 })).rejects.toMatchObject({ code: "E_NOT_FOUND" });
  expect((await generations()).length).toBe(3);
  // The allowlist still says what the rollback took back.
  expect(await stage.installed()).toMatchObject({ generation: 4, changed: true, fetched: 0 });
});

test("bytes that the blob store lost are fetched again, and the generation stays", async () => {
  stage = await openInstallStage(packages);
  await stage.allow("app@1.0.0");
  await stage.installed();
  const key = blobKeyOf(stage.registry.get("lib", "1.0.0").integrity as Integrity);
  await stage.blobs.delete(key);
  expect(await stage.installed()).toMatchObject({ generation: 1, changed: false, fetched: 1 });
  expect(await stage.blobs.head(key)).toBeDefined();
});

test("a package with files that Windows cannot hold comes in, with a warning that names them", async () => {
  stage = await openInstallStage([{ name: "odd", version: "1.0.0", files: { "index.js": "", "lib/aux.js": "" } }]);
  await stage.allow("odd@1.0.0");
  expect(await stage.installed()).toMatchObject({
    generation: 1,
    warnings: ["odd@1.0.0 has files that Windows cannot hold: lib/aux.js."],
  });
});
