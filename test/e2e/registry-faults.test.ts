import { afterAll, beforeAll, expect, test } from "bun:test";
import { blobKeyOf, defaultEnvironment, type Integrity, type LockfileHash, parseManifest } from "../../src/contract/index.ts";
import { currentGeneration, deleteBlobEntry, getDesiredState, getManifest, listBlobEntries } from "../../src/db/index.ts";
import { flipCurrent, type HostStore, materialise, openHostStore, openStoreWriter, planTree } from "../../src/host/index.ts";
import { rollbackTo } from "../../src/operations/index.ts";
import { createRunner } from "../../src/runner/index.ts";
import type { FixturePackage } from "../harness/fixture-package.ts";
import { type InstallStage, openInstallStage, type StagedInstall } from "../harness/install-stage.ts";
import { leftoversIn } from "../harness/leaks.ts";
import type { RegistryFault, RegistryRequest } from "../harness/registry-fault.ts";

/** What was installed before things go wrong, and what is to be added: a transitive dependency, an optional one and a scope. */
const packages: FixturePackage[] = [
  { name: "base", version: "1.0.0", files: { "index.js": "module.exports = 'the last good one';" } },
  { name: "app", version: "1.0.0", dependencies: { lib: "^1.0.0" }, optionalDependencies: { extra: "^1.0.0" } },
  { name: "lib", version: "1.2.0", dependencies: { "@corp/leaf": "^3.0.0" } },
  { name: "extra", version: "1.0.0" },
  { name: "@corp/leaf", version: "3.0.0" },
];
const added = packages.slice(1);
/** Of the install that adds `app`: four packuments and four tarballs. */
const requestCount = 8;

let stage: InstallStage;
let store: HostStore;
let healthyHash: string;

beforeAll(async () => {
  stage = await openInstallStage(packages);
  store = await openHostStore({ directory: `${stage.directory}/host` });
  await stage.allow("base@1.0.0");
  await serve((await stage.installed()).lockfileHash, 1);
  await stage.allow("app@1.0.0");
  const before = stage.registry.requests.length;
  healthyHash = (await stage.installed()).lockfileHash;
  expect(stage.registry.requests.length - before).toBe(requestCount);
  await forget();
}, 60_000);

afterAll(async () => {
  expect((await leftoversIn(store.directory)).filter((path) => !path.startsWith("leases"))).toEqual([]);
  await store[Symbol.asyncDispose]();
  await stage[Symbol.asyncDispose]();
});

async function serve(lockfileHash: string, generation: number): Promise<void> {
  const stored = await getManifest(stage.db.query, lockfileHash as LockfileHash);
  const plan = planTree(parseManifest(stored?.body ?? ""), {
    lockfileHash: lockfileHash as LockfileHash,
    platform: store.platform,
  });
  await using writer = await openStoreWriter(store, { purpose: "test" });
  await materialise(writer, plan, {
    signal: new AbortController().signal,
    async fetchBlob(key) {
      const blob = await stage.blobs.get(key);
      if (blob === undefined) throw new Error(`no blob ${key}`);
      return blob.content;
    },
  });
  await flipCurrent(writer, { generation, lockfileHash: lockfileHash as LockfileHash });
}

/** Back to generation 1's packages, and none of the added ones' blobs: the next install has everything to do again. */
async function forget(): Promise<void> {
  stage.registry.heal();
  const current = await currentGeneration(stage.db.query, defaultEnvironment);
  if (current?.lockfileHash === healthyHash) {
    await rollbackTo(stage.db, stage.signer, { environment: defaultEnvironment, number: 1, requestedBy: "test" });
  }
  for (const { name, version } of added) {
    const key = blobKeyOf(stage.registry.get(name, version).integrity as Integrity);
    await stage.db.transaction((tx) => deleteBlobEntry(tx, key));
    await stage.blobs.delete(key);
  }
  expect((await listBlobEntries(stage.db.query)).length).toBe(1);
}

async function expectLastGoodServes(): Promise<void> {
  const run = await createRunner(store).run({ script: `import base from "base"; export default base;` });
  expect(run).toMatchObject({ result: "the last good one", generation: 1 });
  expect(run.error).toBeNull();
}

