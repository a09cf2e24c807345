import { afterAll, describe, expect } from "bun:test";
import { readdir } from "node:fs/promises";
import { resolve } from "node:path";
import { openRegistryMirror, whyNoRegistry } from "../harness/registry-mirror.ts";
import { describeOutput, type Spawned, spawnProcess } from "../harness/spawned.ts";
import { openTempDir, type TempDir } from "../harness/temp-dir.ts";
import { testUnless } from "../harness/test-unless.ts";
import { until } from "../harness/until.ts";

const root = resolve(import.meta.dir, "../..");

interface Summary {
  generation: number;
  lockfileHash: string;
  nodes: number;
  blobs: number;
  bytes: number;
  timingsMs: Record<string, number>;
  runs: { result: unknown; stdout: string; generation: number; error: object | null }[];
  hosts: { id: string; generation: number; phase: string }[];
}

describe("npm run demo", async () => {
  const mirror = await openRegistryMirror();
  const skip = await whyNoRegistry(mirror);
  afterAll(() => mirror[Symbol.asyncDispose]());

  /** With a directory for temporary files of its own, so that what it leaves can be seen. */
  const startDemo = (temp: TempDir, ...args: string[]): Spawned =>
    spawnProcess("npm", ["run", "--silent", "demo", "--", ...args], {
      cwd: root,
      env: { LARDER_REGISTRY: mirror.url, TMPDIR: temp.path },
    });

  async function runDemo(temp: TempDir): Promise<Summary> {
    await using demo = startDemo(temp, "--exit", "--json");
    const { code } = await demo.exited;
    if (code !== 0) throw new Error(`The demo ended with ${code}.\n${describeOutput(demo)}`);
    return JSON.parse(demo.stdout()) as Summary;
  }

  function expectSummary(summary: Summary): void {
    const { lockfileHash, nodes, blobs, bytes, timingsMs, runs, hosts, generation } = summary;
    expect(generation).toBe(1);
    expect(lockfileHash).toMatch(/^[0-9a-f]{64}$/);
    // esbuild's builds are nodes for every platform, and blobs for this one.
    expect(nodes).toBeGreaterThan(20);
    expect(blobs).toBe(5);
    expect(bytes).toBeGreaterThan(3_000_000);
    expect(Object.keys(timingsMs)).toEqual(["start", "allowlist", "install", "reconcile", "run"]);
    for (const ms of Object.values(timingsMs)) expect(ms).toBeGreaterThanOrEqual(0);
    expect(runs).toHaveLength(1);
    expect(runs[0]?.error).toBeNull();
    expect(runs[0]).toMatchObject({ generation: 1, stdout: expect.stringContaining("checking billing") });
    expect(runs[0]?.result).toMatchObject({ check: "ok", compiled: expect.stringContaining("42") });
    expect(hosts).toMatchObject([{ generation: 1, phase: "ready" }]);
  }

  testUnless(
    skip,
    "with --exit --json prints one JSON object, ends with 0, and does it again with the same lockfile hash; nothing stays behind",
    async () => {
      await using temp = await openTempDir("demo-test");
      const first = await runDemo(temp);
      expectSummary(first);
      const second = await runDemo(temp);
      expectSummary(second);
      expect(second.lockfileHash).toBe(first.lockfileHash);
      expect((await readdir(temp.path)).filter((name) => name.startsWith("larder"))).toEqual([]);
    },
    120_000,
  );

  testUnless(
    skip,
    "stays up with its address printed, beside another that runs and ends; a signal ends it and removes what it made",
    async () => {
      await using temp = await openTempDir("demo-test");
      await using staying = startDemo(temp);
      const said = await until(
        "the demo stays up, or ends",
        () => /stays up at (http:\S+)\./.exec(staying.stdout()) ?? (staying.isRunning() ? undefined : []),
        { timeoutMs: 60_000 },
      );
      if (said.length === 0) throw new Error(`The demo ended.\n${describeOutput(staying)}`);
      const address = said[1] as string;
      expect(staying.stdout()).toContain('"check":"ok"');
      expectSummary(await runDemo(temp));
      expect((await fetch(new URL("/readyz", address))).status).toBe(200);
      expect((await staying.stop()).code).toBe(0);
      expect((await readdir(temp.path)).filter((name) => name.startsWith("larder"))).toEqual([]);
    },
    120_000,
  );
});
