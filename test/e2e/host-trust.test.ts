import { afterEach, beforeEach, expect, setDefaultTimeout, setSystemTime, test } from "bun:test";
import { sql } from "drizzle-orm";
import { type ControlPlane, createControlPlaneClient, joinControlPlane, reconcileOnce } from "../../src/agent/index.ts";
import type { BlobKey } from "../../src/contract/index.ts";
import { putDesiredState } from "../../src/db/index.ts";
import {
  currentTree,
  type HostStore,
  openHostStore,
  openStoreWriter,
  readIdentity,
  type StoreWriter,
} from "../../src/host/index.ts";
import { silentLogger } from "../../src/lib/index.ts";
// biome-ignore lint/style/noRestrictedImports: a control plane in this process, whose clock and rows these tests change
import { commitTestGeneration } from "../../src/server/testing/test-generation.ts";
// biome-ignore lint/style/noRestrictedImports: as above
import { openTestServer, type TestServer } from "../../src/server/testing/test-server.ts";
import { buildGeneration } from "../harness/fixture-generation.ts";
import { openTempDir, type TempDir } from "../harness/temp-dir.ts";

setDefaultTimeout(90_000);

const environment = "default";
const tenYears = 3652 * 86_400_000;
/** Whatever the tests do to the host's. */
const serverClock = { now: () => performance.timeOrigin + performance.now() };

let server: TestServer;
let temp: TempDir;
let store: HostStore;
let writer: StoreWriter;
let controlPlane: ControlPlane;
beforeEach(async () => {
  server = await openTestServer({ clock: { now: () => Math.round(serverClock.now()) } });
  temp = await openTempDir("trust");
  store = await openHostStore({ directory: temp.join("host") });
  writer = await openStoreWriter(store, { purpose: "test" });
  controlPlane = createControlPlaneClient({ server: new URL(server.url), store });
});
afterEach(async () => {
  setSystemTime();
  for (const each of [writer, store, server, temp]) await each[Symbol.asyncDispose]();
});

const tokenFor = async (id = "host") => (await server.admin.hosts.enrol({ id, environment })).token;
const reconcile = (options: { token?: string; controlPlane?: ControlPlane } = {}) =>
  reconcileOnce({ writer, controlPlane, server: new URL(server.url), logger: silentLogger, ...options });
async function publish(text: string) {
  const { blobs } = buildGeneration([{ name: "x", version: "1.0.0", files: { "index.js": text } }], ["x"]);
  const [content] = [...(blobs as Map<BlobKey, Uint8Array>).values()];
  const { generation } = await commitTestGeneration(server.context, { content: content as Uint8Array });
  server.context.announce({ type: "desired", environment: generation.environment, generation: generation.number });
  return generation;
}
const report = async (session: { id: string; sequence: number }) =>
  controlPlane.report({
    phase: "ready",
    generation: (await currentTree(store))?.generation ?? 0,
    accepted: 3,
    platform: store.platform,
    agentVersion: "test",
    runsInFlight: 0,
    session,
  });

test("a host that lost the answer to its joining is the same host afterwards, and needs no token from then on", async () => {
  const token = await tokenFor();
  await publish("1");
  const lost = {
    ...controlPlane,
    join: async (...args: Parameters<ControlPlane["join"]>) =>
      controlPlane.join(...args).then(() => Promise.reject(new Error("cut"))),
  };
  await expect(reconcile({ token, controlPlane: lost })).rejects.toThrow("cut");
  expect(await readIdentity(store)).toBeUndefined();
  expect(await reconcile({ token })).toMatchObject({ kind: "flipped" });
  expect(await readIdentity(store)).toMatchObject({ hostId: "host" });
  expect(await server.admin.hosts.list({})).toHaveLength(1);
  await publish("2");
  expect(await reconcile()).toMatchObject({ kind: "flipped", tree: { generation: 2 } });
});

