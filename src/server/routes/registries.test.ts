import { afterAll, beforeAll, expect, test } from "bun:test";
import { type FixtureRegistry, openFixtureRegistry } from "../../../test/harness/fixture-registry.ts";
import { defaultEnvironment, type PackageName, type RegistryInput } from "../../contract/index.ts";
import { listAudit } from "../../db/index.ts";
import { openTestServer, refusalOf, type TestServer } from "../testing/test-server.ts";

const token = "canary-token-0123456789";
let publicRegistry: FixtureRegistry;
let corp: FixtureRegistry;
let server: TestServer;
beforeAll(async () => {
  publicRegistry = await openFixtureRegistry([
    { name: "plain", version: "1.0.0" },
    { name: "@acme/x", version: "9.9.9" },
    { name: "secret-tool", version: "9.9.9" },
  ]);
  corp = await openFixtureRegistry(
    [
      { name: "@acme/x", version: "1.0.0" },
      { name: "secret-tool", version: "0.1.0" },
    ],
    { token },
  );
  server = await openTestServer({ registry: new URL(publicRegistry.url) });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await corp[Symbol.asyncDispose]();
  await publicRegistry[Symbol.asyncDispose]();
});

const set = (input: RegistryInput) => server.admin.registries.set(input);
const auth = { type: "bearer", token } as const;

test("without any stored, the server's own setting is the default", async () => {
  expect(await server.admin.registries.list()).toEqual([
    {
      name: "default",
      url: publicRegistry.url,
      scopes: [],
      names: [],
      tarballOrigins: [],
      auth: "none",
      hasToken: false,
      source: "setting",
    },
  ]);
});

test("a registry by scope serves its names from then on, with its token, and the default never hears of them", async () => {
  const saved = await set({ name: "corp", url: corp.url, scopes: ["@acme"], names: ["secret-*"], auth });
  expect(saved).toMatchObject({ name: "corp", hasToken: true, auth: "bearer", credentialsFor: corp.url, updatedBy: "admin" });
  expect(JSON.stringify(saved)).not.toContain(token);
  const asked = publicRegistry.requests.length;
  const added = await server.admin.packages.add({
    environment: defaultEnvironment,
    packages: [{ name: "@acme/x" }, { name: "secret-tool" }],
  });
  expect(added.map(({ name, version }) => `${name}@${version}`)).toEqual(["@acme/x@1.0.0", "secret-tool@0.1.0"]);
  expect(publicRegistry.requests.length).toBe(asked);
});

test("a claimed name that its registry does not have is not there, whatever others have", async () => {
  publicRegistry.add({ name: "@acme/only-public", version: "1.0.0" });
  const refused = await refusalOf(
    server.admin.packages.add({ environment: defaultEnvironment, packages: [{ name: "@acme/only-public" }] }),
  );
  expect([refused.code, refused.message]).toEqual(["E_PACKAGE_NOT_FOUND", expect.stringContaining(new URL(corp.url).host)]);
  expect(publicRegistry.requests.filter(({ name }) => name === "@acme/only-public")).toEqual([]);
});

test("what is left out stays, the token too; an empty one clears it, and is then missed", async () => {
  expect(await set({ name: "corp", scopes: ["@acme", "@other"] })).toMatchObject({ hasToken: true, names: ["secret-*"] });
  expect(await set({ name: "corp", auth: { type: "bearer", token: "" } })).toMatchObject({ hasToken: false, auth: "none" });
  const refused = await refusalOf(server.admin.registries.versions({ name: "@acme/x" as PackageName }));
  expect(refused).toMatchObject({ code: "E_REGISTRY_AUTH", hint: expect.stringContaining("token") });
  await set({ name: "corp", auth });
});

test("a token does not follow its registry to another address", async () => {
  const moved = await refusalOf(set({ name: "corp", url: "https://evil.example/" }));
  expect([moved.code, moved.message]).toEqual(["E_INPUT", expect.stringContaining(corp.url)]);
  expect((await refusalOf(set({ name: "corp", url: `${corp.url}other/` }))).code).toBe("E_INPUT");
  expect((await refusalOf(server.admin.registries.test({ name: "corp", url: publicRegistry.url }))).code).toBe("E_INPUT");
});

test("a scope belongs to one registry", async () => {
  const refused = await refusalOf(set({ name: "rival", url: publicRegistry.url, scopes: ["@ACME"] }));
  expect([refused.code, refused.message]).toEqual(["E_CONFLICT", expect.stringContaining("corp")]);
  expect((await refusalOf(set({ name: "default", scopes: ["@free"] }))).code).toBe("E_INPUT");
});

test.each([
  ["link-local", "http://169.254.169.254/latest/"],
  ["metadata by IPv6", "http://[fd00:ec2::254]/"],
  ["metadata in IPv4-mapped IPv6", "http://[::ffff:a9fe:a9fe]/"],
  ["metadata as a number", "http://2852039166/"],
  ["unspecified", "http://0.0.0.0:4873/"],
  ["SSH's port", "http://127.0.0.1:22/"],
])("%s is refused when it is saved", async (_, url) => {
  expect((await refusalOf(set({ name: "bad", url }))).code).toBe("E_REGISTRY_ADDRESS");
  expect((await refusalOf(set({ name: "corp", tarballOrigins: [url] }))).code).toBe("E_REGISTRY_ADDRESS");
});

