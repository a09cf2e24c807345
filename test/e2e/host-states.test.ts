import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { sql } from "drizzle-orm";
import { type Host, type HostReport, type HostState, silentAfterMs } from "../../src/contract/index.ts";
// biome-ignore lint/style/noRestrictedImports: a control plane in this process, in whose rows these tests let time pass
import { commitTestGeneration } from "../../src/server/testing/test-generation.ts";
// biome-ignore lint/style/noRestrictedImports: as above
import { openTestServer, type TestClient, type TestServer } from "../../src/server/testing/test-server.ts";
import { runLarder } from "../harness/processes.ts";
import { succeed } from "./larder-stack.ts";

setDefaultTimeout(90_000);

let server: TestServer;
const clients = new Map<string, TestClient>();
beforeAll(async () => {
  server = await openTestServer();
  await commitTestGeneration(server.context, { content: randomBytes(100) });
});
afterAll(() => server[Symbol.asyncDispose]());

const report = (generation: number, changes: Partial<HostReport> = {}): HostReport => ({
  phase: "ready",
  generation,
  platform: { os: "linux", cpu: "x64", libc: "glibc" },
  agentVersion: "0.1.0",
  runsInFlight: 0,
  ...changes,
});
const full = {
  phase: "error",
  error: { code: "E_NO_SPACE", message: "The disk is full.", hint: "Free 12 MB in /var/lib/larder." },
} as const;

async function join(id: string): Promise<TestClient> {
  const client = server.client(await server.join(id));
  clients.set(id, client);
  return client;
}
const says = (id: string, generation: number, changes?: Partial<HostReport>) =>
  (clients.get(id) as TestClient).hosts.report(report(generation, changes));
/** By the database's clock, as far as this host is concerned. */
const pass = (id: string, ms: number) =>
  server.context.db.query.execute(sql`update hosts set last_seen_at = last_seen_at - ${ms}::float8 * interval '1 ms',
    created_at = created_at - ${ms}::float8 * interval '1 ms', phase_since = phase_since - ${ms}::float8 * interval '1 ms' where id = ${id}`);

const larder = async (...args: string[]) =>
  await succeed(runLarder([...args, "--server", server.url], { env: { LARDER_TOKEN: server.adminToken } }));
const listed = async (state?: HostState) =>
  (await larder("hosts", "list", ...(state ? ["--state", state] : []), "--json")).json<Host[]>();
const shown = async (id: string) => ({
  host: (await larder("hosts", "show", id, "--json")).json<Host>(),
  page: (await larder("hosts", "show", id)).stdout,
});

test("hosts list and hosts show say who is silent, failing and behind, since when and why", async () => {
  for (const id of ["well", "gone", "never", "full", "late"]) await join(id);
  await says("well", 1);
  await says("gone", 1);
  await says("full", 0, full);
  await says("late", 0, { phase: "syncing" });
  for (const id of ["gone", "never"]) await pass(id, silentAfterMs);
  await pass("full", 60_000);

  const states = Object.fromEntries((await listed()).map(({ id, state }) => [id, state]));
  expect(states).toEqual({ well: "current", gone: "silent", never: "silent", full: "failing", late: "behind" });
  for (const [state, ids] of [
    ["silent", ["gone", "never"]],
    ["failing", ["full"]],
    ["ahead", []],
  ] as const) {
    expect((await listed(state)).map(({ id }) => id)).toEqual([...ids]);
  }
  const page = (await larder("hosts", "list")).stdout;
  expect(page).toContain("gone: It does not report any more.");
  expect(page).toContain("never: It has never reported since it joined.");
  expect(page).toContain("full: E_NO_SPACE: The disk is full. Free 12 MB in /var/lib/larder.");
  expect(page).not.toContain("well:");

  const gone = await shown("gone");
  expect(gone.host.since).toBe(gone.host.lastSeenAt as string);
  expect(gone.page).toMatch(/State +silent, since 2 min/);
  const failing = await shown("full");
  expect(failing.host).toMatchObject({ state: "failing", lag: 1, error: full.error });
  expect(failing.page).toMatch(/State +failing, since 1 min/);
  expect(failing.page).toMatch(/Way out +Free 12 MB/);
});

test("a host that fails again and again is failing since the first time, silent when it stops saying so, and current once it is well", async () => {
  await join("flaky");
  await says("flaky", 1);
  await says("flaky", 1, full);
  await pass("flaky", 30_000);
  const { since } = (await shown("flaky")).host;
  await says("flaky", 1, { ...full, error: { ...full.error, message: "The disk is full again." } });
  expect((await shown("flaky")).host).toMatchObject({ state: "failing", since, reason: "E_NO_SPACE: The disk is full again." });
  await pass("flaky", silentAfterMs);
  expect((await shown("flaky")).host).toMatchObject({ state: "silent", error: { code: "E_NO_SPACE" } });
  await says("flaky", 1);
  const { host } = await shown("flaky");
  expect(host).toMatchObject({ state: "current" });
  expect([host.error, host.reason, host.since]).toEqual([undefined, undefined, undefined]);
});

test("larder status counts the same states", async () => {
  const { stdout } = await larder("status", "--environment", "default");
  expect(stdout).toContain("It does not report any more.");
  expect((await larder("status", "--json")).json<{ hosts: Host[] }>().hosts.find(({ id }) => id === "full")).toMatchObject({
    state: "failing",
    reason: "E_NO_SPACE: The disk is full.",
  });
});
