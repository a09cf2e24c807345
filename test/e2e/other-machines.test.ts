import { afterAll, expect } from "bun:test";
import { spawnSync } from "node:child_process";
import { openRegistryMirror, whyNoRegistry } from "../harness/registry-mirror.ts";
import { testUnless } from "../harness/test-unless.ts";
import { openLarderStack } from "./larder-stack.ts";

const bun = process.env.LARDER_TEST_BUN;
const mirror = await openRegistryMirror();
afterAll(() => mirror[Symbol.asyncDispose]());

const skip =
  bun === undefined
    ? "LARDER_TEST_BUN names no Bun of another platform; CONTRIBUTING.md tells how to get one"
    : await whyNoRegistry(mirror);

const script = `
  import dayjs from "dayjs";
  import { transform } from "esbuild";
  const { code } = await transform("const answer: number = 42; export { answer }", { loader: "ts", minify: true });
  export default { cpu: process.arch, year: dayjs("2026-01-31").year(), code };`;

testUnless(
  skip,
  "a host of another processor or C library joins, follows two installs, runs their scripts and is intact",
  async () => {
    const cpu = spawnSync(bun as string, ["-p", "process.arch"], { encoding: "utf8" }).stdout.trim();
    await using stack = await openLarderStack({ registry: mirror.url, kind: "serve" });
    await stack.add("dayjs@1.11.13", "esbuild@0.25.0");
    await stack.install();
    const host = await stack.startSatellite("other", { bun: bun as string });
    expect((await host.ready(1)).platform).toMatchObject({ cpu });
    expect((await host.run(script)).result).toMatchObject({ cpu, year: 2026, code: expect.stringContaining("42") });

    await stack.add("esbuild@0.25.1", "nanoid@5.1.5");
    await stack.install();
    await host.ready(2);
    expect(await host.run(script)).toMatchObject({ generation: 2, result: { cpu } });
    const verified = await host.larder(["verify"]);
    expect(verified.json()).toMatchObject({ intact: true, trusted: true });
    await host.agent.stop();
  },
  10 * 60_000,
);
