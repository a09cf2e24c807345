import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { readdir, readlink, rm } from "node:fs/promises";
import { join } from "node:path";
import { buildGeneration } from "../../test/harness/fixture-generation.ts";
import { openSmallDisk, whyNoSmallDisk } from "../../test/harness/small-disk.ts";
import { openTempDir, type TempDir } from "../../test/harness/temp-dir.ts";
import { testUnless } from "../../test/harness/test-unless.ts";
import { until } from "../../test/harness/until.ts";
import { rawRoutes } from "../contract/index.ts";
import { type HostStore, openHostStore, openStoreWriter } from "../host/index.ts";
import { type Agent, type AgentOptions, startAgent } from "./index.ts";
import { environment, type FakeControlPlane, openFakeControlPlane } from "./testing/fake-control-plane.ts";

const first = buildGeneration([{ name: "a", version: "1.0.0" }], ["a"]);
const second = buildGeneration(
  [
    { name: "a", version: "2.0.0" },
    { name: "b", version: "1.0.0" },
  ],
  ["a", "b"],
);

let fake: FakeControlPlane;
let temp: TempDir;
let store: HostStore;
beforeEach(async () => {
  fake = await openFakeControlPlane();
  temp = await openTempDir("agent");
  store = await openHostStore({ directory: temp.join("data") });
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  await fake[Symbol.asyncDispose]();
  await temp[Symbol.asyncDispose]();
});

const start = (options: Partial<AgentOptions> = {}): Promise<Agent> =>
  startAgent({ store, server: fake.url, token: fake.token, agentVersion: "0.0.0-test", pollMs: 60_000, ...options });
const serves = (hash: string) =>
  until(`the host serves ${hash}`, async () => (await readlink(store.layout.current)).endsWith(hash));
const reported = (what: object) =>
  until(`a report says ${JSON.stringify(what)}`, () => {
    expect(fake.reports.at(-1)).toMatchObject(what);
    return true;
  });

