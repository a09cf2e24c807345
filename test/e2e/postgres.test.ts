import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { type ControlPlane, createControlPlaneClient } from "../../src/agent/index.ts";
import { blobKeyOf, type GenerationDiff, type Host, type Integrity, type LockfileHash } from "../../src/contract/index.ts";
import { openHostStore } from "../../src/host/index.ts";
import { type FixtureRegistry, openFixtureRegistry } from "../harness/fixture-registry.ts";
import { leftoversIn } from "../harness/leaks.ts";
import { startPostgres } from "../harness/postgres.ts";
import { type LarderServer, startAgent, startServer } from "../harness/processes.ts";
import { until } from "../harness/until.ts";
import { type LarderStack, openLarderStack, type Satellite } from "./larder-stack.ts";

/** A control plane of two replicas that share nothing but PostgreSQL and the key that seals its secrets, and a host at each. */
const cleanup = new AsyncDisposableStack();
const adminToken = `ldr_admin_${randomBytes(24).toString("hex")}`;
let registry: FixtureRegistry;
let databaseUrl: string;
let first: LarderStack;
let second: LarderServer;
let hosts: Satellite[];

const flags = () => ["--database-url", databaseUrl, "--blob-store", "postgres"];

beforeAll(async () => {
  databaseUrl = await cleanup.use(await startPostgres()).createDatabase();
  registry = cleanup.use(
    await openFixtureRegistry([
      { name: "app", version: "1.0.0", dependencies: { lib: "^1.0.0" } },
      { name: "lib", version: "1.0.0" },
      { name: "@corp/utils", version: "2.0.0", dependencies: { lib: "^1.0.0" } },
    ]),
  );
  first = cleanup.use(await openLarderStack({ registry: registry.url, kind: "serve", args: flags() }));
}, 150_000);

afterAll(() => cleanup.disposeAsync(), 60_000);

/** An answer of either replica, as text: what one says of shared state, the other must say too. */
async function ask(server: LarderServer, path: string, token = adminToken): Promise<string> {
  const answer = await fetch(`${server.url}/api${path}`, { headers: { authorization: `Bearer ${token}` } });
  expect([path, answer.status]).toEqual([path, 200]);
  return await answer.text();
}

test("a replica without the key that seals the store's secrets does not start, and says which key it needs", async () => {
  const starting = startServer("serve", { dataDir: first.join("keyless"), args: [...flags(), "--registry", registry.url] });
  await expect(starting).rejects.toThrow(/E_CONFIG.*LARDER_SECRET_KEY/);
});

test("a second replica joins with that key, and with an admin token of its own that counts at both", async () => {
  const secretKey = (await readFile(first.join("local/control/secret-key"), "utf8")).trim();
  const env = { LARDER_SECRET_KEY: secretKey, LARDER_ADMIN_TOKEN: adminToken };
  const dataDir = first.join("second");
  second = cleanup.use(await startServer("serve", { dataDir, args: [...flags(), "--registry", registry.url], env }));
  const own = await first.server.adminToken();
  for (const server of [first.server, second]) {
    for (const token of [own, adminToken]) {
      expect(JSON.parse(await ask(server, "/environments/default/status", token))).toMatchObject({ generation: 0 });
    }
  }
  expect(existsSync(first.join("second/control/db"))).toBe(false);
  expect(existsSync(first.join("second/control/blobs"))).toBe(false);
});

test("what is added and installed at one replica, a host at each reconciles and runs", async () => {
  hosts = await Promise.all([first.startSatellite("one"), first.startSatellite("two", { server: second.url })]);
  await first.add("app@1.0.0");
  expect(await first.install()).toMatchObject({ generation: 1, nodes: 2, blobs: 2, fetched: 2 });
  for (const host of hosts) {
    await host.ready(1);
    expect(await host.run(`import app from "app"; export default app;`)).toMatchObject({
      result: { name: "app", version: "1.0.0" },
      generation: 1,
    });
  }
});

test("an install asked of the other replica continues from there, and both answer the same", async () => {
  const env = { LARDER_TOKEN: adminToken };
  const at = ["--server", second.url];
  expect((await first.larder(["add", "@corp/utils@2.0.0", ...at], { env })).code).toBe(0);
  const installed = await first.larder(["install", "--wait-hosts", ...at], { env });
  expect(installed.json()).toMatchObject({ generation: 2, fetched: 1, nodes: 3 });
  const diff = (await first.larder(["diff", "1", "2"])).json<GenerationDiff>();
  expect(diff.changes).toMatchObject([{ name: "@corp/utils", change: "added", from: [], to: ["2.0.0"], transitive: false }]);

  const { lockfileHash } = installed.json<{ lockfileHash: string }>();
  const { integrity } = registry.get("lib", "1.0.0");
  const same = [
    "/environments/default/packages",
    "/environments/default/generations",
    "/environments/default/generations/1/diff/2",
    "/operations",
  ];
  for (const path of same) expect(await ask(second, path)).toBe(await ask(first.server, path));
  await using store = await openHostStore({ directory: hosts[0]?.dataDir as string });
  const clientOf = ({ url }: LarderServer) => createControlPlaneClient({ server: new URL(url), store });
  const signal = AbortSignal.timeout(10_000);
  const forHosts = async (controlPlane: ControlPlane) => [
    { ...(await controlPlane.desired()), time: undefined },
    await controlPlane.manifest(lockfileHash as LockfileHash),
    Buffer.concat(await Array.fromAsync(await controlPlane.blob(blobKeyOf(integrity as Integrity), signal))),
  ];
  expect(await forHosts(clientOf(second))).toEqual(await forHosts(clientOf(first.server)));
});

test("a rollback at one replica takes the hosts of both forward to the old packages", async () => {
  expect((await first.larder(["rollback", "1", "--yes"])).json()).toMatchObject({ number: 3, reason: "rollback", rollbackOf: 1 });
  for (const host of hosts) {
    await host.ready(3);
    expect(await host.run(`import app from "app"; export default app.version;`)).toMatchObject({
      result: "1.0.0",
      generation: 3,
    });
    expect((await host.run(`import "@corp/utils";`)).error).toMatchObject({ code: "E_NOT_ALLOWLISTED" });
  }
});

test("with one replica killed the other carries on, and hosts of both follow it", async () => {
  await first.server.kill9();
  const installed = await first.larder(["install", "--server", second.url], { env: { LARDER_TOKEN: adminToken } });
  expect(installed.json()).toMatchObject({ generation: 4, fetched: 0, nodes: 3 });
  const [orphan, other] = hosts as [Satellite, Satellite];
  await orphan.agent.stop();
  await using moved = await startAgent({ dataDir: orphan.dataDir, server: second.url });
  for (const { id, run } of hosts) {
    await until(`${id} serves generation 4`, async () => {
      const { generation, phase } = JSON.parse(await ask(second, `/hosts/${id}`)) as Host;
      return generation === 4 && phase === "ready";
    });
    expect(await run(`import utils from "@corp/utils"; export default utils.version;`)).toMatchObject({
      result: "2.0.0",
      generation: 4,
    });
  }
  for (const agent of [moved, other.agent]) await agent.stop();
  for (const { dataDir } of hosts) expect(await leftoversIn(dataDir)).toEqual([]);
});
