import { afterEach, beforeEach, expect, setDefaultTimeout, setSystemTime, test } from "bun:test";
import { type ControlPlane, createControlPlaneClient, reconcileOnce } from "../../src/agent/index.ts";
import { type BlobKey, generateSigningKey, type SigningKey, signDesiredState } from "../../src/contract/index.ts";
import { listSigningKeys } from "../../src/db/index.ts";
import {
  checkTrust,
  currentTree,
  type HostStore,
  openHostStore,
  openStoreWriter,
  readIdentity,
  type StoreWriter,
} from "../../src/host/index.ts";
import { silentLogger } from "../../src/lib/index.ts";
// biome-ignore lint/style/noRestrictedImports: a control plane in this process, whose keys these tests take
import { commitTestGeneration } from "../../src/server/testing/test-generation.ts";
// biome-ignore lint/style/noRestrictedImports: as above
import { openTestServer, type TestServer } from "../../src/server/testing/test-server.ts";
import { buildGeneration } from "../harness/fixture-generation.ts";
import { openTempDir, type TempDir } from "../harness/temp-dir.ts";

setDefaultTimeout(90_000);

const environment = "default";
/** Whatever the tests do to the host's. */
const serverClock = { now: () => Math.round(performance.timeOrigin + performance.now()) };

let server: TestServer;
let temp: TempDir;
let store: HostStore;
let writer: StoreWriter;
let controlPlane: ControlPlane;
beforeEach(async () => {
  server = await openTestServer({ clock: serverClock });
  temp = await openTempDir("rotation");
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
}
async function rotate() {
  await server.admin.signingKeys.announce();
  return await server.admin.signingKeys.rotate({});
}
const pinned = async () => (await readIdentity(store))?.publicKey;

/** What the control plane wants now, as somebody else would sign it. */
const forging = (key: SigningKey, issuedAt?: string): ControlPlane => ({
  ...controlPlane,
  async desired(...args) {
    const answer = await controlPlane.desired(...args);
    if (answer.kind !== "ok") return answer;
    const { desired } = answer.signed;
    return { ...answer, signed: await signDesiredState({ ...desired, ...(issuedAt ? { issuedAt } : {}) }, key) };
  },
});

async function openNextKey(): Promise<SigningKey> {
  const { db, vault } = server.context;
  const stored = (await listSigningKeys(db.query)).find(({ active, sealedPrivateKey }) => !active && sealedPrivateKey !== null);
  if (!stored?.sealedPrivateKey) throw new Error("no key is announced");
  const opened = vault.open(stored.sealedPrivateKey, `larder signing key ${stored.keyId}`);
  if (!opened) throw new Error("the announced key cannot be opened");
  return { keyId: stored.keyId, publicKey: stored.publicKey, privateKey: opened.plaintext };
}

test("a host that misses two rotations follows both, pins the last key, and what it serves stays trusted throughout", async () => {
  await publish("1");
  await reconcile({ token: await tokenFor() });
  const first = await pinned();
  await rotate();
  const last = await rotate();
  expect(await checkTrust(store)).toMatchObject({ trusted: true, generation: 1 });
  expect(await reconcile()).toMatchObject({ kind: "unchanged", tree: { generation: 1 } });
  expect(await readIdentity(store)).toMatchObject({ publicKey: last.publicKey, formerKeys: [first as string] });
  expect(await checkTrust(store)).toMatchObject({ trusted: true, generation: 1 });
  await publish("2");
  // Killed between the new pin and the new tree: what is served was signed by the key before.
  await rotate();
  const cut = { ...controlPlane, manifest: () => Promise.reject(new Error("cut")) };
  await expect(reconcile({ controlPlane: cut })).rejects.toThrow("cut");
  expect(await pinned()).toBe(server.context.signer.publicKey);
  expect(await checkTrust(store)).toMatchObject({ trusted: true, generation: 1 });
  expect(await reconcile()).toMatchObject({ kind: "flipped", tree: { generation: 2 } });
  expect(await checkTrust(store)).toMatchObject({ trusted: true, generation: 2 });
});

test("a host that misses a rotation and whose clock is ten years wrong learns the time from the new key", async () => {
  await publish("1");
  await reconcile({ token: await tokenFor() });
  await rotate();
  await publish("2");
  setSystemTime(new Date(Date.now() + 3652 * 86_400_000));
  controlPlane = createControlPlaneClient({ server: new URL(server.url), store });
  expect(await reconcile()).toMatchObject({ kind: "flipped", tree: { generation: 2 } });
});

test("what the next key signs before its time is refused, also when it is shown after its time; the host serves on", async () => {
  await publish("1");
  await reconcile({ token: await tokenFor() });
  const before = await pinned();
  await server.admin.signingKeys.announce();
  await publish("2");
  const next = await openNextKey();
  const early = new Date(Date.now() - 1000).toISOString();
  await expect(reconcile({ controlPlane: forging(next) })).rejects.toMatchObject({
    code: "E_SIGNATURE",
    message: expect.stringContaining("announced"),
  });
  await server.admin.signingKeys.rotate({});
  await expect(reconcile({ controlPlane: forging(next, early) })).rejects.toMatchObject({ code: "E_SIGNATURE" });
  expect([await pinned(), await currentTree(store)]).toMatchObject([before, { generation: 1 }]);
  expect(await reconcile()).toMatchObject({ kind: "flipped", tree: { generation: 2 } });
});

test("a key that no handover leads to, and a key that was retired, are refused; the host serves on", async () => {
  await publish("1");
  await reconcile({ token: await tokenFor() });
  await server.admin.signingKeys.announce();
  const second = await openNextKey();
  await server.admin.signingKeys.rotate({});
  await rotate();
  await reconcile();
  const trusted = await pinned();
  await publish("2");
  for (const key of [await generateSigningKey(), second]) {
    await expect(reconcile({ controlPlane: forging(key) })).rejects.toMatchObject({ code: "E_SIGNATURE" });
  }
  expect([await pinned(), await currentTree(store)]).toMatchObject([trusted, { generation: 1 }]);
});

test("an enrolment token from before a rotation is good after it", async () => {
  const token = await tokenFor();
  await rotate();
  await publish("1");
  expect(await reconcile({ token })).toMatchObject({ kind: "flipped", tree: { generation: 1 } });
  expect(await pinned()).toBe(server.context.signer.publicKey);
});