describe("an agent", () => {
  test("converges, reports it, and follows what an event tells at once", async () => {
    await using agent = await start();
    await reported({ phase: "pending", generation: 0 });
    await until("it listens", () => fake.eventClients() === 1);
    await fake.publish(first, 1);
    fake.emit({ type: "desired", environment, generation: 1 });
    await serves(first.lockfileHash);
    await reported({
      phase: "ready",
      generation: 1,
      lockfileHash: first.lockfileHash,
      agentVersion: "0.0.0-test",
      runsInFlight: 0,
    });
    expect(agent.status()).toMatchObject({ phase: "ready", stale: false, tree: { generation: 1 } });
  });

  test("goes by a desired state that came with the event, without asking for it", async () => {
    await using _agent = await start();
    await until("it listens", () => fake.eventClients() === 1);
    await reported({ phase: "pending" });
    const signed = await fake.publish(first, 1);
    const asked = fake.requests.length;
    fake.emit({ type: "desired", environment, generation: 1, offer: { signed, etag: '"brought"' } });
    await serves(first.lockfileHash);
    await reported({ phase: "ready", generation: 1 });
    // It asks again before the flip when building took long.
    expect(fake.requests[asked]).toStartWith(`GET ${rawRoutes.manifest(first.lockfileHash)} `);
  });

  test("that serves what its stream begins with asks for nothing, and begins later when it is asked to", async () => {
    const signed = await fake.publish(first, 1);
    await using agent = await start();
    await reported({ phase: "ready", generation: 1 });
    await until("it listens", () => fake.eventClients() === 1);
    const asked = fake.requests.length;
    fake.emit({ type: "desired", environment, generation: 1, offer: { signed, etag: '"brought"' } });
    const newer = await fake.publish(second, 2);
    fake.emit({ type: "desired", environment, generation: 2, offer: { signed: newer, etag: '"newer"' }, spreadMs: 50 });
    await serves(second.lockfileHash);
    await reported({ phase: "ready", generation: 2 });
    expect(fake.requests[asked]).toStartWith(`GET ${rawRoutes.manifest(second.lockfileHash)} `);
    expect(agent.status()).toMatchObject({ phase: "ready", stale: false, tree: { generation: 2 } });
  });

  test("asks, when what came with the event is nothing to go by", async () => {
    await using agent = await start();
    await until("it listens", () => fake.eventClients() === 1);
    const signed = await fake.publish(first, 1);
    const forged = { ...signed, desired: { ...signed.desired, generation: 7 } };
    fake.emit({ type: "desired", environment, generation: 7, offer: { signed: forged, etag: '"forged"' } });
    await serves(first.lockfileHash);
    await reported({ phase: "ready", generation: 1 });
    expect(agent.status()).toMatchObject({ phase: "ready", tree: { generation: 1 } });
    expect(fake.reports.some(({ phase }) => phase === "error")).toBe(false);
  });

  test("reports its progress while it pulls", async () => {
    await fake.publish(second, 1);
    fake.intercept = async (request) => {
      if (request.url?.includes("/blobs/")) await Bun.sleep(400);
      return false;
    };
    await using _agent = await start();
    await reported({ phase: "ready" });
    expect(fake.reports.map(({ phase }) => phase)).toContain("syncing");
    const { progress } = fake.reports.find(({ phase }) => phase === "syncing") ?? {};
    expect(progress).toMatchObject({ phase: "materialise", total: 2 });
  });

  test("finds a new generation by polling alone", async () => {
    fake.intercept = (request, response) => {
      if (request.url !== "/api/events") return false;
      response.writeHead(503).end();
      return true;
    };
    await using _agent = await start({ pollMs: 50 });
    await fake.publish(first, 1);
    await serves(first.lockfileHash);
  });

  test("converges within a poll though its stream lives and something in between keeps all events to itself", async () => {
    let opened = 0;
    fake.intercept = (request, response) => {
      if (request.url !== "/api/events") return false;
      opened += 1;
      response.writeHead(200, { "content-type": "text/event-stream" });
      const beat = setInterval(() => response.write(": alive\n\n"), 10);
      response.on("close", () => clearInterval(beat));
      response.write(": alive\n\n");
      return true;
    };
    await fake.publish(first, 1);
    await using _agent = await start({ pollMs: 300 });
    await reported({ phase: "ready", generation: 1 });
    await until("its stream is open", () => opened > 0);
    // What it asks at the beginning of a stream is over then.
    await until("it has polled", () => fake.requests.filter((line) => line === "GET /api/desired 304").length >= 4);
    await fake.publish(second, 2);
    await serves(second.lockfileHash);
    expect(opened).toBe(1);
  });

  test("when idle sends one conditional request per poll, and a report per heartbeat", async () => {
    await fake.publish(first, 1);
    await using _agent = await start({ pollMs: 30 });
    await reported({ phase: "ready" });
    await until("it is idle", () => fake.eventClients() === 1);
    fake.requests.length = 0;
    await until("it has polled some times", () => fake.requests.length >= 5);
    expect(new Set(fake.requests)).toEqual(new Set(["GET /api/desired 304"]));
  });

  test("serves on, says that it is stale, and goes on by itself when the control plane is back", async () => {
    await fake.publish(first, 1);
    await using agent = await start({ pollMs: 30 });
    await serves(first.lockfileHash);
    await fake.stop();
    await until("it knows", () => agent.status().stale);
    expect(agent.status()).toMatchObject({ phase: "error", error: { code: "E_SERVER_UNREACHABLE" }, tree: { generation: 1 } });
    await fake.start();
    await fake.publish(second, 2);
    await serves(second.lockfileHash);
    await until("it says so", () => agent.status().phase === "ready" && !agent.status().stale);
  });

  test("with a tree serves it from the start, whoever cannot be reached", async () => {
    await fake.publish(first, 1);
    {
      await using _agent = await start();
      await serves(first.lockfileHash);
    }
    await fake.stop();
    await using agent = await start();
    expect(agent.status()).toMatchObject({ phase: "ready", tree: { generation: 1 } });
    await fake.start();
  });

  test("reports what it refuses, and follows again when that is mended", async () => {
    await fake.publish(second, 5);
    await using agent = await start({ pollMs: 30 });
    await serves(second.lockfileHash);
    await fake.publish(first, 4);
    await reported({ phase: "error", generation: 5, error: { code: "E_ROLLBACK" } });
    expect(agent.status()).toMatchObject({ phase: "error", stale: false, tree: { generation: 5 } });
    await fake.publish(first, 6);
    await reported({ phase: "ready", generation: 6 });
  });

  test("waits for as long as the server asks", async () => {
    fake.intercept = (request, response) => {
      if (request.url !== "/api/desired") return false;
      response.writeHead(503, { "retry-after": "30" }).end();
      return true;
    };
    await using agent = await start({ pollMs: 20 });
    await until("it was refused", () => agent.status().phase === "error");
    await Bun.sleep(300);
    expect(fake.requests.filter((line) => line.startsWith("GET /api/desired "))).toHaveLength(1);
  });

  test("that is put off reports no failure, and a report that is put off comes later by itself", async () => {
    const refused = new Set<string>();
    fake.intercept = ({ url = "" }, response) => {
      if (refused.has(url) || !(url === "/api/desired" || url.endsWith("/report"))) return false;
      refused.add(url);
      response.writeHead(503, { "retry-after": "1" }).end();
      return true;
    };
    await fake.publish(first, 1);
    await using _agent = await start();
    await reported({ phase: "ready", generation: 1 });
    expect([...refused].sort()).toEqual(["/api/desired", "/api/hosts/self/report"]);
    expect(fake.reports.map(({ phase }) => phase)).not.toContain("error");
  });

  test("rebuilds at its start what is missing of the tree", async () => {
    await fake.publish(second, 1);
    {
      await using _agent = await start();
      await serves(second.lockfileHash);
    }
    const packages = await readdir(store.layout.packages);
    await rm(join(store.layout.packages, packages[0] as string), { recursive: true });
    await using agent = await start();
    await until("it is whole again", async () => (await readdir(store.layout.packages)).length === packages.length);
    await until("it is ready", () => agent.status().phase === "ready");
  });

  test("checks every file once after a boot, and makes damaged packages anew", async () => {
    await fake.publish(first, 1);
    {
      await using _agent = await start();
      await serves(first.lockfileHash);
    }
    const file = join(store.directory, "current/node_modules/a/index.js");
    const { chmod, readFile, writeFile } = await import("node:fs/promises");
    const content = await readFile(file, "utf8");
    await chmod(file, 0o644);
    await writeFile(file, "");
    await rm(join(store.layout.state, "verified-boot"), { force: true });
    await using _agent = await start();
    await until("it is mended", async () => (await readFile(file, "utf8")) === content);
  });

  test("holds the store's lock while it lives, and stops at once in the middle of a pull", async () => {
    await fake.publish(first, 1);
    let pulling = false;
    fake.intercept = (request, response) => {
      if (!request.url?.includes("/blobs/")) return false;
      response.writeHead(200, { "content-length": 1000 }).write("x");
      pulling = true;
      return true;
    };
    const agent = await start();
    await expect(start()).rejects.toMatchObject({ code: "E_LOCKED", message: expect.stringContaining("larder agent") });
    await until("it pulls", () => pulling);
    const waiting = agent.reconcile().catch((error: unknown) => error);
    const started = performance.now();
    await agent[Symbol.asyncDispose]();
    expect(performance.now() - started).toBeLessThan(500);
    expect(await waiting).toMatchObject({ code: "E_CANCELLED" });
    expect(await readdir(store.layout.incoming)).toEqual([]);
    fake.intercept = undefined;
    await using again = await start();
    expect(await again.reconcile()).toMatchObject({ tree: { generation: 1 } });
  });
});

