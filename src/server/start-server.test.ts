import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import pino from "pino";
import { openFixtureRegistry } from "../../test/harness/fixture-registry.ts";
import { startPostgres } from "../../test/harness/postgres.ts";
import { openTempDir, type TempDir } from "../../test/harness/temp-dir.ts";
import { until } from "../../test/harness/until.ts";
import { LarderError, rawRoutes } from "../contract/index.ts";
import { systemClock } from "../lib/index.ts";
import type { ServerConfig } from "./server-config.ts";
import { type Server, startServer } from "./start-server.ts";
import { fetchAs, joinAs, refusalOf } from "./testing/test-server.ts";

// Each start on disk makes a database, which takes seconds on a busy machine.
setDefaultTimeout(60_000);

interface Start {
  server: Server;
  logs: string[];
}

async function start(dir: TempDir, overrides: Partial<ServerConfig> = {}): Promise<Start> {
  const logs: string[] = [];
  const server = await startServer({
    dataDirectory: dir.path,
    listen: { host: "127.0.0.1", port: 0 },
    database: "embedded",
    blobStore: "fs",
    registry: new URL("http://127.0.0.1:9/"),
    platforms: [],
    logger: pino({ level: "debug" }, { write: (line: string) => void logs.push(line) }),
    clock: systemClock,
    ...overrides,
  });
  return { server, logs };
}

