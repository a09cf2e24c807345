import { afterEach, beforeEach, expect, setDefaultTimeout, setSystemTime, test } from "bun:test";
import { type ControlPlane, createReconcileMemory } from "../../src/agent/index.ts";
import { generateSigningKey, type SigningKey, signDesiredState, signHandover } from "../../src/contract/index.ts";
import { listSigningKeys } from "../../src/db/index.ts";
import { checkTrust, currentTree, readIdentity } from "../../src/host/index.ts";
import { openTrustStage, type TrustStage } from "../harness/trust-stage.ts";

setDefaultTimeout(90_000);

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

async function rotate() {
  await stage.server.admin.signingKeys.announce();
  return await stage.server.admin.signingKeys.rotate({});
}
const pinned = async () => (await readIdentity(stage.store))?.publicKey;

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

/** With its private half, as a thief has it. */
async function openKey(which: "active" | "announced"): Promise<SigningKey> {
  const { db, vault } = stage.server.context;
  const isIt = (active: boolean) => active === (which === "active");
  const stored = (await listSigningKeys(db.query)).find(
    ({ active, sealedPrivateKey }) => isIt(active) && sealedPrivateKey !== null,
  );
  if (!stored?.sealedPrivateKey) throw new Error(`no key is ${which}`);
  const opened = vault.open(stored.sealedPrivateKey, `larder signing key ${stored.keyId}`);
  if (!opened) throw new Error("the key cannot be opened");
  return { keyId: stored.keyId, publicKey: stored.publicKey, privateKey: opened.plaintext };
}

test("a host that misses two rotations follows both, pins the last key, and what it serves stays trusted throughout", async () => {
  await stage.publish("1");
  await stage.reconcile({ token: await stage.token() });
  const first = await pinned();
  await rotate();
  const last = await rotate();
  expect(await checkTrust(stage.store)).toMatchObject({ trusted: true, generation: 1 });
  expect(await stage.reconcile()).toMatchObject({ kind: "unchanged", tree: { generation: 1 } });
  expect(await readIdentity(stage.store)).toMatchObject({ publicKey: last.publicKey, formerKeys: [first as string] });
  expect(await checkTrust(stage.store)).toMatchObject({ trusted: true, generation: 1 });
  await stage.publish("2");
  // Killed between the new pin and the new tree: what is served was signed by the key before.
  await rotate();
  const cut = { ...controlPlane, manifest: () => Promise.reject(new Error("cut")) };
  await expect(stage.reconcile({ controlPlane: cut })).rejects.toThrow("cut");
  expect(await pinned()).toBe(stage.server.context.signer.publicKey);
  expect(await checkTrust(stage.store)).toMatchObject({ trusted: true, generation: 1 });
  expect(await stage.reconcile()).toMatchObject({ kind: "flipped", tree: { generation: 2 } });
  expect(await checkTrust(stage.store)).toMatchObject({ trusted: true, generation: 2 });
});

test("a host that misses a rotation and whose clock is ten years wrong learns the time from the new key", async () => {
  await stage.publish("1");
  await stage.reconcile({ token: await stage.token() });
  await rotate();
  await stage.publish("2");
  setSystemTime(new Date(Date.now() + 3652 * 86_400_000));
  controlPlane = stage.connect();
  expect(await stage.reconcile()).toMatchObject({ kind: "flipped", tree: { generation: 2 } });
});

test("what the next key signs before its time is refused, also when it is shown after its time; the host serves on", async () => {
  await stage.publish("1");
  await stage.reconcile({ token: await stage.token() });
  const before = await pinned();
  await stage.server.admin.signingKeys.announce();
  await stage.publish("2");
  const next = await openKey("announced");
  const early = new Date(Date.now() - 1000).toISOString();
  await expect(stage.reconcile({ controlPlane: forging(next) })).rejects.toMatchObject({
    code: "E_SIGNATURE",
    message: expect.stringContaining("announced"),
  });
  await stage.server.admin.signingKeys.rotate({});
  await expect(stage.reconcile({ controlPlane: forging(next, early) })).rejects.toMatchObject({ code: "E_SIGNATURE" });
  expect([await pinned(), await currentTree(stage.store)]).toMatchObject([before, { generation: 1 }]);
  expect(await stage.reconcile()).toMatchObject({ kind: "flipped", tree: { generation: 2 } });
});

test("a key that no handover leads to, and a key that was retired, are refused; the host serves on", async () => {
  await stage.publish("1");
  await stage.reconcile({ token: await stage.token() });
  await stage.server.admin.signingKeys.announce();
  const second = await openKey("announced");
  await stage.server.admin.signingKeys.rotate({});
  await rotate();
  await stage.reconcile();
  const trusted = await pinned();
  await stage.publish("2");
  for (const key of [await generateSigningKey(), second]) {
    await expect(stage.reconcile({ controlPlane: forging(key) })).rejects.toMatchObject({ code: "E_SIGNATURE" });
  }
  expect([await pinned(), await currentTree(stage.store)]).toMatchObject([trusted, { generation: 1 }]);
});

