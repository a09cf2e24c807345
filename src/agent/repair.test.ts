import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmod, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildGeneration } from "../../test/harness/fixture-generation.ts";
import { until } from "../../test/harness/until.ts";
import { acquireLease, checkTrust, isSettled, verifyStore } from "../host/index.ts";
import { createControlPlaneClient, repairStore, startAgent } from "./index.ts";
import { type FakeControlPlane, openFakeControlPlane } from "./testing/fake-control-plane.ts";
import { openTestHost, type TestHost } from "./testing/open-test-host.ts";

const shared = { name: "shared", version: "1.0.0" };
const first = buildGeneration([{ name: "a", version: "1.0.0", dependencies: { shared: "1.0.0" } }, shared], ["a"]);
const second = buildGeneration([{ name: "a", version: "2.0.0", dependencies: { shared: "1.0.0" } }, shared], ["a"]);

let fake: FakeControlPlane;
let host: TestHost;
beforeEach(async () => {
  fake = await openFakeControlPlane();
  host = await openTestHost(fake);
  await fake.publish(first, 1);
  await host.reconcile();
  await fake.publish(second, 2);
  await host.reconcile();
});
afterEach(async () => {
  await host[Symbol.asyncDispose]();
  await fake[Symbol.asyncDispose]();
});

async function overwrite(path: string, change: (text: string) => string): Promise<void> {
  await chmod(path, 0o644);
  await writeFile(path, change(await readFile(path, "utf8")));
  await chmod(path, 0o444);
}
const currentFile = (path: string) => join(host.directory, "current", path);
const damage = () => overwrite(currentFile("node_modules/a/index.js"), (text) => text.replace(/./, "!"));
const blobsAsked = () => fake.requests.filter((request) => request.includes("/blobs")).length;

describe("a repair", () => {
  const repair = async () => {
    const { damaged } = await verifyStore(host.store, { unreached: true });
    const controlPlane = createControlPlaneClient({ server: fake.url, store: host.store, timeoutMs: 500 });
    return repairStore(host.writer, { controlPlane, damaged, signal: AbortSignal.timeout(10_000) });
  };

  test("fetches what is damaged, in every tree, and nothing else", async () => {
    await damage();
    await rm(join(host.directory, "trees", first.lockfileHash, "node_modules/a"));
    fake.requests.length = 0;
    expect(await repair()).toMatchObject({ packagesBuilt: 1, treesBuilt: 1 });
    expect(blobsAsked()).toBe(1);
    expect((await verifyStore(host.store)).problems).toEqual([]);
    expect(await readdir(host.store.layout.incoming)).toEqual([]);
  });

  test("points the link to the current tree at the tree of the last flip, and nobody is asked", async () => {
    const link = join(host.directory, "current");
    for (const harm of [() => symlink("/etc", link), () => Promise.resolve()]) {
      await rm(link);
      await harm();
      expect((await verifyStore(host.store)).problems).toMatchObject([{ path: "current" }]);
      expect(await checkTrust(host.store)).toMatchObject({ trusted: false, problems: [{ link: "tree", subject: "current" }] });
      fake.requests.length = 0;
      await repair();
      expect(fake.requests).toEqual([]);
      expect(await checkTrust(host.store)).toMatchObject({ trusted: true, generation: 2 });
      expect((await verifyStore(host.store)).problems).toEqual([]);
    }
  });

  test("leaves what is damaged in place while the control plane is away, and says so", async () => {
    await damage();
    await fake.stop();
    await expect(repair()).rejects.toMatchObject({ code: "E_SERVER_UNREACHABLE" });
    expect(await readFile(currentFile("node_modules/a/index.js"), "utf8")).toStartWith("!");
    expect(await readFile(currentFile("node_modules/a/package.json"), "utf8")).toContain("2.0.0");
  });

  test("drops a damaged package that no tree needs", async () => {
    const orphan = join(host.store.layout.packages, "f".repeat(64));
    await Bun.$`mkdir ${orphan}`.quiet();
    await repair();
    expect(await readdir(host.store.layout.packages)).not.toContain("f".repeat(64));
  });
});

describe("an agent", () => {
  test("finds damage by itself, refuses the tree meanwhile, and mends it", async () => {
    await host.writer[Symbol.asyncDispose]();
    await using agent = await startAgent({
      store: host.store,
      server: fake.url,
      token: fake.token,
      pollMs: 100,
      scrubIntervalMs: 50,
      scrubBytesPerSecond: 1e6,
    });
    await agent.reconcile();
    await damage();
    await until("the scrub has found it, and a pass has mended it", async () => {
      const text = await readFile(currentFile("node_modules/a/index.js"), "utf8");
      return (!text.startsWith("!") && (await isSettled(host.store.layout))) || Promise.reject(new Error(text));
    });
    expect((await verifyStore(host.store)).problems).toEqual([]);
    const lease = await acquireLease(host.store, { purpose: "test" });
    expect(lease?.tree.generation).toBe(2);
    await lease?.[Symbol.asyncDispose]();
  });
});

describe("the chain from the pinned key to the packages", () => {
  const state = (name: string) => join(host.directory, "state", name);
  const links = async () => (await checkTrust(host.store)).problems.map(({ link }) => link);

  test("is whole after a reconcile, and while the next tree is being built", async () => {
    expect(await checkTrust(host.store)).toEqual({ trusted: true, generation: 2, packages: 2, problems: [] });
    const third = buildGeneration([{ name: "a", version: "3.0.0" }], ["a"]);
    await fake.publish(third, 3);
    fake.tamper = (path, bytes) => (path.includes("blobs") ? bytes.slice(1) : bytes);
    await expect(host.reconcile()).rejects.toThrow();
    expect(await checkTrust(host.store)).toEqual({ trusted: true, generation: 2, packages: 2, problems: [] });
  });

  test("breaks at the key of a host that is not enrolled", async () => {
    await rm(state("identity.json"));
    expect(await links()).toEqual(["key"]);
  });

  test("breaks at a desired state that the pinned key did not sign, or that is not there", async () => {
    await overwrite(state("accepted.json"), (text) => text.replaceAll(/"issuedAt": "2/g, '"issuedAt": "1'));
    expect(await links()).toEqual(["desired state"]);
    await overwrite(state("accepted.json"), (text) => text.replaceAll('"signed"', '"unsigned"').replaceAll('"served"', '"none"'));
    expect(await links()).toEqual(["desired state"]);
  });

  test("breaks at a manifest that is not the one that was signed", async () => {
    await overwrite(state(`manifests/${second.lockfileHash}.json`), (text) => `${text} `);
    expect(await links()).toEqual(["manifest"]);
  });

  test("breaks at a tree that was given another package", async () => {
    await overwrite(join(host.store.layout.trees, second.lockfileHash, "larder.json"), (text) =>
      text.replace("sha512-", "sha512-A"),
    );
    expect(await links()).toEqual(["tree"]);
  });

  test("breaks at a package from another tarball, intact as it may be", async () => {
    const key = (await Bun.file(join(host.store.layout.trees, second.lockfileHash, "larder.json")).json()).packages.find(
      ({ name }: { name: string }) => name === "shared",
    ).key;
    await overwrite(join(host.store.layout.packages, key, "larder.json"), (text) =>
      text.replace('"version":"1.0.0"', '"version":"1.0.1"'),
    );
    expect(await links()).toEqual(["package"]);
  });
});