const read = async (path: string) => (await readFile(path, "utf8")).trim();
const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
const withToken = (server: Server, token: string, path = "/api/tokens", init: RequestInit = {}) =>
  fetch(`${server.url}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, "content-type": "application/json" } });

/** A host `h`, as which any server can be asked. */
async function join({ url }: Server, admin: string) {
  const host = await joinAs(url, admin, { id: "h", environment: "default" });
  return (server: Server, path: string) => fetchAs(host, new Request(`${server.url}${path}`));
}

test("a first start makes what it needs for this user only, says where it is, and takes the sign down again", async () => {
  await using dir = await openTempDir();
  await mkdir(dir.join("control"), { mode: 0o755 });
  const { server } = await start(dir);
  const sign = JSON.parse(await read(dir.join("control", "server.json"))) as Record<string, unknown>;
  expect(sign).toEqual({ url: server.url, pid: process.pid, startedAt: expect.stringMatching(/^\d{4}-.*Z$/) });
  expect(server.port).toBe(Number(new URL(server.url).port));
  expect(await modeOf(dir.join("control"))).toBe("700");
  expect(await modeOf(dir.join("control", "admin-token"))).toBe("600");
  expect(await modeOf(dir.join("control", "secret-key"))).toBe("600");
  expect(server.adminTokenPath).toBe(dir.join("control", "admin-token"));
  expect((await withToken(server, await read(server.adminTokenPath))).status).toBe(200);
  expect(await (await fetch(`${server.url}/healthz`)).json()).toEqual({ status: "alive" });
  expect(await (await fetch(`${server.url}/readyz`)).json()).toEqual({
    status: "ready",
    checks: { database: true, blobStore: true, signingKey: true, accepting: true },
  });
  await server[Symbol.asyncDispose]();
  await expect(stat(dir.join("control", "server.json"))).rejects.toThrow();
  await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
});

test("a second start has the same store, key and tokens", async () => {
  await using dir = await openTempDir();
  const first = await start(dir);
  const admin = await read(first.server.adminTokenPath);
  const host = await join(first.server, admin);
  const self = async (server: Server) => (await host(server, rawRoutes.self)).json();
  const before = await self(first.server);
  await first.server[Symbol.asyncDispose]();
  const second = await start(dir);
  await using _ = second.server;
  expect(await self(second.server)).toEqual(before);
  expect(await read(second.server.adminTokenPath)).toBe(admin);
});

test("a data directory is one server's: the next is told who has it", async () => {
  await using dir = await openTempDir();
  const { server } = await start(dir);
  await using _ = server;
  const refused = await refusalOf(start(dir));
  expect([refused.code, refused.message]).toEqual(["E_LOCKED", expect.stringContaining(String(process.pid))]);
});

test("a port that is taken is E_BUSY, and what was opened is closed again", async () => {
  await using dir = await openTempDir();
  await using other = await openTempDir();
  const { server } = await start(dir);
  await using _ = server;
  const refused = await refusalOf(start(other, { listen: { host: "127.0.0.1", port: server.port } }));
  expect([refused.code, refused.message]).toEqual(["E_BUSY", expect.stringContaining(String(server.port))]);
  const second = await start(other);
  await second.server[Symbol.asyncDispose]();
});

test("without its secret key, or with another, a store does not start, and says which file is meant", async () => {
  await using dir = await openTempDir();
  const path = dir.join("control", "secret-key");
  await (await start(dir)).server[Symbol.asyncDispose]();
  const key = await read(path);
  await rm(path);
  expect((await refusalOf(start(dir))).message).toContain(path);
  await expect(stat(path)).rejects.toThrow();
  expect((await refusalOf(start(dir, { secretKey: "0".repeat(64) }))).message).toContain("LARDER_SECRET_KEY");
  expect((await refusalOf(start(dir, { secretKey: "too short" }))).message).toContain("32 bytes");
  await writeFile(path, Buffer.alloc(32, 1).toString("base64"));
  const wrong = await refusalOf(start(dir));
  expect([wrong.code, wrong.message]).toEqual(["E_CONFIG", expect.stringContaining(path)]);
  const given = await start(dir, { secretKey: Buffer.from(key, "base64").toString("hex") });
  await given.server[Symbol.asyncDispose]();
});

test("a lost admin token is not replaced behind the admins' backs, but one can be given", async () => {
  await using dir = await openTempDir();
  const first = await start(dir);
  await first.server[Symbol.asyncDispose]();
  await rm(first.server.adminTokenPath);
  const second = await start(dir);
  expect(second.logs.some((line) => line.includes("LARDER_ADMIN_TOKEN"))).toBe(true);
  await expect(stat(first.server.adminTokenPath)).rejects.toThrow();
  await second.server[Symbol.asyncDispose]();
  const adminToken = "given-".padEnd(40, "0123456789");
  const third = await start(dir, { adminToken });
  expect((await withToken(third.server, adminToken)).status).toBe(200);
  await third.server[Symbol.asyncDispose]();
  for (const unfit of ["short", `ldr_enrol_${"x".repeat(43)}`, `with space ${"x".repeat(40)}`]) {
    expect(await refusalOf(start(dir, { adminToken: unfit }))).toMatchObject({ code: "E_CONFIG" });
  }
});

test("a stop lets the request under way finish, and a started operation goes on at the next start", async () => {
  await using dir = await openTempDir();
  let begun = 0;
  const install: NonNullable<ServerConfig["handlers"]>["install"] = ({ signal }) => {
    begun++;
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  };
  const first = await start(dir, { handlers: { install } });
  const admin = await read(first.server.adminTokenPath);
  const started = await withToken(first.server, admin, "/api/environments/default/installs", { method: "POST" });
  expect(started.status).toBe(202);
  await until("it runs", () => begun === 1);
  const request = withToken(first.server, admin, "/api/environments/default/status");
  await Bun.sleep(1);
  const stopping = first.server[Symbol.asyncDispose]();
  expect((await request).status).toBe(200);
  await stopping;
  const second = await start(dir, { handlers: { install } });
  await until("it runs again", () => begun === 2);
  const operations = (await (await withToken(second.server, admin, "/api/operations")).json()) as {
    items: { state: string; attempt: number }[];
  };
  expect(operations.items.map(({ state, attempt }) => [state, attempt])).toEqual([
    ["running", 2],
    ["interrupted", 1],
  ]);
  await second.server[Symbol.asyncDispose]();
});

test("a stop waits for an answer that is slow to come", async () => {
  await using dir = await openTempDir();
  await using registry = await openFixtureRegistry([{ name: "slow", version: "1.0.0" }]);
  registry.fault(() => ({ kind: "drip", chunkBytes: 200, everyMs: 200 }));
  const { server } = await start(dir, { database: "memory", blobStore: "memory", registry: new URL(registry.url) });
  const adding = withToken(server, await read(server.adminTokenPath), "/api/environments/default/packages", {
    method: "POST",
    body: JSON.stringify({ packages: [{ name: "slow" }] }),
  });
  await until("the registry is asked", () => registry.requests.length > 0);
  await server[Symbol.asyncDispose]();
  expect((await adding).status).toBe(200);
});

test("replicas over one PostgreSQL share tokens, and a revocation at one is known at the other within a second", async () => {
  await using postgres = await startPostgres();
  const database = { url: await postgres.createDatabase() };
  await using one = await openTempDir();
  await using two = await openTempDir();
  const shared = { database, blobStore: "postgres", secretKey: Buffer.alloc(32, 7).toString("base64") } as const;
  const [first, second] = [await start(one, shared), await start(two, shared)];
  await using _first = first.server;
  await using _second = second.server;
  const admin = await read(first.server.adminTokenPath);
  const host = await join(first.server, admin);
  const self = (server: Server) => host(server, rawRoutes.self);
  expect(await (await self(second.server)).json()).toEqual(await (await self(first.server)).json());
  await withToken(second.server, admin, "/api/hosts/h", { method: "DELETE" });
  expect((await self(second.server)).status).toBe(401);
  await until("the other knows", async () => (await self(first.server)).status === 401, { timeoutMs: 1000 });
  const unsealed = await openTempDir();
  await using _unsealed = unsealed;
  expect(await refusalOf(start(unsealed, { database, blobStore: "postgres" }))).toBeInstanceOf(LarderError);
});
