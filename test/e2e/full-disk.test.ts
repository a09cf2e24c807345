import { afterAll, beforeAll, expect } from "bun:test";
import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { openBlobStore } from "../../src/blobs/index.ts";
import { defaultEnvironment, type ErrorBody, type Host } from "../../src/contract/index.ts";
import { listGenerations } from "../../src/db/index.ts";
import type { FixturePackage } from "../harness/fixture-package.ts";
import { type FixtureRegistry, openFixtureRegistry } from "../harness/fixture-registry.ts";
import { openInstallStage } from "../harness/install-stage.ts";
import { leftoversIn } from "../harness/leaks.ts";
import { runLarder, startServer } from "../harness/processes.ts";
import { openSmallDisk, whyNoSmallDisk } from "../harness/small-disk.ts";
import { testUnless } from "../harness/test-unless.ts";
import { until } from "../harness/until.ts";
import { openLarderStack, succeed } from "./larder-stack.ts";

const mib = 2 ** 20;
const cannotMount = whyNoSmallDisk();

/** Does not compress: as large packed as unpacked. */
const bulky = (name: string, bytes: number): FixturePackage => ({
  name,
  version: "1.0.0",
  files: { "index.js": "module.exports = 'bulky';", data: randomBytes(bytes) },
});
const packages: FixturePackage[] = [
  { name: "base", version: "1.0.0", files: { "index.js": "module.exports = 'the last good one';" } },
  bulky("big", 4 * mib),
];
const script = `import base from "base"; export default base;`;

let registry: FixtureRegistry;

beforeAll(async () => {
  if (cannotMount !== undefined) return;
  registry = await openFixtureRegistry(packages);
}, 120_000);

afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
});

testUnless(
  cannotMount,
  "a full working directory fails an install with E_NO_SPACE wherever it strikes, and nothing is committed",
  async () => {
    await using stage = await openInstallStage(packages);
    await using working = await openSmallDisk(mib);
    await stage.allow("base@1.0.0");
    const scratchDirectory = `${working.path}/scratch`;
    let failed = 0;
    for (let spared = 0; ; spared += 4096) {
      await working.fill(spared);
      const outcome = await stage.install({ scratchDirectory });
      await working.free();
      expect(await leftoversIn(working.path)).toEqual([]);
      if (outcome.ok) break;
      failed++;
      expect(outcome.error).toMatchObject({ code: "E_NO_SPACE", hint: expect.stringContaining("Free some space") });
      expect(await listGenerations(stage.db.query, defaultEnvironment)).toEqual([]);
    }
    // The first step that writes, the project's files, the resolver's own.
    expect(failed).toBeGreaterThanOrEqual(3);
  },
);

testUnless(
  cannotMount,
  "a full blob store fails the install with E_NO_SPACE and the package's name; with room again the next works",
  async () => {
    await using stage = await openInstallStage(packages);
    await using disk = await openSmallDisk(2 * mib);
    const blobs = await openBlobStore({ driver: "fs", directory: disk.path });
    await stage.allow("base@1.0.0");
    expect(await stage.installed({ blobs })).toMatchObject({ generation: 1 });
    await stage.allow("big@1.0.0");
    const outcome = await stage.install({ blobs });
    expect(outcome).toMatchObject({ ok: false, error: { code: "E_NO_SPACE", message: expect.stringContaining("big@1.0.0") } });
    expect(await readdir(`${disk.path}/incoming`)).toEqual([]);
    expect(await stage.scratch()).toEqual([]);
    expect((await listGenerations(stage.db.query, defaultEnvironment)).length).toBe(1);

    await disk.resize(8 * mib);
    expect(await stage.installed({ blobs })).toMatchObject({ generation: 2, fetched: 1 });
  },
);

testUnless(
  cannotMount,
  "a whole data directory without a byte left: commands say E_NO_SPACE, nothing breaks, and with room again all works",
  async () => {
    await using disk = await openSmallDisk(96 * mib);
    await using server = await startServer("up", {
      dataDir: disk.path,
      args: ["--registry", registry.url, "--poll-interval", "1s"],
    });
    const larder = (args: string[], input = "") => runLarder([...args, "--data-dir", disk.path, "--json"], { input });
    await succeed(larder(["add", "base@1.0.0"]));
    await succeed(larder(["install", "--wait-hosts"]));
    await succeed(larder(["add", "big@1.0.0"]));
    await disk.fill();
    for (const args of [["install"], ["run", "-"]]) {
      const answer = await larder(args, script);
      expect(answer.json<{ error: ErrorBody }>().error.code).toBe("E_NO_SPACE");
      expect(answer.code).toBe(7);
    }
    expect((await succeed(larder(["status"]))).json()).toMatchObject({ generation: 1, installDue: true });
    expect(server.isRunning()).toBe(true);

    await disk.free();
    expect((await succeed(larder(["run", "-"], script))).json()).toMatchObject({ result: "the last good one", generation: 1 });
    expect((await succeed(larder(["install", "--wait-hosts"]))).json()).toMatchObject({ generation: 2 });
    await server.stop();
    expect(await leftoversIn(disk.path)).toEqual([]);
  },
  60_000,
);

testUnless(
  cannotMount,
  "a host whose disk is too small reports E_NO_SPACE, goes on serving the old tree, and recovers by itself",
  async () => {
    await using larder = await openLarderStack({ registry: registry.url, kind: "serve" });
    await using disk = await openSmallDisk(3 * mib, larder.join("host-small"));
    await larder.add("base@1.0.0");
    await larder.install();
    const host = await larder.startSatellite("small");
    await host.ready(1);
    await larder.add("big@1.0.0");
    expect((await larder.larder(["install"])).code).toBe(0);

    const reported = await until("the host reports its full disk", async () => {
      const seen = (await (await larder.api("/hosts/small")).json()) as Host;
      return seen.phase === "error" && seen;
    });
    expect(reported).toMatchObject({
      generation: 1,
      error: { code: "E_NO_SPACE", message: expect.stringContaining("big@1.0.0") },
    });
    // Each attempt fills the disk for a moment, and gives back all that it took.
    const served = await until("a run works beside it", async () => {
      const run = await host.run(script);
      return run.result === "the last good one" && run;
    });
    expect(served.generation).toBe(1);

    await disk.resize(16 * mib);
    await host.ready(2);
    expect(await host.run(`import big from "big"; export default big;`)).toMatchObject({ result: "bulky", generation: 2 });
    await host.agent.stop();
    expect(await leftoversIn(host.dataDir)).toEqual([]);
  },
  90_000,
);
