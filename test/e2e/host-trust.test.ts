import { afterEach, beforeEach, expect, setDefaultTimeout, setSystemTime, test } from "bun:test";
import { sql } from "drizzle-orm";
import { type ControlPlane, joinControlPlane } from "../../src/agent/index.ts";
import { putDesiredState } from "../../src/db/index.ts";
import { currentTree, readIdentity } from "../../src/host/index.ts";
import { trustEnvironment as environment, openTrustStage, type TrustStage } from "../harness/trust-stage.ts";

setDefaultTimeout(90_000);

const tenYears = 3652 * 86_400_000;

let stage: TrustStage;
let controlPlane: ControlPlane;
beforeEach(async () => {
  stage = await openTrustStage();
  controlPlane = stage.connect();
});
afterEach(async () => {
  setSystemTime();
  await stage[Symbol.asyncDispose]();
});

const report = async (session: { id: string; sequence: number }) =>
  controlPlane.report({
    phase: "ready",
    generation: (await currentTree(stage.store))?.generation ?? 0,
    accepted: 3,
    platform: stage.store.platform,
    agentVersion: "test",
    runsInFlight: 0,
    session,
  });

test("a host that lost the answer to its joining is the same host afterwards, and needs no token from then on", async () => {
  const token = await stage.token();
  await stage.publish("1");
  const lost = {
    ...controlPlane,
    join: async (...args: Parameters<ControlPlane["join"]>) =>
      controlPlane.join(...args).then(() => Promise.reject(new Error("cut"))),
  };
  await expect(stage.reconcile({ token, controlPlane: lost })).rejects.toThrow("cut");
  expect(await readIdentity(stage.store)).toBeUndefined();
  expect(await stage.reconcile({ token })).toMatchObject({ kind: "flipped" });
  expect(await readIdentity(stage.store)).toMatchObject({ hostId: "host" });
  expect((await stage.server.admin.hosts.list({})).items).toHaveLength(1);
  await stage.publish("2");
  expect(await stage.reconcile()).toMatchObject({ kind: "flipped", tree: { generation: 2 } });
});

test.each([
  ["ahead", tenYears],
  ["behind", -tenYears],
])("a host whose clock is ten years %s follows, by the control plane's time", async (_, skewMs) => {
  await stage.publish("1");
  await stage.reconcile({ token: await stage.token() });
  setSystemTime(new Date(Date.now() + skewMs));
  controlPlane = stage.connect();
  await stage.publish("2");
  expect(await stage.reconcile()).toMatchObject({ kind: "flipped", tree: { generation: 2 } });
});

test("a host that is revoked in the middle of a reconcile gets nothing more, and serves on", async () => {
  await stage.publish("1");
  await stage.reconcile({ token: await stage.token() });
  await stage.publish("2");
  const revoking: ControlPlane = {
    ...controlPlane,
    async manifest(...args) {
      const answer = await controlPlane.manifest(...args);
      await stage.server.admin.hosts.revoke({ id: "host" });
      return answer;
    },
  };
  await expect(stage.reconcile({ controlPlane: revoking })).rejects.toMatchObject({ code: "E_UNAUTHENTICATED" });
  expect(await currentTree(stage.store)).toMatchObject({ generation: 1 });
  // A new token lets it in again, with its store and its key.
  expect(await stage.reconcile({ token: await stage.token() })).toMatchObject({ kind: "flipped", tree: { generation: 2 } });
});

test("after a restored backup hosts refuse to go back, the server says so, and takes them forward", async () => {
  const first = await stage.publish("1");
  await stage.publish("2");
  await stage.publish("3");
  await stage.reconcile({ token: await stage.token() });
  expect(await currentTree(stage.store)).toMatchObject({ generation: 3 });

  const { query } = stage.server.context.db;
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
    await stage.server.context.signer.sign({ environment: first.environment, generation: 1, lockfileHash, manifestDigest }),
  );
  stage.server.context.announce({ type: "desired", environment: first.environment, generation: 1 });

  await expect(stage.reconcile()).rejects.toMatchObject({ code: "E_ROLLBACK", hint: expect.stringContaining("larder advance") });
  expect(await currentTree(stage.store)).toMatchObject({ generation: 3 });
  await report({ id: "a".repeat(32), sequence: 1 });
  const [host] = (await stage.server.admin.hosts.list({ environment })).items;
  expect(host).toMatchObject({ state: "ahead", accepted: 3, wanted: 1, reason: expect.stringContaining("larder advance") });

  expect(await stage.server.admin.generations.advance({ environment })).toMatchObject({
    number: 4,
    lockfileHash: first.lockfileHash,
  });
  expect(await stage.reconcile()).toMatchObject({ kind: "flipped", tree: { generation: 4, lockfileHash: first.lockfileHash } });
});

test("two machines with one key are told apart from one that restarts", async () => {
  await joinControlPlane(stage.writer, controlPlane, {
    server: new URL(stage.server.url),
    token: await stage.token(),
    signal: AbortSignal.timeout(60_000),
  });
  const state = async () => (await stage.server.admin.hosts.get({ id: "host" })).state;
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
  const host = await stage.server.admin.hosts.get({ id: "host" });
  expect(host).toMatchObject({ state: "cloned", since: expect.any(String), reason: expect.stringContaining("Two machines") });
  expect(host.sessions.map(({ id }) => id)).toEqual([two, three, one]);
});