test.each([
  ["ahead", tenYears],
  ["behind", -tenYears],
])("a host whose clock is ten years %s follows, by the control plane's time", async (_, skewMs) => {
  await publish("1");
  await reconcile({ token: await tokenFor() });
  setSystemTime(new Date(Date.now() + skewMs));
  controlPlane = createControlPlaneClient({ server: new URL(server.url), store });
  await publish("2");
  expect(await reconcile()).toMatchObject({ kind: "flipped", tree: { generation: 2 } });
});

test("a host that is revoked in the middle of a reconcile gets nothing more, and serves on", async () => {
  await publish("1");
  await reconcile({ token: await tokenFor() });
  await publish("2");
  const revoking: ControlPlane = {
    ...controlPlane,
    async manifest(...args) {
      const answer = await controlPlane.manifest(...args);
      await server.admin.hosts.revoke({ id: "host" });
      return answer;
    },
  };
  await expect(reconcile({ controlPlane: revoking })).rejects.toMatchObject({ code: "E_UNAUTHENTICATED" });
  expect(await currentTree(store)).toMatchObject({ generation: 1 });
  // A new token lets it in again, with its store and its key.
  expect(await reconcile({ token: await tokenFor() })).toMatchObject({ kind: "flipped", tree: { generation: 2 } });
});

test("after a restored backup hosts refuse to go back, the server says so, and takes them forward", async () => {
  const first = await publish("1");
  await publish("2");
  await publish("3");
  await reconcile({ token: await tokenFor() });
  expect(await currentTree(store)).toMatchObject({ generation: 3 });

  const { query } = server.context.db;
  await query.execute(sql`delete from generations where number > 1`);
  await query.execute(sql`delete from desired_states`);
  await query.execute(sql`update environments set generation_counter = 1`);
  const { rows } = (await query.execute(
    sql`select digest from manifests where lockfile_hash = ${first.lockfileHash}`,
  )) as unknown as { rows: { digest: string }[] };
  const { lockfileHash } = first;
  const manifestDigest = rows[0]?.digest as never;
  await putDesiredState(
    query,
    await server.context.signer.sign({ environment: first.environment, generation: 1, lockfileHash, manifestDigest }),
  );
  server.context.announce({ type: "desired", environment: first.environment, generation: 1 });

  await expect(reconcile()).rejects.toMatchObject({ code: "E_ROLLBACK", hint: expect.stringContaining("larder advance") });
  expect(await currentTree(store)).toMatchObject({ generation: 3 });
  await report({ id: "a".repeat(32), sequence: 1 });
  const [host] = (await server.admin.status.get({ environment })).hosts;
  expect(host).toMatchObject({ state: "ahead", accepted: 3, wanted: 1, reason: expect.stringContaining("larder advance") });

  expect(await server.admin.generations.advance({ environment })).toMatchObject({ number: 4, lockfileHash: first.lockfileHash });
  expect(await reconcile()).toMatchObject({ kind: "flipped", tree: { generation: 4, lockfileHash: first.lockfileHash } });
});

test("two machines with one key are told apart from one that restarts", async () => {
  await joinControlPlane(writer, controlPlane, {
    server: new URL(server.url),
    token: await tokenFor(),
    signal: AbortSignal.timeout(60_000),
  });
  const state = async () => (await server.admin.hosts.get({ id: "host" })).state;
  const [one, two, three] = ["a", "b", "c"].map((letter) => letter.repeat(32)) as [string, string, string];
  await report({ id: one, sequence: 1 });
  await report({ id: two, sequence: 1 });
  // One report that was long on its way.
  await report({ id: one, sequence: 2 });
  await report({ id: two, sequence: 2 });
  await report({ id: three, sequence: 1 });
  expect(await state()).not.toBe("cloned");
  await report({ id: two, sequence: 3 });
  await report({ id: three, sequence: 2 });
  await report({ id: two, sequence: 4 });
  const host = await server.admin.hosts.get({ id: "host" });
  expect(host).toMatchObject({ state: "cloned", since: expect.any(String), reason: expect.stringContaining("Two machines") });
  expect(host.sessions.map(({ id }) => id)).toEqual([two, three, one]);
});
