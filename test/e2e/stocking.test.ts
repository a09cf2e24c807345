import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createHash } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { AuditRecord, Generation, InstallResult, Operation } from "../../src/contract/index.ts";
import type { FixturePackage } from "../harness/fixture-package.ts";
import { type FixtureRegistry, openFixtureRegistry } from "../harness/fixture-registry.ts";
import { startAgent } from "../harness/processes.ts";
import { until } from "../harness/until.ts";
import { type LarderStack, openLarderStack, type Satellite, succeed } from "./larder-stack.ts";
import { packagesIn } from "./tree-against-manifest.ts";

setDefaultTimeout(120_000);

/** `native` in two releases, each with a build for every platform; `extra` is never released here. */
const builds = { "linux-arm64": ["linux", "arm64"], "darwin-arm64": ["darwin", "arm64"] } as const;
const native = (version: string): FixturePackage[] => [
  {
    name: "native",
    version,
    optionalDependencies: Object.fromEntries(Object.keys(builds).map((build) => [`native-${build}`, version])),
  },
  ...Object.entries(builds).map(([build, [os, cpu]]) => ({ name: `native-${build}`, version, os: [os], cpu: [cpu] })),
];

describe("hosts of a platform that nobody had when it was installed", () => {
  let registry: FixtureRegistry;
  let stack: LarderStack;
  let late: Satellite;
  beforeAll(async () => {
    registry = await openFixtureRegistry([...native("1.0.0"), ...native("2.0.0"), { name: "extra", version: "1.0.0" }]);
    stack = await openLarderStack({ registry: registry.url });
    for (const version of ["1.0.0", "2.0.0"]) {
      await stack.add(`native@${version}`);
      await stack.install();
    }
    await stack.add("extra@1.0.0");
  });
  afterAll(async () => {
    await stack?.[Symbol.asyncDispose]();
    await registry?.[Symbol.asyncDispose]();
  });

  const operations = async () => (await succeed(stack.larder(["operations", "list"]))).json<Operation[]>();
  const stocks = async () => (await operations()).filter(({ kind }) => kind === "stock");
  const stored = ({ dataDir }: Satellite) =>
    readdirSync(join(dataDir, "packages")).flatMap((key) => packagesIn(join(dataDir, "packages", key, "node_modules")));

  test("get what they lack when they join, with no hand; what an admin has not released stays unreleased", async () => {
    late = await stack.startSatellite("late", { platform: "darwin-arm64" });
    await late.ready(2);
    expect(stored(late)).toEqual(expect.arrayContaining(["native", "native-darwin-arm64"]));
    expect((await stocks())[0]).toMatchObject({ state: "succeeded", requestedBy: "stocker", result: { generation: 2 } });
    expect((await succeed(stack.larder(["list"]))).json<{ installDue: boolean }>()).toMatchObject({ installDue: true });
    expect((await stack.status()).generation).toBe(2);
    const { records } = (await succeed(stack.larder(["audit"]))).json<{ records: AuditRecord[] }>();
    expect(records).toContainEqual(expect.objectContaining({ actor: "stocker", action: "stock.start", target: "default" }));
  });

  test("get what they lack of the generation that a rollback brings back", async () => {
    const before = (await stocks()).length;
    const { number } = (await succeed(stack.larder(["rollback", "1", "--yes"]))).json<Generation>();
    await late.ready(number);
    expect(registry.requests.filter(({ path }) => path.includes("native-darwin-arm64-1.0.0"))).toHaveLength(1);
    expect((await stocks()).length).toBe(before + 1);
  });

  test("get what they lack of a generation that was promoted into their environment", async () => {
    await succeed(stack.larder(["environments", "create", "staging"]));
    const other = await stack.startSatellite("other", { platform: "linux-arm64", environment: "staging" });
    const promoted = await succeed(stack.larder(["promote", "2", "--to", "staging", "--yes"]));
    await other.ready(promoted.json<Generation>().number);
    expect(stored(other)).toEqual(expect.arrayContaining(["native-linux-arm64"]));
  });

  test("wait, and are not asked for again and again, while the registry has lost what they lack", async () => {
    registry.fault(({ kind, path }) =>
      kind === "tarball" && path.includes("linux") ? { kind: "status", status: 404 } : undefined,
    );
    const before = (await stocks()).length;
    const lost = await stack.startSatellite("lost", { platform: "linux-arm64" });
    await until("a stocking has failed", async () => (await stocks()).length > before && (await stocks())[0]?.state === "failed");
    registry.heal();
    await lost.ready((await stack.status()).generation ?? 0);
    expect((await stocks()).length).toBeLessThanOrEqual(before + 3);
  });

  test("get a blob that the blob store has lost, once more from the registry", async () => {
    const asked = () => registry.requests.filter(({ path }) => path.includes("native-darwin-arm64-3.0.0")).length;
    registry.add(...native("3.0.0"));
    await stack.add("native@3.0.0");
    // Nobody has read it yet.
    await late.agent.stop();
    const { generation } = (await succeed(stack.larder(["install"]))).json<InstallResult>();
    expect(asked()).toBe(1);
    const key = createHash("sha512").update(registry.get("native-darwin-arm64", "3.0.0").tarball).digest("hex");
    const blobs = join(stack.dataDir, "control/blobs");
    const found = readdirSync(blobs, { recursive: true, encoding: "utf8" }).filter((path) => path.includes(key));
    expect(found).toHaveLength(1);
    rmSync(join(blobs, found[0] as string));
    const before = (await stocks()).length;
    await using _agent = await startAgent({
      dataDir: late.dataDir,
      server: stack.server.url,
      args: ["--poll-interval", "2s", "--platform", "darwin-arm64"],
    });
    await late.ready(generation);
    expect([asked(), (await stocks()).length]).toEqual([2, before + 1]);
  });
});
