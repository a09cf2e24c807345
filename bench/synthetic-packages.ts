import type { FixturePackage } from "../test/harness/fixture-package.ts";

/** Allowlisted: few, whatever the size of the graph, as on a real allowlist. */
const rootCount = 40;
const fanOut = 4;

export const changingLeaf = "changing-leaf";
export const sharedDependency = "shared-dependency";
const dependents = 100;

/**
 * `nodes` packages of about eight files and 12 kB: a forest of 40 roots, four dependencies each, down to leaves. One root is a leaf that has two
 * versions; `shared-dependency` has two versions and a hundred dependents.
 */
export function syntheticPackages(nodes: number): { packages: FixturePackage[]; allowlist: Record<string, string> } {
  const count = nodes - 2;
  const nameOf = (index: number) => `synthetic-${index}`;
  const packages = Array.from({ length: count }, (_, index): FixturePackage => {
    const children = Array.from({ length: fanOut }, (_, nth) => rootCount + index * fanOut + nth).filter(
      (child) => child < count,
    );
    const dependencies = Object.fromEntries(children.map((child) => [nameOf(child), "1.0.0"]));
    if (index >= count - dependents) dependencies[sharedDependency] = "^1.0.0";
    return { name: nameOf(index), version: "1.0.0", files: filesOf(index), dependencies };
  });
  for (const version of ["1.0.0", "1.0.1"]) {
    packages.push({ name: changingLeaf, version, files: filesOf(version === "1.0.0" ? -1 : -2) });
    packages.push({ name: sharedDependency, version, files: filesOf(version === "1.0.0" ? -3 : -4) });
  }
  const allowlist = Object.fromEntries(
    Array.from({ length: Math.min(rootCount, count) }, (_, index) => [nameOf(index), "1.0.0"]),
  );
  return { packages, allowlist: { ...allowlist, [changingLeaf]: "1.0.0", [sharedDependency]: "1.0.0" } };
}

function filesOf(seed: number): Record<string, string> {
  const files: Record<string, string> = { "index.js": `module.exports = ${seed};\n` };
  for (let file = 0; file < 7; file++)
    files[`lib/part-${file}.js`] = `// ${seed} ${file}\n${`exports.x${file} = ${seed};\n`.repeat(60)}`;
  return files;
}
