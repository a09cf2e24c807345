import { afterAll, beforeAll, expect, test } from "bun:test";
import { readlinkSync } from "node:fs";
import { join } from "node:path";
import type { Generation } from "../../src/contract/index.ts";
import { type FixtureRegistry, openFixtureRegistry } from "../harness/fixture-registry.ts";
import { type LarderStack, openLarderStack, type Satellite, succeed } from "./larder-stack.ts";

let registry: FixtureRegistry;
let stack: LarderStack;
let hosts: Record<"staging" | "production", Satellite>;

const versions = ["1.0.0", "2.0.0", "3.0.0"];
const script = 'import { version } from "tool"; export default version;';

beforeAll(async () => {
  registry = await openFixtureRegistry(versions.map((version) => ({ name: "tool", version })));
  stack = await openLarderStack({ registry: registry.url });
  for (const name of ["staging", "production"]) {
    await larder("environments", "create", name);
    await stack.api(`/environments/${name}/policy`, json("PATCH", { change: { minReleaseAgeMs: 0 } }));
  }
  hosts = {
    staging: await stack.startSatellite("stage-1", { environment: "staging" }),
    production: await stack.startSatellite("prod-1", { environment: "production" }),
  };
}, 180_000);
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
});

const json = (method: string, body: unknown): RequestInit => ({
  method,
  body: JSON.stringify(body),
  headers: { "content-type": "application/json" },
});

async function larder<T>(...args: string[]): Promise<T> {
  return (await succeed(stack.larder([...args, "--yes"]))).json<T>();
}

async function install(environment: string, version: string): Promise<number> {
  await larder("add", `tool@${version}`, "--environment", environment);
  const { generation } = await larder<{ generation: number }>("install", "--environment", environment);
  return generation;
}

const tree = (host: Satellite) => readlinkSync(join(host.dataDir, "current"));
const generationOf = async (environment: string): Promise<Generation> => {
  const [latest] = await larder<Generation[]>("generations", "--environment", environment);
  if (latest === undefined) throw new Error(`${environment} has no generation`);
  return latest;
};

test("environments hold versions of one package side by side, each on its own hosts", async () => {
  const staged = await install("staging", "2.0.0");
  const live = await install("production", "1.0.0");
  await hosts.staging.ready(staged);
  await hosts.production.ready(live);
  expect((await hosts.staging.run(script)).result).toBe("2.0.0");
  expect((await hosts.production.run(script)).result).toBe("1.0.0");
}, 120_000);

test("what was tried in one is promoted to the other: the same tree by the same hash, without the registry", async () => {
  const tried = await generationOf("staging");
  const asked = registry.requests.length;
  const began = performance.now();
  const promoted = await larder<Generation>("promote", String(tried.number), "--from", "staging", "--to", "production");
  expect(promoted).toMatchObject({
    number: 2,
    lockfileHash: tried.lockfileHash,
    promotedFrom: { environment: "staging", number: 1 },
  });
  await hosts.production.ready(promoted.number);
  console.log(`promotion, until the host serves it: ${Math.round(performance.now() - began)} ms`);
  expect(tree(hosts.production)).toBe(tree(hosts.staging));
  expect((await hosts.production.run(script)).result).toBe("2.0.0");
  expect(registry.requests.length).toBe(asked);
  const { packages } = await larder<{ packages: { version: string }[] }>("list", "--environment", "production");
  expect(packages).toMatchObject([{ name: "tool", version: "2.0.0" }]);
}, 120_000);

test("a rollback is there in seconds, without the registry, and what is not there is refused before it asks", async () => {
  const asked = registry.requests.length;
  const began = performance.now();
  const back = await larder<Generation>("rollback", "1", "--environment", "production");
  await hosts.production.ready(back.number);
  const tookMs = performance.now() - began;
  console.log(`rollback, until the host serves it: ${Math.round(tookMs)} ms`);
  expect(tookMs).toBeLessThan(30_000);
  expect((await hosts.production.run(script)).result).toBe("1.0.0");
  expect((await hosts.staging.run(script)).result).toBe("2.0.0");
  expect(registry.requests.length).toBe(asked);
  const refused = await stack.larder(["rollback", "99", "--environment", "production"]);
  expect([refused.code, refused.stdout.includes("no generation 99")]).toEqual([4, true]);
}, 120_000);

test("an environment is removed with its hosts revoked; the other does not notice", async () => {
  const refused = await stack.larder(["environments", "remove", "staging", "--yes"]);
  expect([refused.code, refused.stdout.includes("stage-1")]).toEqual([5, true]);
  expect(await larder("environments", "remove", "staging", "--force")).toEqual({ name: "staging", revokedHosts: ["stage-1"] });
  expect((await hosts.production.run(script)).result).toBe("1.0.0");
  const { records } = await larder<{ records: { action: string }[] }>("audit", "--target", "staging");
  expect(records.map(({ action }) => action)).toContain("environment.remove");
}, 60_000);
