import { expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { startPostgres } from "../../../test/harness/postgres.ts";
import { until } from "../../../test/harness/until.ts";
import { rawRoutes, signedDesiredStateSchema, signingChainSchema } from "../../contract/index.ts";
import { listSigningKeys } from "../../db/index.ts";
import { silentLogger } from "../../lib/index.ts";
import { createTokenText } from "../auth/token-text.ts";
import { readDesiredState } from "../desired/read-desired-state.ts";
import { openSigner } from "../signing/open-signer.ts";
import { commitTestGeneration } from "../testing/test-generation.ts";
import { openTestServer, refusalOf, type TestServer } from "../testing/test-server.ts";

// A database takes seconds to make on a busy machine.
setDefaultTimeout(60_000);

const states = async ({ admin }: TestServer) => (await admin.signingKeys.list()).map(({ state }) => state).sort();
const chainOf = async (server: TestServer) => signingChainSchema.parse(await (await server.fetch(rawRoutes.signingChain)).json());

test("a key is announced, then signs; the one before loses its private half, and desired states are signed anew at once", async () => {
  await using server = await openTestServer();
  const { admin, context } = server;
  const token = await server.join("host");
  await commitTestGeneration(context, { content: Buffer.from("1") });
  const first = context.signer.keyId;
  const desired = async () => signedDesiredStateSchema.parse(await (await server.fetch(rawRoutes.desired, { token })).json());
  const next = await admin.signingKeys.announce();
  expect([next.state, context.signer.keyId, await states(server)]).toEqual(["announced", first, ["active", "announced"]]);
  expect((await desired()).keyId).toBe(first);
  expect(await chainOf(server)).toMatchObject([
    { handover: { from: { keyId: first }, to: { keyId: next.keyId }, effective: null } },
  ]);

  expect(await admin.signingKeys.rotate({})).toMatchObject({ keyId: next.keyId, state: "active" });
  expect(await states(server)).toEqual(["active", "retired"]);
  const stored = (await listSigningKeys(context.db.query)).find(({ keyId }) => keyId === first);
  expect(stored?.sealedPrivateKey).toBeNull();
  expect(await desired()).toMatchObject({ keyId: next.keyId, desired: { generation: 1 } });
  const [link] = await chainOf(server);
  expect(link?.handover.effective).toMatch(/Z$/);
  // What is sealed stays to be opened, and a retired key has nothing to seal.
  expect((await admin.secrets.rotate()).resealed).toBe(1);
});

test("without an announcement a rotation is refused with the way out; a second announcement too", async () => {
  await using server = await openTestServer();
  const { admin } = server;
  expect(await refusalOf(admin.signingKeys.rotate({}))).toMatchObject({
    code: "E_CONFLICT",
    hint: expect.stringContaining("--now"),
  });
  expect(await admin.signingKeys.rotate({ now: true })).toMatchObject({ state: "active" });
  await admin.signingKeys.announce();
  expect(await refusalOf(admin.signingKeys.announce())).toMatchObject({
    code: "E_CONFLICT",
    hint: expect.stringContaining("keys rotate"),
  });
  const both = await Promise.allSettled([admin.signingKeys.rotate({}), admin.signingKeys.rotate({})]);
  expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect((await chainOf(server)).map(({ handover }) => handover.sequence)).toEqual([1, 2]);
});

test("another replica signs with the new key once it is told, or sees what that has signed; a restarted one at once", async () => {
  await using server = await openTestServer();
  const { db, clock, vault } = server.context;
  const open = () => openSigner({ db, clock, vault, logger: silentLogger });
  const [told, untold] = [await open(), await open()];
  const { generation } = await commitTestGeneration(server.context, { content: Buffer.from("1") });
  const { keyId } = await server.admin.signingKeys.rotate({ now: true });
  expect([told.keyId, untold.keyId]).not.toContain(keyId);
  told.notice({ type: "signingKey" });
  await Bun.sleep(100);
  expect([told.keyId, (await open()).keyId]).toEqual([keyId, keyId]);
  expect(await readDesiredState(generation.environment, { db, clock, signer: untold })).toMatchObject({ keyId });
  expect(untold.keyId).toBe(keyId);
});

test("of two replicas on PostgreSQL that rotate at once one does, and both sign with its key", async () => {
  await using postgres = await startPostgres();
  const url = await postgres.createDatabase();
  const shared = { database: { url }, secretKey: randomBytes(32).toString("base64"), adminToken: createTokenText("admin") };
  await using one = await openTestServer(shared);
  await using two = await openTestServer(shared);
  await one.admin.signingKeys.announce();
  const rotations = await Promise.allSettled([one.admin.signingKeys.rotate({}), two.admin.signingKeys.rotate({})]);
  expect(rotations.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  const [active] = (await two.admin.signingKeys.list()).filter(({ state }) => state === "active");
  await until("both sign with the new key", () => [one, two].every(({ context }) => context.signer.keyId === active?.keyId));
  expect(await chainOf(two)).toMatchObject([{ handover: { to: { keyId: active?.keyId } } }]);
});
