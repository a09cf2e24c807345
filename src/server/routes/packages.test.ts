import { afterAll, beforeAll, expect, test } from "bun:test";
import { type FixtureRegistry, openFixtureRegistry } from "../../../test/harness/fixture-registry.ts";
import { defaultEnvironment, type PackageName } from "../../contract/index.ts";
import { listAudit } from "../../db/index.ts";
import { openTestServer, refusalOf, type TestServer } from "../testing/test-server.ts";

let registry: FixtureRegistry;
let server: TestServer;
beforeAll(async () => {
  registry = await openFixtureRegistry([
    { name: "plain", version: "1.0.0" },
    { name: "plain", version: "1.2.0" },
    { name: "plain", version: "2.0.0-rc.1" },
    { name: "@scope/x", version: "3.0.0" },
    { name: "JSONStream", version: "1.3.5" },
  ]);
  server = await openTestServer({ registry: new URL(registry.url) });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

const environment = defaultEnvironment;
const add = (...packages: { name: string; version?: string; range?: string }[]) =>
  server.admin.packages.add({ environment, packages });
const listed = async () => {
  const { packages } = await server.admin.packages.list({ environment });
  return packages.map(({ name, version, enabled }) => `${name}@${version}${enabled ? "" : " off"}`);
};
const audited = async () => (await listAudit(server.context.db.query)).length;

test("a package without a version gets the registry's latest, and says what it was before", async () => {
  expect(await add({ name: "plain", version: "1.0.0" })).toMatchObject([{ version: "1.0.0", change: "added", addedBy: "admin" }]);
  const again = await add({ name: "plain" });
  expect(again).toMatchObject([{ version: "1.2.0", change: "changed", previousVersion: "1.0.0" }]);
  expect(await add({ name: "plain", version: "1.2.0" })).toMatchObject([{ change: "unchanged" }]);
});

test("a package with a range gets the newest of it, and what is no range, or has nothing in it, is refused", async () => {
  expect(await add({ name: "plain", range: "~1.0.0" })).toMatchObject([
    { version: "1.0.0", choice: { latest: "1.2.0", why: "1.0.0 is the newest in ~1.0.0 that policy allows." } },
  ]);
  expect(await add({ name: "plain", range: "^1.0.0" })).toMatchObject([{ version: "1.2.0", change: "changed" }]);
  expect(await refusalOf(add({ name: "plain", range: "^7" }))).toMatchObject({ code: "E_VERSION_NOT_FOUND" });
  expect(await refusalOf(add({ name: "plain", range: "not a range" }))).toMatchObject({ code: "E_INPUT" });
});

test("a scoped name travels through list, disable, enable and remove", async () => {
  await add({ name: "@scope/x", version: "3.0.0" });
  const name = "@scope/x" as PackageName;
  expect(await server.admin.packages.setEnabled({ environment, name, enabled: false })).toMatchObject({ name, enabled: false });
  expect(await listed()).toContain("@scope/x@3.0.0 off");
  expect(await server.admin.packages.setEnabled({ environment, name, enabled: true })).toMatchObject({ enabled: true });
  expect(await server.admin.packages.remove({ environment, name })).toMatchObject({ name, version: "3.0.0" });
  expect((await refusalOf(server.admin.packages.remove({ environment, name }))).code).toBe("E_NOT_FOUND");
});

test("a version that does not exist is refused with the nearest in the hint", async () => {
  const refused = await refusalOf(add({ name: "plain", version: "1.1.0" }));
  expect([refused.code, refused.message]).toEqual(["E_VERSION_NOT_FOUND", "The registry has no plain@1.1.0."]);
  expect(refused.hint).toContain("1.0.0, 1.2.0");
});

test("one bad package of many leaves nothing behind", async () => {
  const [before, rows] = [await listed(), await audited()];
  const refused = await refusalOf(add({ name: "JSONStream" }, { name: "no-such-package" }));
  expect([refused.code, refused.message]).toEqual(["E_PACKAGE_NOT_FOUND", expect.stringContaining("no-such-package")]);
  expect([await listed(), await audited()]).toEqual([before, rows]);
});

test("a name given twice is refused", async () => {
  expect(await refusalOf(add({ name: "plain" }, { name: "plain", version: "1.0.0" }))).toMatchObject({ code: "E_INPUT" });
});

test("a pin that stands is not asked about again: it needs no registry", async () => {
  await add({ name: "JSONStream", version: "1.3.5" });
  const asked = registry.requests.length;
  await add({ name: "JSONStream", version: "1.3.5" });
  expect(registry.requests.length).toBe(asked);
});

test("each change leaves exactly one audit row, and what changed nothing leaves none", async () => {
  const start = await audited();
  await add({ name: "plain", version: "1.0.0" }, { name: "@scope/x" });
  expect(await audited()).toBe(start + 1);
  await add({ name: "plain", version: "1.0.0" });
  const name = "plain" as PackageName;
  await server.admin.packages.setEnabled({ environment, name, enabled: true });
  expect(await audited()).toBe(start + 1);
  await server.admin.packages.setEnabled({ environment, name, enabled: false });
  await server.admin.packages.remove({ environment, name });
  expect(await audited()).toBe(start + 3);
  expect(await listAudit(server.context.db.query, { limit: 1 })).toMatchObject([
    { actor: "admin", action: "package.remove", target: "default/plain", details: { version: "1.0.0" } },
  ]);
});

test("an install is due while the enabled packages are not what is installed", async () => {
  const environment = (await server.admin.environments.create({ name: "fresh" })).name;
  expect((await server.admin.status.get({ environment })).installDue).toBe(false);
  await server.admin.packages.add({ environment, packages: [{ name: "plain" }] });
  expect(await server.admin.status.get({ environment })).toMatchObject({ installDue: true, packages: 1, generation: 0 });
  await server.admin.packages.setEnabled({ environment, name: "plain" as PackageName, enabled: false });
  expect((await server.admin.status.get({ environment })).installDue).toBe(false);
});

test("a registry that fails is named", async () => {
  await using down = await openFixtureRegistry();
  await using own = await openTestServer({ registry: new URL(down.url) });
  down.fault(() => ({ kind: "status", status: 401 }));
  const refused = await refusalOf(own.admin.packages.add({ environment, packages: [{ name: "plain" }] }));
  expect([refused.code, refused.message]).toEqual(["E_REGISTRY_AUTH", expect.stringContaining(new URL(down.url).host)]);
});