test("an enrolment token from before a rotation is good after it", async () => {
  const token = await stage.token();
  await rotate();
  await stage.publish("1");
  expect(await stage.reconcile({ token })).toMatchObject({ kind: "flipped", tree: { generation: 1 } });
  expect(await pinned()).toBe(stage.server.context.signer.publicKey);
});

const nextPin = async () => (await readIdentity(stage.store))?.nextKey?.keyId;
const half = ({ keyId, publicKey }: SigningKey) => ({ keyId, publicKey });

/** The control plane as a thief of the active key would have it: `to` comes next, since now or only announced. */
async function handingOverTo(to: SigningKey, { effective }: { effective: string | null }): Promise<ControlPlane> {
  const thief = await openKey("active");
  const announcedAt = new Date(Date.now() - 1000).toISOString();
  const { storeId } = stage.server.context.signer;
  const handover = { format: 1, storeId, from: half(thief), to: half(to), sequence: 1, announcedAt, effective } as const;
  const chain = [await signHandover(handover, thief)];
  return { ...(effective === null ? controlPlane : forging(to)), signingChain: async () => chain };
}
const aMomentAgo = () => new Date(Date.now() - 500).toISOString();

test("a host keeps the announced key at its next look, also when nothing else is new, and follows the rotation to it", async () => {
  await stage.publish("1");
  await stage.reconcile({ token: await stage.token() });
  const first = await pinned();
  expect(await nextPin()).toBeUndefined();
  const { keyId } = await stage.server.admin.signingKeys.announce();
  const memory = createReconcileMemory();
  expect(await stage.reconcile({ memory })).toMatchObject({ kind: "unchanged" });
  expect([await nextPin(), await pinned()]).toEqual([keyId, first]);
  await stage.report();
  const known = async () =>
    Object.fromEntries((await stage.server.admin.signingKeys.list()).map((each) => [each.state, each.hosts]));
  expect(await known()).toEqual({ active: 1, announced: 1 });
  await stage.server.admin.signingKeys.rotate({});
  expect(await known()).toEqual({ active: 1, retired: 1 });
  await stage.publish("2");
  expect(await stage.reconcile({ memory })).toMatchObject({ kind: "flipped", tree: { generation: 2 } });
  expect([await nextPin(), await pinned()]).toEqual([undefined, stage.server.context.signer.publicKey]);
  await stage.report();
  expect(await known()).toEqual({ active: 1, retired: 0 });
  const second = await stage.server.admin.signingKeys.announce();
  // Nothing has changed for this process: it hears of the key with a 304.
  expect(await stage.reconcile({ memory })).toMatchObject({ kind: "unchanged" });
  expect(await nextPin()).toBe(second.keyId);
});

test("whoever has stolen the signing key cannot hand over to a key of their own once a host has heard of the next one", async () => {
  await stage.publish("1");
  await stage.reconcile({ token: await stage.token() });
  await stage.server.admin.signingKeys.announce();
  await stage.reconcile();
  const [trusted, next] = [await pinned(), await nextPin()];
  await stage.publish("2");
  const stolen = await handingOverTo(await generateSigningKey(), { effective: aMomentAgo() });
  await expect(stage.reconcile({ controlPlane: stolen })).rejects.toMatchObject({
    code: "E_SIGNATURE",
    message: expect.stringContaining("before, it had announced"),
  });
  expect([await pinned(), await nextPin(), await currentTree(stage.store)]).toMatchObject([trusted, next, { generation: 1 }]);
  await stage.server.admin.signingKeys.rotate({});
  expect(await stage.reconcile()).toMatchObject({ kind: "flipped", tree: { generation: 2 } });
});

test("a second announcement by the same key is refused, the host serves on; a new token begins anew", async () => {
  await stage.publish("1");
  await stage.reconcile({ token: await stage.token() });
  await stage.server.admin.signingKeys.announce();
  await stage.reconcile();
  const next = await nextPin();
  const other = await generateSigningKey();
  const announcing = await handingOverTo(other, { effective: null });
  const hinting: ControlPlane = {
    ...announcing,
    desired: async (...args) => ({ ...(await announcing.desired(...args)), nextKeyId: other.keyId }),
  };
  await expect(stage.reconcile({ controlPlane: hinting })).rejects.toMatchObject({ code: "E_SIGNATURE" });
  expect([await nextPin(), await currentTree(stage.store)]).toMatchObject([next, { generation: 1 }]);
  await stage.server.admin.hosts.revoke({ id: "host" });
  await stage.reconcile({ controlPlane: hinting, token: await stage.token() });
  expect(await nextPin()).toBe(other.keyId);
});
