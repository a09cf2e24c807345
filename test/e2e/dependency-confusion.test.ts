import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Manifest, Plan } from "../../src/contract/index.ts";
import { type FixtureRegistry, openFixtureRegistry } from "../harness/fixture-registry.ts";
import { type LarderStack, openLarderStack, succeed } from "./larder-stack.ts";

const stolen = { "index.js": "module.exports = 'stolen';" };
let open: FixtureRegistry;
let corporate: FixtureRegistry;
let stack: LarderStack;

beforeAll(async () => {
  corporate = await openFixtureRegistry(
    [
      { name: "@corp/secrets", version: "1.0.0", files: { "index.js": "module.exports = 'ours';" } },
      { name: "billing-core", version: "1.0.0", files: { "index.js": "module.exports = 'ours too';" } },
    ],
    { token: "corporate-token" },
  );
  open = await openFixtureRegistry([
    // A package of the public registry leads to both private names, by ranges that the stolen ones suit.
    {
      name: "app",
      version: "1.0.0",
      dependencies: { "@corp/secrets": ">=1", "billing-core": ">=1" },
      optionalDependencies: { "@corp/gone": "*" },
      files: { "index.js": "module.exports = [require('@corp/secrets'), require('billing-core')];" },
    },
    { name: "@corp/secrets", version: "99.0.0", files: stolen },
    { name: "@corp/gone", version: "99.0.0", files: stolen },
    { name: "billing-core", version: "99.0.0", files: stolen },
  ]);
  stack = await openLarderStack({ registry: open.url });
  const words = ["registry", "set", "corp", corporate.url, "--scope", "@corp", "--private", "billing-*", "--auth", "bearer"];
  await succeed(stack.larder(words, { input: "corporate-token\n" }));
}, 180_000);
afterAll(async () => {
  for (const each of [stack, open, corporate]) await each?.[Symbol.asyncDispose]();
});

const askedOpenly = (): string[] =>
  open.requests.map(({ path }) => decodeURIComponent(path)).filter((path) => /corp|billing/i.test(path));

test("a private name that a public package leads to comes from its own registry, whatever the public one has of that name", async () => {
  await stack.add("app");
  const plan = (await succeed(stack.larder(["plan"]))).json<Plan>();
  expect(plan.changes.map(({ name, to }) => `${name}@${to}`)).toEqual(["@corp/secrets@1.0.0", "app@1.0.0", "billing-core@1.0.0"]);
  const { generation, lockfileHash } = await stack.install();
  await stack.ready(generation);
  const manifest: Manifest = await stack.manifest(lockfileHash);
  expect(Object.values(manifest.nodes).map(({ name, version }) => `${name}@${version}`)).toEqual([
    "@corp/secrets@1.0.0",
    "app@1.0.0",
    "billing-core@1.0.0",
  ]);
  const run = await stack.run('import parts from "app"; export default parts;');
  expect(run).toMatchObject({ result: ["ours", "ours too"] });
}, 180_000);

test("the public registry was never asked for a private name, also not for one that the private registry lacks, and saw no token", async () => {
  expect(corporate.requests.map(({ name }) => name)).toContain("@corp/gone");
  expect(askedOpenly()).toEqual([]);
  expect(open.requests.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
});

test("while the private registry is away nothing takes its place: the install fails, and hosts keep what they have", async () => {
  const before = await stack.status();
  corporate.fault(() => ({ kind: "status", status: 503 }));
  corporate.add({ name: "@corp/more", version: "1.0.0" });
  open.add({ name: "@corp/more", version: "99.0.0", files: stolen });
  const refused = await stack.larder(["add", "@corp/more"]);
  expect(refused.json()).toMatchObject({ error: { code: "E_REGISTRY_UNREACHABLE" } });
  expect(askedOpenly()).toEqual([]);
  expect((await stack.status()).lockfileHash).toBe(before.lockfileHash);
  corporate.heal();
}, 120_000);