/** An install under a fault, with a run meanwhile. Then: it made what a healthy one makes, or nothing; and the next one makes it. */
async function installUnder(arm: () => void, faulty: (request: RegistryRequest) => boolean): Promise<StagedInstall> {
  const before = await currentGeneration(stage.db.query, defaultEnvironment);
  const start = stage.registry.requests.length;
  arm();
  const [outcome] = await Promise.all([stage.install(), expectLastGoodServes()]);
  const hit = stage.registry.requests.slice(start).filter(faulty);
  stage.registry.heal();
  expect(hit.length).toBeGreaterThan(0);
  expect(await stage.scratch()).toEqual([]);
  if (outcome.ok) {
    expect(outcome.result).toMatchObject({ lockfileHash: healthyHash, changed: true, nodes: 5 });
  } else {
    const { error } = outcome;
    expect(error.code).toMatch(/^E_(REGISTRY_UNREACHABLE|REGISTRY_ANSWER|INTEGRITY|ARCHIVE|PACKAGE_NOT_FOUND)$/);
    expect(error.hint ?? "").not.toBe("");
    expect(hit.map(({ name }) => name as string)).toContain(namedIn(error.message));
    expect(await currentGeneration(stage.db.query, defaultEnvironment)).toEqual(before);
    expect((await getDesiredState(stage.db.query, defaultEnvironment))?.desired.generation).toBe(before?.number ?? 0);
    await expectLastGoodServes();
    expect(await stage.installed()).toMatchObject({ lockfileHash: healthyHash, changed: true, nodes: 5 });
  }
  await forget();
  return outcome;
}

/** The one of our packages that a message speaks of. */
const namedIn = (message: string): string =>
  packages.map(({ name }) => name).find((name) => new RegExp(`(^|[\\s"])${name}(@|[\\s.:]|$)`).test(message)) ??
  `nobody in: ${message}`;

const each = Array.from({ length: requestCount }, (_, i) => i + 1);
const transient: RegistryFault[] = [{ kind: "status", status: 503 }, { kind: "reset" }, { kind: "truncate" }];

test.each(transient)(
  "one $kind, at any request of an install, is survived or fails by name, and the next install works",
  async (fault) => {
    let survived = 0;
    for (const k of each) {
      const number = stage.registry.requests.length + k;
      const outcome = await installUnder(
        () => stage.registry.failRequest(k, fault),
        (request) => request.number === number,
      );
      if (outcome.ok) survived++;
    }
    // What broke off in the middle of a tarball is not asked for again by itself.
    expect(survived).toBeGreaterThanOrEqual(fault.kind === "truncate" ? 4 : requestCount);
  },
  120_000,
);

test.each(transient)(
  "a registry that answers with $kind from any request on fails the install by name, and the next works",
  async (fault) => {
    for (const k of each) {
      const from = stage.registry.requests.length + k;
      const outcome = await installUnder(
        () => stage.registry.fault(({ number }) => (number >= from ? fault : undefined)),
        ({ number }) => number >= from,
      );
      expect(outcome).toMatchObject({ ok: false });
    }
  },
  120_000,
);

test("a registry that never answers for one package, an optional one too, fails the install by that name", async () => {
  for (const { name } of added) {
    for (const kind of ["packument", "tarball"]) {
      const isFaulty = (request: RegistryRequest) => request.kind === kind && request.name === name;
      const outcome = await installUnder(
        () => stage.registry.fault((request) => (isFaulty(request) ? { kind: "status", status: 503 } : undefined)),
        isFaulty,
      );
      expect(outcome).toMatchObject({ ok: false, error: { code: "E_REGISTRY_UNREACHABLE" } });
    }
  }
}, 60_000);

test("wrong bytes for any tarball are refused by name and not stored, and the next install works", async () => {
  for (const { name } of added) {
    const isFaulty = (request: RegistryRequest) => request.kind === "tarball" && request.name === name;
    const outcome = await installUnder(
      () => stage.registry.fault((request) => (isFaulty(request) ? { kind: "wrongBytes" } : undefined)),
      isFaulty,
    );
    expect(outcome.ok ? "succeeded" : outcome.error.code).toMatch(/^E_(INTEGRITY|ARCHIVE)$/);
  }
}, 60_000);