test("an agent that was killed at any moment goes on where it was", async () => {
  await fake.publish(first, 1);
  const points = [
    "host:before-tree-rename",
    "reconcile:before-recheck",
    "flip:before-rename",
    "flip:after-rename",
    "reconcile:after-flip",
  ];
  for (const [index, point] of points.entries()) {
    await fake.publish(index % 2 === 0 ? first : second, index + 1);
    const code = `
      import { openHostStore } from ${JSON.stringify(new URL("../host/index.ts", import.meta.url).pathname)};
      import { startAgent } from ${JSON.stringify(new URL("./index.ts", import.meta.url).pathname)};
      const store = await openHostStore({ directory: ${JSON.stringify(store.directory)} });
      const agent = await startAgent({ store, server: new URL(${JSON.stringify(fake.url.href)}), token: process.env.TOKEN, agentVersion: "x" });
      await agent.reconcile();`;
    const child = Bun.spawn([process.execPath, "-e", code], {
      env: { TOKEN: fake.token, LARDER_FAILPOINT: `${point}:kill` },
      stdout: "ignore",
      stderr: "ignore",
    });
    await child.exited;
    expect([point, child.signalCode]).toEqual([point, "SIGKILL"]);
    await using agent = await start();
    expect(await agent.reconcile()).toMatchObject({ tree: { generation: index + 1 } });
  }
  await using _writer = await openStoreWriter(store, { purpose: "test", waitMs: 1000 });
  expect(await readdir(store.layout.incoming)).toEqual([]);
}, 30_000);

describe("an agent whose disk is read-only when it starts", () => {
  testUnless(
    whyNoSmallDisk(),
    "serves the old tree, says what is wrong, and converges once the disk can be written",
    async () => {
      await using disk = await openSmallDisk(16_000_000);
      await using small = await openHostStore({ directory: join(disk.path, "data") });
      await fake.publish(first, 1);
      await (await start({ store: small }))[Symbol.asyncDispose]();
      await using before = await start({ store: small });
      await before.reconcile();
      await before[Symbol.asyncDispose]();
      expect(spawnSync("mount", ["-o", "remount,ro", disk.path]).status).toBe(0);
      await fake.publish(second, 2);
      await using agent = await start({ store: small });
      await reported({ phase: "error", generation: 1, error: { code: "E_READ_ONLY" } });
      expect(agent.status()).toMatchObject({ phase: "error", tree: { generation: 1 } });
      expect(spawnSync("mount", ["-o", "remount,rw", disk.path]).status).toBe(0);
      await reported({ phase: "ready", generation: 2 });
      expect(await readlink(small.layout.current)).toContain(second.lockfileHash);
    },
  );
});
