import { afterAll, beforeAll, expect, test } from "bun:test";
import { type FixtureRegistry, openFixtureRegistry } from "../../../test/harness/fixture-registry.ts";
import type { PackageName } from "../../contract/index.ts";
import { listAudit } from "../../db/index.ts";
import { openTestServer, refusalOf, type TestServer } from "../testing/test-server.ts";
import { parseNpmrc } from "./npmrc.ts";

const token = "canary-of-the-npmrc";
/** As an .npmrc has it. */
const variable = (name: string) => `$\{${name}}`;
let corp: FixtureRegistry;
let server: TestServer;
beforeAll(async () => {
  corp = await openFixtureRegistry([{ name: "@corp/x", version: "1.0.0" }], { token });
  server = await openTestServer();
}, 120_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await corp[Symbol.asyncDispose]();
});

const importText = (npmrc: string, more: { dryRun?: boolean; cafile?: string } = {}) =>
  server.admin.registries.import({ npmrc, ...more });
const host = () => new URL(corp.url).host;

test("scopes, tokens and the default are taken over; the file is not kept", async () => {
  const npmrc = [
    "; a comment",
    `registry = "${corp.url}npm/"`,
    `@corp:registry=${corp.url}`,
    `@other:registry=${corp.url}`,
    `//${host()}/:_authToken=${token}`,
    "save-exact=true",
    "always-auth=true",
  ].join("\n");
  const tried = await importText(npmrc, { dryRun: true });
  expect((await server.admin.registries.list()).map(({ source }) => source)).toEqual(["setting"]);
  const done = await importText(npmrc);
  expect(done).toMatchObject({ changes: tried.changes, ignored: [{ line: 6 }, { line: 7 }] });
  expect(done.registries).toMatchObject([
    { name: "default", url: `${corp.url}npm/`, hasToken: true, credentialsFor: corp.url },
    { name: "127-0-0-1", url: corp.url, scopes: ["@corp", "@other"], hasToken: true, credentialsFor: corp.url },
  ]);
  expect((await server.admin.registries.versions({ name: "@corp/x" as PackageName })).total).toBe(1);
  expect((await importText(npmrc)).changes.map(({ change }) => change)).toEqual(["changed", "changed"]);
  const audit = await listAudit(server.context.db.query);
  expect(audit.filter(({ action }) => action === "registry.import")).toHaveLength(2);
  expect(JSON.stringify([done, tried, audit, server.logs])).not.toContain(token);
});

test("user name and password, together or as _auth, are basic", () => {
  const encoded = Buffer.from("p:w").toString("base64");
  const { credentials } = parseNpmrc(
    `//a.example/:username=u\n//a.example/:_password=${encoded}\n//b.example/:_auth=${Buffer.from("u:p:w").toString("base64")}\n`,
  );
  const auth = { type: "basic", username: "u", password: "p:w" };
  expect(credentials).toEqual([
    { address: "//a.example/", auth, line: 2 },
    { address: "//b.example/", auth, line: 3 },
  ] as never);
});

test.each([variable("NPM_TOKEN"), `Bearer-${variable("A")}-${variable("B")}`, variable("HOME-x")])(
  "a value from the environment (%s) is refused with its line, and nothing is changed",
  async (value) => {
    process.env.NPM_TOKEN = "canary-in-our-environment";
    const before = await server.admin.registries.list();
    const refused = await refusalOf(importText(`@env:registry=${corp.url}\n//${host()}/:_authToken=${value}\n`));
    delete process.env.NPM_TOKEN;
    expect(refused.code).toBe("E_INPUT");
    expect(refused.message).toContain("line 2");
    expect(refused.hint).toContain("envsubst");
    expect(await server.admin.registries.list()).toEqual(before);
  },
);

test("credentials whose registry the file does not name, and half of a pair, are said to be ignored", async () => {
  const { ignored } = await importText(
    "//nobody.example/:_authToken=abcdef123\n//half.example/:username=u\n@s:registry=https://s.example/\n",
    { dryRun: true },
  );
  expect(ignored).toEqual([
    { line: 1, why: expect.stringContaining("no registry in this file") },
    { line: 2, why: expect.stringContaining("half of a pair") },
  ]);
});

test("credentials without an address go to the registry that the file names, else to npm's alone", async () => {
  const bare = `_authToken=${token}\n`;
  const named = await importText(`registry=https://named.example/\n${bare}`, { dryRun: true });
  expect(named.registries).toMatchObject([{ name: "default", url: "https://named.example/", hasToken: true }]);
  const stray = await importText(bare, { dryRun: true });
  expect(stray).toMatchObject({ registries: [], ignored: [{ line: 1, why: expect.stringContaining("registry.npmjs.org") }] });
});

test("credentials for the default registry that is stored are its, and do not move it", async () => {
  await server.admin.registries.set({ name: "default", url: "https://mirror.example/npm/", auth: { type: "none" } });
  const given = await importText(`//mirror.example/npm/:_authToken=${token}\n`, { dryRun: true });
  expect(given.registries).toMatchObject([{ name: "default", url: "https://mirror.example/npm/", hasToken: true }]);
});

test("a registry that moves away from where its credentials may go takes new ones along", async () => {
  const before = { name: "moves", url: "https://a.example/npm/x/", credentialsFor: "https://a.example/npm/" };
  await server.admin.registries.set({ ...before, auth: { type: "bearer", token } });
  const url = "https://b.example/";
  const refused = await refusalOf(server.admin.registries.set({ name: "moves", url }));
  expect([refused.code, refused.hint]).toEqual(["E_INPUT", expect.stringContaining("Give the token again")]);
  const moved = await server.admin.registries.set({ name: "moves", url, auth: { type: "bearer", token } });
  expect(moved).toMatchObject({ url, hasToken: true, credentialsFor: url });
});

test("a secret that is nothing is refused with its line, and a pair that is none is said to be ignored", async () => {
  const refused = await refusalOf(importText("@e:registry=https://e.example/\n//e.example/:_authToken=\n"));
  expect(refused).toMatchObject({ code: "E_INPUT", message: expect.stringContaining("Line 2") });
  expect(refused.hint).toContain("was not set");
  const { ignored } = await importText("@e:registry=https://e.example/\n//e.example/:_auth=notapair\n", { dryRun: true });
  expect(ignored).toEqual([{ line: 2, why: expect.stringContaining("NAME:PASSWORD in base64") }]);
});

test("what must not be a registry is not imported either", async () => {
  expect((await refusalOf(importText("@m:registry=http://169.254.169.254/\n"))).code).toBe("E_REGISTRY_ADDRESS");
  expect((await refusalOf(importText("@m:registry=file:///etc/\n"))).code).toBe("E_INPUT");
  expect((await refusalOf(importText("cafile=/etc/ca.pem\n@m:registry=https://m.example/\n"))).message).toContain("cafile");
  expect((await refusalOf(importText("@m:registry=https://m.example/\n", { cafile: "no PEM" }))).code).toBe("E_INPUT");
});

test.each([`https://evil.example/${variable("DATABASE_URL")}/`, "https://evil.example/$(id)/", "https://evil.example/`id`/"])(
  "%s means itself",
  async (url) => {
    const saved = await server.admin.registries.set({ name: "literal", url });
    expect(decodeURIComponent(new URL(saved.url).pathname)).toBe(url.slice("https://evil.example".length));
  },
);
