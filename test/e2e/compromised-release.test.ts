import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { AuditRecord, Generation, Manifest, Plan, Waiver } from "../../src/contract/index.ts";
import { type FixtureRegistry, openFixtureRegistry } from "../harness/fixture-registry.ts";
import { type LarderStack, openLarderStack, type Satellite, succeed, treeOf } from "./larder-stack.ts";

const compromised = {
  name: "leaf",
  publishedAt: new Date(Date.now() - 3_600_000).toISOString(),
  dependencies: { dropper: "^1.0.0" },
  scripts: { postinstall: "node steal.js" },
};
let registry: FixtureRegistry;
let stack: LarderStack;
let host: Satellite;

beforeAll(async () => {
  registry = await openFixtureRegistry([
    { name: "app", version: "1.0.0", dependencies: { leaf: "^1.2.0" } },
    { name: "leaf", version: "1.2.3" },
    { ...compromised, version: "1.2.4" },
    { name: "dropper", version: "1.0.0" },
  ]);
  stack = await openLarderStack({ registry: registry.url });
  host = await stack.startSatellite("worker");
}, 180_000);
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
});

const larder = async <T>(...args: string[]): Promise<T> => (await succeed(stack.larder([...args, "--yes"]))).json<T>();
const leafOnHost = async () =>
  (await host.run('import { name, version } from "leaf"; export default [name, version].join("@");')).result;
const versionsOf = async (lockfileHash: string): Promise<string[]> => {
  const manifest: Manifest = await stack.manifest(lockfileHash);
  return Object.values(manifest.nodes)
    .map(({ name, version }) => `${name}@${version}`)
    .sort();
};
/** What the tree on the host's disk leads to. */
const packagesOnHost = (lockfileHash: string): string[] => readdirSync(treeOf(host, lockfileHash)).sort();

test("the release of an hour ago is not chosen, and the plan says which rule, on which way, and the way out", async () => {
  await stack.add("app");
  const plan = await larder<Plan>("plan");
  expect(plan.changes.map(({ name, to }) => `${name}@${to}`)).toEqual(["app@1.0.0", "leaf@1.2.3"]);
  expect(plan.heldBack).toMatchObject([
    { name: "leaf", chosen: "1.2.3", finding: { version: "1.2.4", rule: "release-age", path: ["app@1.0.0", "leaf@1.2.4"] } },
  ]);
  const { generation } = await stack.install();
  await host.ready(generation);
  const pinned = await stack.larder(["plan", "--add", "leaf@1.2.4"]);
  expect(pinned.code).toBe(3);
  expect(pinned.json<Plan>()).toMatchObject({
    ok: false,
    error: { code: "E_POLICY", message: expect.stringContaining("leaf@1.2.4 was published 1 h ago") },
    refusals: [
      {
        name: "leaf",
        version: "1.2.4",
        rule: "release-age",
        hint: expect.stringContaining("larder waivers add leaf@1.2.4 --rule release-age"),
      },
    ],
  });
  expect((await stack.larder(["add", "leaf@1.2.4"])).json()).toMatchObject({ error: { code: "E_POLICY" } });
  expect(await versionsOf((await stack.status()).lockfileHash ?? "")).toEqual(["app@1.0.0", "leaf@1.2.3"]);
}, 120_000);

test("a plan refuses nothing by what the registry said a while ago", async () => {
  registry.add({ ...compromised, version: "1.2.5", publishedAt: new Date(Date.now() - 60_000).toISOString() });
  const plan = (await stack.larder(["plan", "--add", "leaf@1.2.5"])).json<Plan>();
  expect(plan.error).toMatchObject({ code: "E_POLICY", details: { rule: "release-age", package: "leaf@1.2.5" } });
}, 60_000);

test("a waiver lets it in, and is recorded; the plan shows the waiver, the new dependency and the script", async () => {
  const waiver = await larder<Waiver>("waivers", "add", "leaf@1.2.4", "--rule", "release-age", "--reason", "read it");
  const { records } = await larder<{ records: AuditRecord[] }>("audit", "--action", "waiver.add");
  expect(records).toMatchObject([
    { action: "waiver.add", details: { rule: "release-age", name: "leaf", range: "1.2.4", reason: "read it" } },
  ]);
  const plan = await larder<Plan>("plan", "--add", "leaf@1.2.4");
  expect(plan).toMatchObject({ ok: true, waived: [{ name: "leaf", version: "1.2.4", waiver: waiver.id }] });
  expect(plan.flags).toMatchObject([{ name: "leaf", rule: "install-scripts" }]);
  expect(plan.changes.find(({ name }) => name === "dropper")).toMatchObject({ change: "added", newTransitive: true });
  await stack.add("leaf@1.2.4");
  const installed = await stack.install();
  await host.ready(installed.generation);
  expect(await versionsOf(installed.lockfileHash)).toEqual(["app@1.0.0", "dropper@1.0.0", "leaf@1.2.3", "leaf@1.2.4"]);
  expect(await leafOnHost()).toBe("leaf@1.2.4");
  expect(packagesOnHost(installed.lockfileHash)).toEqual(["app", "leaf"]);
}, 120_000);

test("a promotion asks the target's policy: refused with rule and way out, and let in by a waiver of its own", async () => {
  await larder("environments", "create", "production");
  // A waiver is of one environment.
  const promote = ["promote", "2", "--from", "default", "--to", "production", "--yes"];
  const refused = await stack.larder(promote);
  expect([refused.code, refused.json<object>()]).toMatchObject([
    3,
    {
      error: {
        code: "E_POLICY",
        message: expect.stringContaining("leaf@1.2.4 was published"),
        hint: expect.stringContaining("larder waivers add leaf@1.2.4 --rule release-age"),
        details: { rule: "release-age", package: "leaf@1.2.4" },
      },
    },
  ]);
  expect(await larder<Generation[]>("generations", "--environment", "production")).toEqual([]);
  await larder(...["waivers", "add", "leaf@1.2.4", "--rule", "release-age", "--reason", "tried", "--environment", "production"]);
  expect(await larder<Generation>(...promote)).toMatchObject({ number: 1, promotedFrom: { environment: "default", number: 2 } });
}, 60_000);

test("a revocation takes it out of the host's tree in one command, waiver or not, and it cannot come back", async () => {
  const revoked = await larder<{ outcomes: { environment: string; generation: number; hosts: number }[] }>(
    ...["revoke", "leaf@1.2.4", "--reason", "compromised"],
  );
  const here = revoked.outcomes.find(({ environment }) => environment === "default");
  expect(here).toMatchObject({ generation: 3, hosts: 2 });
  const lockfileHash = (await stack.status()).lockfileHash ?? "";
  expect(await versionsOf(lockfileHash)).toEqual(["app@1.0.0", "leaf@1.2.3"]);
  expect(await leafOnHost()).toBe("leaf@1.2.3");
  expect(existsSync(join(treeOf(host, lockfileHash), "leaf"))).toBe(true);
  const { records } = await larder<{ records: AuditRecord[] }>("audit", "--action", "version.revoke");
  expect(records).toMatchObject([{ target: "leaf@1.2.4", details: { reason: "compromised" } }]);
  const production = await larder<Generation[]>("generations", "--environment", "production");
  expect(production[0]?.number).toBe(2);
  const back = await stack.larder(["rollback", "2", "--yes"]);
  expect([back.code, back.json<object>()]).toMatchObject([3, { error: { code: "E_POLICY", details: { rule: "revoked" } } }]);
  expect(await larder<Plan>("plan")).toMatchObject({ ok: true, changed: false });
}, 180_000);
