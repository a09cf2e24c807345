import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import type { PackageSearch, PackageVersions, RegistryTest } from "../../src/contract/index.ts";
import { findInFiles, watchProcesses } from "../harness/canary.ts";
import { type FixtureRegistry, openFixtureRegistry } from "../harness/fixture-registry.ts";
import { openVerdaccio, type Verdaccio } from "../harness/verdaccio.ts";
import { type LarderStack, openLarderStack, succeed } from "./larder-stack.ts";

const password = `pw-${randomBytes(12).toString("hex")}`;
let verdaccio: Verdaccio;
let publicRegistry: FixtureRegistry;
let stack: LarderStack;
let token: string;

beforeAll(async () => {
  verdaccio = await openVerdaccio();
  token = await verdaccio.signUp("ci", password);
  await verdaccio.publish(
    token,
    {
      name: "@acme/hello",
      version: "1.0.0",
      packageJson: { dependencies: { plain: "^1.0.0" } },
      files: { "index.js": "module.exports = 'hello from acme';" },
    },
    {
      name: "@acme/hello",
      version: "1.1.0",
      packageJson: { dependencies: { plain: "^1.0.0" } },
      files: { "index.js": "module.exports = 'hello again';" },
    },
  );
  publicRegistry = await openFixtureRegistry([
    { name: "plain", version: "1.0.0", files: { "index.js": "module.exports = 'plain';" } },
    // Somebody took the private name where everybody looks.
    { name: "@acme/hello", version: "9.9.9", files: { "index.js": "module.exports = 'stolen';" } },
  ]);
  stack = await openLarderStack({ registry: publicRegistry.url, args: ["--log-level", "debug"] });
}, 180_000);
afterAll(async () => {
  for (const each of [stack, publicRegistry, verdaccio]) await each?.[Symbol.asyncDispose]();
});

const larder = async <T>(args: string[], input?: string): Promise<T> =>
  (await succeed(stack.larder(args, input === undefined ? {} : { input }))).json<T>();

test("a private scope of a real Verdaccio is set, tested, searched, added, installed and run, and its token is nowhere", async () => {
  const secrets = [token, password, Buffer.from(`ci:${password}`).toString("base64"), Buffer.from(token).toString("base64")];
  await using watch = watchProcesses(secrets, { except: [process.pid, verdaccio.pid] });
  const outputs: string[] = [];
  const noted = async <T>(args: string[], input?: string): Promise<T> => {
    const value = await larder<T>(args, input);
    outputs.push(JSON.stringify(value));
    return value;
  };
  await noted(["registry", "set", "acme", verdaccio.url, "--scope", "@acme", "--auth", "bearer"], `${token}\n`);
  const tested = await noted<RegistryTest>(["registry", "test", "acme", "--package", "@acme/hello"]);
  expect(tested.steps.map(({ step, state }) => `${step} ${state}`)).toEqual([
    "address ok",
    "tls unsupported",
    "auth ok",
    "packument ok",
    "tarball ok",
    "search ok",
  ]);
  expect(tested.steps.find(({ step }) => step === "auth")?.message).toContain("ci");
  const found = await noted<PackageSearch>(["registry", "search", "@acme/hel"]);
  expect(found.results).toMatchObject([{ name: "@acme/hello", registry: "acme" }]);
  const versions = await noted<PackageVersions>(["registry", "versions", "@acme/hello"]);
  expect(versions.versions.map(({ version }) => String(version))).toEqual(["1.1.0", "1.0.0"]);
  expect(versions.versions[0]?.publishedAt).toBeString();

  // Published a moment ago, which the policy refuses until somebody vouches for it.
  expect((await stack.larder(["add", "@acme/hello"])).json()).toMatchObject({ error: { code: "E_POLICY" } });
  await larder(["waivers", "add", "@acme/hello", "--rule", "release-age", "--reason", "our own"]);
  expect(await stack.add("@acme/hello", "plain")).toMatchObject([{ version: "1.1.0" }, { version: "1.0.0" }]);
  const { generation } = await stack.install();
  await stack.ready(generation);
  const run = await stack.run("import hello from '@acme/hello'; export default hello;");
  expect(run).toMatchObject({ result: "hello again" });
  expect(publicRegistry.requests.filter(({ path }) => /acme/i.test(decodeURIComponent(path)))).toEqual([]);
  expect(publicRegistry.requests.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);

  // What goes wrong must not say it either.
  const wrong = await stack.larder(["registry", "set", "acme", "https://elsewhere.example/"]);
  const basic = await stack.larder(["registry", "set", "acme", "--auth", "basic", "--username", "ci"], {
    input: `${password}-wrong`,
  });
  const refused = await stack.larder(["registry", "versions", "@acme/hello"]);
  expect([wrong.code, basic.code, refused.code]).toEqual([2, 0, 6]);
  expect(refused.stderr).toContain("does not let Larder read @acme/hello");
  await larder(["registry", "set", "acme", "--auth", "basic", "--username", "ci"], password);
  expect((await larder<PackageVersions>(["registry", "versions", "@acme/hello"])).total).toBe(2);

  const answers: string[] = [];
  for (const path of [
    "/registries",
    "/audit",
    "/operations",
    "/environments/default/status",
    "/openapi.json",
    "/package-versions/@acme%2fhello",
  ])
    answers.push(await (await stack.api(path)).text());
  const texts = {
    outputs: outputs.join(),
    answers: answers.join(),
    errors: [wrong, basic, refused].map(({ stdout, stderr }) => stdout + stderr).join(),
    logs: stack.server.stdout() + stack.server.stderr(),
  };
  expect(texts.logs.length).toBeGreaterThan(1000);
  for (const [where, text] of Object.entries(texts))
    for (const secret of secrets) expect({ where, found: text.includes(secret) }).toEqual({ where, found: false });
  expect(await findInFiles(stack.dataDir, [verdaccio.url])).not.toEqual([]);
  expect(await findInFiles(stack.dataDir, secrets)).toEqual([]);
  expect(watch.found()).toEqual([]);
  expect(watch.rounds()).toBeGreaterThan(3);
}, 240_000);
