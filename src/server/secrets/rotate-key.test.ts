import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openFixtureRegistry } from "../../../test/harness/fixture-registry.ts";
import { openTempDir } from "../../../test/harness/temp-dir.ts";
import type { PackageName } from "../../contract/index.ts";
import { listSigningKeys, listStoredRegistries, putRegistry } from "../../db/index.ts";
import { openTestServer, refusalOf, type TestServer } from "../testing/test-server.ts";
import { startRotation } from "./rotate-key.ts";
import { createSecretKeys } from "./secret-key.ts";

const token = "canary-of-the-rotation";
const name = "@corp/x" as PackageName;

async function withRegistry(server: TestServer, url: string): Promise<void> {
  await server.admin.registries.set({ name: "corp", url, scopes: ["@corp"], auth: { type: "bearer", token } });
}
const total = async (server: TestServer) => (await server.admin.registries.versions({ name, limit: 1 })).total;
const keyFile = (server: TestServer) => join(server.directory, "control", "secret-key");

test("a rotation seals everything anew; the old key opens nothing any more, and what was sealed still works", async () => {
  await using registry = await openFixtureRegistry([{ name, version: "1.0.0" }], { token });
  await using server = await openTestServer();
  await withRegistry(server, registry.url);
  const { vault, db } = server.context;
  const before = {
    key: await readFile(keyFile(server), "utf8"),
    rows: JSON.stringify([await listStoredRegistries(db.query), await listSigningKeys(db.query)]),
  };
  expect(await server.admin.secrets.rotate()).toEqual({ resealed: 2, source: keyFile(server) });
  const key = await readFile(keyFile(server), "utf8");
  expect(key.trim().split("\n")).toHaveLength(1);
  expect(key).not.toBe(before.key);
  expect((await stat(keyFile(server))).mode & 0o777).toBe(0o600);
  expect(JSON.stringify([await listStoredRegistries(db.query), await listSigningKeys(db.query)])).not.toBe(before.rows);
  expect(await total(server)).toBe(1);
  // With the old key alone, nothing opens: a refusal of each request, and no request without the token.
  vault.use({ ...vault.keys(), keys: [Buffer.from(before.key.trim(), "base64")] });
  await server.admin.registries.set({ name: "corp", names: ["corp-*"] });
  const asked = registry.requests.length;
  const refused = await refusalOf(total(server));
  expect([refused.code, registry.requests.length]).toEqual(["E_SECRET_KEY", asked]);
}, 120_000);

test("killed after the new key was written, before the database changed: both keys are there, and the next rotation finishes it", async () => {
  await using registry = await openFixtureRegistry([{ name, version: "1.0.0" }], { token });
  await using server = await openTestServer();
  await withRegistry(server, registry.url);
  const { vault, db, controlDirectory } = server.context;
  await startRotation({ db, vault, controlDirectory });
  expect((await readFile(keyFile(server), "utf8")).trim().split("\n")).toHaveLength(2);
  expect(await total(server)).toBe(1);
  expect((await server.admin.secrets.rotate()).resealed).toBe(2);
  expect((await readFile(keyFile(server), "utf8")).trim().split("\n")).toHaveLength(1);
  expect(await total(server)).toBe(1);
}, 120_000);

test("a key that is given by a setting is rotated by giving two", async () => {
  const [old, fresh] = [randomBytes(32), randomBytes(32)].map((key) => key.toString("base64")) as [string, string];
  await using server = await openTestServer({ secretKey: old });
  expect((await refusalOf(server.admin.secrets.rotate())).hint).toContain("NEW,OLD");
  const { vault } = server.context;
  vault.use({ ...vault.keys(), keys: [Buffer.from(fresh, "base64"), Buffer.from(old, "base64")] });
  expect((await server.admin.secrets.rotate()).resealed).toBe(1);
  expect((await server.admin.secrets.rotate()).resealed).toBe(0);
}, 120_000);

test("a sealed token in another row, or with another address beside it, is a refusal and not nothing", async () => {
  await using registry = await openFixtureRegistry([{ name, version: "1.0.0" }], { token });
  await using elsewhere = await openFixtureRegistry([{ name, version: "1.0.0" }]);
  await using server = await openTestServer();
  await withRegistry(server, registry.url);
  const { db } = server.context;
  const [row] = await listStoredRegistries(db.query);
  const { updatedAt, ...stored } = row!;
  for (const forged of [
    { ...stored, url: elsewhere.url, credentialsFor: elsewhere.url },
    { ...stored, url: elsewhere.url, name: "other", scopes: [] as string[], names: [name as string] },
  ]) {
    await putRegistry(db.query, forged);
    server.context.announce({ type: "registries" });
    expect((await refusalOf(total(server))).code).toBe("E_SECRET_KEY");
    await server.admin.registries.remove({ name: forged.name });
    await putRegistry(db.query, stored);
    server.context.announce({ type: "registries" });
  }
  expect(elsewhere.requests).toEqual([]);
  expect(await total(server)).toBe(1);
}, 120_000);

test("a control plane with something sealed does not start without its key, or with another", async () => {
  await using directory = await openTempDir("secret");
  const options = { dataDirectory: directory.path, database: "embedded" as const };
  await using first = await openTestServer(options);
  await first[Symbol.asyncDispose]();
  const path = directory.join("control", "secret-key");
  const key = await readFile(path, "utf8");
  await rm(path);
  expect((await refusalOf(openTestServer(options))).message).toContain("is missing");
  await createSecretKeys(directory.join("control"));
  expect((await refusalOf(openTestServer(options))).message).toContain("is not the key");
  await writeFile(path, key, { mode: 0o600 });
  await using again = await openTestServer(options);
  expect(again.url).toContain("http");
}, 180_000);
