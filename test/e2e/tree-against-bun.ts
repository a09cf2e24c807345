import { realpathSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describeOutput, spawnProcess } from "../harness/spawned.ts";
import { labelOf, readPackageJson, resolvePackage } from "./resolve-package.ts";
import type { Comparison } from "./tree-against-manifest.ts";

/** `bun install` of the same allowlist from the same registry, as a developer would run it. No package's scripts run. */
export async function installWithBun(
  directory: string,
  { registry, dependencies }: { registry: string; dependencies: Record<string, string> },
): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, "package.json"), JSON.stringify({ name: "project", version: "1.0.0", dependencies }));
  const args = ["install", "--linker", "hoisted", "--ignore-scripts", "--no-progress", "--registry", registry];
  const env = { HOME: directory, BUN_INSTALL_CACHE_DIR: join(directory, "cache") };
  await using bun = spawnProcess(process.execPath, args, { cwd: directory, env });
  const { code } = await bun.exited;
  if (code !== 0) throw new Error(`${bun.command} ended with ${code}.\n${describeOutput(bun)}`);
}

/**
 * Walks the tree and Bun's own installation side by side, from the roots: whatever a package declares, dependencies and peers, optional or not, must
 * be the same version in both, or be absent from both. Knows nothing of the manifest.
 */
export function compareWithBun(treeDirectory: string, project: string, roots: readonly string[]): Comparison {
  const differences: string[] = [];
  const seen = new Set<string>();
  let edges = 0;

  function follow([ours, buns]: [string, string], label: string, aliases: Iterable<string>): void {
    for (const alias of aliases) {
      edges++;
      const [our, bun] = [resolvePackage(ours, alias), resolvePackage(buns, alias)];
      const [ourLabel, bunLabel] = [our, bun].map((place) => (place === undefined ? "nothing" : labelOf(readPackageJson(place))));
      if (ourLabel !== bunLabel) differences.push(`${label} → ${alias} is ${ourLabel}, with Bun ${bunLabel}`);
      else if (our !== undefined && bun !== undefined) visit(our, bun);
    }
  }

  function visit(ours: string, buns: string): void {
    const pair = `${ours}\n${buns}`;
    if (seen.has(pair)) return;
    seen.add(pair);
    const packageJson = readPackageJson(buns);
    const { dependencies, optionalDependencies, peerDependencies } = packageJson;
    const declared = new Set(Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }));
    follow([ours, buns], labelOf(packageJson), declared);
  }

  follow([realpathSync(treeDirectory), realpathSync(project)], "the root", roots);
  return { differences, packages: seen.size, edges };
}