test("Larder's own API is no registry", async () => {
  const refused = await refusalOf(set({ name: "bad", url: server.url }));
  expect([refused.code, refused.message]).toEqual(["E_REGISTRY_ADDRESS", expect.stringContaining("own endpoints")]);
  const port = new URL(server.url).port;
  expect((await refusalOf(set({ name: "bad", url: `http://localhost:${port}/` }))).code).toBe("E_REGISTRY_ADDRESS");
});

test.each([
  ["file:///etc/passwd"],
  ["unix:///var/run/x.sock"],
  ["http+unix://%2Ftmp%2Fs/"],
  ["https://user:secret@r.example/"],
  ["https://r.example/?x=1"],
  ["https://r.example/a%2f..%2fb/"],
  ["nothing"],
])("%s is not an address of a registry", async (url) => {
  const refused = await refusalOf(set({ name: "bad", url }));
  expect(refused.code).toBe("E_INPUT");
  expect(refused.message).not.toContain("secret");
});

test("each change leaves one audit row, without the token", async () => {
  const before = (await listAudit(server.context.db.query)).length;
  await set({ name: "corp", auth });
  await set({ name: "gone", url: "https://r.example/" });
  await server.admin.registries.remove({ name: "gone" });
  const rows = await listAudit(server.context.db.query);
  expect(rows.length).toBe(before + 3);
  expect(rows.slice(0, 3).map(({ action, target }) => `${action} ${target}`)).toEqual([
    "registry.remove gone",
    "registry.set gone",
    "registry.set corp",
  ]);
  expect(JSON.stringify(rows)).not.toContain(token);
  expect((await refusalOf(server.admin.registries.remove({ name: "gone" }))).code).toBe("E_NOT_FOUND");
});

test("the test says step by step what works", async () => {
  const { ok, steps } = await server.admin.registries.test({ name: "corp", package: "@acme/x" as PackageName });
  expect(steps.map(({ step, state }) => [step, state])).toEqual([
    ["address", "ok"],
    ["tls", "unsupported"],
    ["auth", "ok"],
    ["packument", "ok"],
    ["tarball", "ok"],
    ["search", "unsupported"],
  ]);
  expect(ok).toBe(true);
  const wrong = await server.admin.registries.test({
    name: "corp",
    auth: { type: "bearer", token: "wrong-token" },
    package: "@acme/x" as PackageName,
  });
  expect(wrong.ok).toBe(false);
  expect(wrong.steps.find(({ step }) => step === "auth")).toMatchObject({ state: "failed" });
  expect(wrong.steps.find(({ step }) => step === "packument")).toMatchObject({ state: "skipped" });
  expect(JSON.stringify(wrong)).not.toContain("wrong-token");
});

test("the test does not take an address that has nothing for a registry's", async () => {
  await using nothing = await openFixtureRegistry([]);
  await set({ name: "mistyped", url: `${nothing.url}npm/nowhere/` });
  const { ok, steps } = await server.admin.registries.test({ name: "mistyped" });
  expect(ok).toBe(false);
  expect(steps.at(-1)).toMatchObject({ step: "search", state: "failed", hint: expect.stringContaining("--package") });
  await server.admin.registries.remove({ name: "mistyped" });
});

test("versions come highest first, with what the registry says of each", async () => {
  publicRegistry.add(
    { name: "many", version: "1.9.0", packageJson: { license: "MIT", description: "Many." } },
    { name: "many", version: "1.10.0", packageJson: { license: "ISC", scripts: { postinstall: "x" } } },
    { name: "many", version: "2.0.0-rc.1", packageJson: { deprecated: "no" } },
  );
  publicRegistry.setDistTag("many", "latest", "1.10.0");
  const found = await server.admin.registries.versions({ name: "many" as PackageName });
  expect(found).toMatchObject({ name: "many", registry: "default", total: 3, distTags: { latest: "1.10.0" } });
  expect(found.versions.map(({ version, tags }) => [version, ...tags] as string[])).toEqual([
    ["2.0.0-rc.1"],
    ["1.10.0", "latest"],
    ["1.9.0"],
  ]);
  expect(found.versions[1]).toMatchObject({
    license: "ISC",
    hasInstallScript: true,
    publishedAt: expect.stringContaining("2020-"),
  });
  const none = await refusalOf(server.admin.registries.versions({ name: "no-such" as PackageName }));
  expect(none.code).toBe("E_PACKAGE_NOT_FOUND");
});

test("a registry without search completes an exact name, and is not asked for names of another", async () => {
  const asked = publicRegistry.requests.length;
  const found = await server.admin.registries.search({ text: "@acme/x" });
  expect(found.results).toMatchObject([{ name: "@acme/x", registry: "corp", version: "1.0.0", exact: true }]);
  expect(found.registries).toEqual([{ name: "corp", state: "noSearch" }]);
  expect(publicRegistry.requests.length).toBe(asked);
  expect((await server.admin.registries.search({ text: "plain" })).results).toMatchObject([
    { name: "plain", registry: "default" },
  ]);
});
