import { afterAll, beforeAll, describe, expect } from "bun:test";
import { formatPlatform, type InstallResult, type Manifest, runtimes, viewForPlatform } from "../../src/contract/index.ts";
import { detectPlatform } from "../../src/host/index.ts";
import { openRegistryMirror, whyNoRegistry } from "../harness/registry-mirror.ts";
import { testUnless } from "../harness/test-unless.ts";
import { type LarderStack, openLarderStack, treeOf } from "./larder-stack.ts";
import { packageUses, usesScript } from "./package-uses.ts";
import { realPackages } from "./real-packages.ts";
import { compareWithBun, installWithBun } from "./tree-against-bun.ts";
import { compareWithManifest, packagesIn } from "./tree-against-manifest.ts";

const names = Object.keys(realPackages);

describe(`${names.length} well-known packages`, async () => {
  const mirror = await openRegistryMirror();
  const skip = await whyNoRegistry(mirror);
  let stack: LarderStack;
  let installed: InstallResult;
  let manifest: Manifest;
  let imported: Record<string, string[] | string> = {};
  beforeAll(async () => {
    if (skip !== undefined) return;
    stack = await openLarderStack({ registry: mirror.url });
    await stack.add(...Object.entries(realPackages).map((pin) => pin.join("@")));
    installed = await stack.install();
    manifest = await stack.manifest(installed.lockfileHash);
    const run = await stack.run(
      `const imported = {};
       for (const name of ${JSON.stringify(names)}) {
         try {
           imported[name] = Object.keys(await import(name));
         } catch (error) {
           imported[name] = String(error);
         }
       }
       export default imported;`,
      ["--timeout", "2m"],
    );
    if (run.error) throw new Error(`The script that imports all of them: ${JSON.stringify(run.error)}`);
    imported = run.result as typeof imported;
  }, 300_000);
  afterAll(async () => {
    await stack?.[Symbol.asyncDispose]();
    await mirror[Symbol.asyncDispose]();
  });

  testUnless(skip, "resolve to a graph with several versions of one name", () => {
    const nodes = Object.values(manifest.nodes);
    expect(nodes.length).toBe(installed.nodes);
    expect(nodes.length).toBeGreaterThan(300);
    expect(new Set(nodes.map(({ name }) => name)).size).toBeLessThan(nodes.length);
    expect(Object.keys(manifest.roots).sort()).toEqual([...names].sort());
  });

  testUnless(skip, "are all on the host, and verify", async () => {
    const { unavailable } = viewForPlatform(manifest, detectPlatform());
    expect([...unavailable]).toEqual([]);
    expect(packagesIn(treeOf(stack, installed.lockfileHash)).sort()).toEqual([...names].sort());
    expect((await stack.larder(["verify"])).code).toBe(0);
  });

  for (const name of names) {
    testUnless(skip, `${name} can be imported`, () => {
      expect(imported[name]).toBeArray();
      expect(imported[name]).not.toBeEmpty();
    });
  }

  for (const runtime of runtimes) {
    describe(`in a run under ${runtime}`, () => {
      let results: Record<string, { value?: unknown; failed?: string }> = {};
      beforeAll(async () => {
        if (skip !== undefined) return;
        const run = await stack.run(usesScript(), ["--runtime", runtime, "--timeout", "3m"]);
        if (run.error) throw new Error(`The script that uses all of them: ${JSON.stringify(run.error)}`);
        expect(run).toMatchObject({ runtime, generation: installed.generation });
        results = run.result as typeof results;
      }, 200_000);

      for (const name of names) {
        testUnless(skip, `${name} does what it is for`, () => {
          expect(results[name]).toEqual({ value: packageUses[name]?.[1] });
        });
      }
    });
  }

  testUnless(skip, "every edge on disk is the manifest's", () => {
    const compared = compareWithManifest(treeOf(stack, installed.lockfileHash), manifest, detectPlatform());
    expect(compared.differences).toEqual([]);
    console.log(`compared ${compared.edges} edges of ${compared.packages} packages on ${formatPlatform(detectPlatform())}`);
  });

  testUnless(
    skip,
    "every package finds what it finds under bun install",
    async () => {
      const project = stack.join("project");
      await installWithBun(project, { registry: mirror.url, dependencies: realPackages });
      const compared = compareWithBun(stack.join("local", "trees", installed.lockfileHash), project, names);
      expect(compared.differences).toEqual([]);
      expect(compared.packages).toBeGreaterThan(names.length);
    },
    120_000,
  );

  testUnless(skip, "installing them again changes nothing", async () => {
    const again = await stack.install();
    expect(again).toMatchObject({ changed: false, generation: installed.generation, fetched: 0 });
    expect(again.lockfileHash).toBe(installed.lockfileHash);
  });
});
