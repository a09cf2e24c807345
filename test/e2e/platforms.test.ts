import { afterAll, beforeAll, describe, expect } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { formatPlatform, type InstallResult, type Manifest, parsePlatform } from "../../src/contract/index.ts";
import { detectPlatform } from "../../src/host/index.ts";
import { openRegistryMirror, whyNoRegistry } from "../harness/registry-mirror.ts";
import { testUnless } from "../harness/test-unless.ts";
import { type LarderStack, openLarderStack, type Satellite, type StackHost, treeOf } from "./larder-stack.ts";
import { compareWithManifest, packagesIn } from "./tree-against-manifest.ts";

/** What of esbuild and sharp is made for one platform, by platform: all that a host of it may have. */
const builds = {
  "linux-x64-glibc": ["@esbuild/linux-x64", "@img/sharp-libvips-linux-x64", "@img/sharp-linux-x64"],
  "linux-x64-musl": ["@esbuild/linux-x64", "@img/sharp-libvips-linuxmusl-x64", "@img/sharp-linuxmusl-x64"],
  "linux-arm64-glibc": ["@esbuild/linux-arm64", "@img/sharp-libvips-linux-arm64", "@img/sharp-linux-arm64"],
  "darwin-arm64": ["@esbuild/darwin-arm64", "@img/sharp-darwin-arm64", "@img/sharp-libvips-darwin-arm64"],
};
type PlatformName = keyof typeof builds;
const present = Object.keys(builds) as PlatformName[];
/** Before the install, and after it. */
const [early, late] = [
  present.filter((name) => name.startsWith("linux-") && name !== "linux-x64-glibc"),
  "darwin-arm64",
] as const;

const isBuild = (name: string) => /^@(esbuild|img\/sharp-)/.test(name) || (name.startsWith("@img/") && name !== "@img/colour");

/** All that lies in a host's store, whether a tree reaches it or not. */
function storedPackages({ dataDir }: StackHost): string[] {
  const packages = join(dataDir, "packages");
  const names = readdirSync(packages).flatMap((key) => packagesIn(join(packages, key, "node_modules")));
  return [...new Set(names)].sort();
}

describe("esbuild and sharp, which are built for each platform", async () => {
  const mirror = await openRegistryMirror();
  const skip = await whyNoRegistry(mirror);
  const hosts = new Map<PlatformName, Satellite>();
  let stack: LarderStack;
  let installed: InstallResult;
  let manifest: Manifest;
  beforeAll(async () => {
    if (skip !== undefined) return;
    stack = await openLarderStack({ registry: mirror.url });
    for (const platform of early) hosts.set(platform, await stack.startSatellite(platform, { platform }));
    await stack.add("esbuild@0.25.0", "sharp@0.34.5");
    installed = await stack.install();
    manifest = await stack.manifest(installed.lockfileHash);
  }, 180_000);
  afterAll(async () => {
    await stack?.[Symbol.asyncDispose]();
    await mirror[Symbol.asyncDispose]();
  });

  testUnless(skip, "run on this host", async () => {
    const { result, error } = await stack.run(`
      import { transform } from "esbuild";
      import sharp from "sharp";
      const { code } = await transform("const answer: number = 42; export { answer }", { loader: "ts", minify: true });
      const png = await sharp({ create: { width: 64, height: 48, channels: 3, background: "#369" } }).png().toBuffer();
      const { data, info } = await sharp(png).resize(16).png().toBuffer({ resolveWithObject: true });
      export default { code, signature: data.subarray(1, 4).toString(), width: info.width, height: info.height };`);
    expect(error).toBeNull();
    expect(result).toMatchObject({ code: expect.stringContaining("42"), signature: "PNG", width: 16, height: 12 });
  });

  testUnless(skip, "the manifest carries every platform that they name", async () => {
    const names = new Set(Object.values(manifest.nodes).map(({ name }) => name as string));
    for (const [name, version] of [
      ["esbuild", "0.25.0"],
      ["sharp", "0.34.5"],
    ] as const) {
      const packument = (await (await fetch(`${mirror.url}${name}`)).json()) as {
        versions: Record<string, { optionalDependencies: Record<string, string> }>;
      };
      const builds = Object.keys(packument.versions[version]?.optionalDependencies ?? {});
      expect(builds.length).toBeGreaterThan(20);
      expect(builds.filter((build) => !names.has(build))).toEqual([]);
    }
  });

  const expectOwnAndNoOther = (host: StackHost, name: PlatformName) => {
    expect(storedPackages(host).filter(isBuild)).toEqual(builds[name]);
    const platform = parsePlatform(name);
    expect(compareWithManifest(treeOf(host, installed.lockfileHash), manifest, platform).differences).toEqual([]);
  };

  for (const name of early) {
    testUnless(skip, `a host that is ${name} has its own builds and no other`, () =>
      expectOwnAndNoOther(hosts.get(name) as Satellite, name),
    );
  }

  const own = present.find((name) => name === formatPlatform(detectPlatform()));
  const unlisted = own === undefined ? `no list of builds for ${formatPlatform(detectPlatform())}` : undefined;
  testUnless(skip ?? unlisted, "this host has its own builds and no other", () =>
    expectOwnAndNoOther(stack, own as PlatformName),
  );

  testUnless(
    skip,
    "a host of a platform that nobody had when it was installed gets its own builds too, with no hand, and the generation stays",
    async () => {
      const host = await stack.startSatellite(late, { platform: late });
      await host.ready(installed.generation);
      expectOwnAndNoOther(host, late);
      expect(await stack.status()).toMatchObject({ generation: installed.generation, lockfileHash: installed.lockfileHash });
    },
    90_000,
  );
});
