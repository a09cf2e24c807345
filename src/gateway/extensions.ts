import { packageExtensions } from "@yarnpkg/extensions";
import type { AddedDependency, ExactVersion, Extension, PackageName, Policy } from "../contract/index.ts";
import type { PackumentVersion } from "../npm/index.ts";
import { rangeTest } from "./judge-release.ts";

/** What a version declares, as far as it matters here. */
export type Declared = Pick<PackumentVersion, "dependencies" | "optionalDependencies" | "peerDependencies">;

/** The dependencies that are added to what a version declares; the environment's own before the known ones. */
export type Extender = (name: PackageName, version: ExactVersion, declared: Declared) => AddedDependency[];

type Rule = Omit<Extension, "range"> & { source: AddedDependency["source"]; test(version: string): boolean };

/**
 * A known one is added where the package declares nothing of that name; an environment's own dependency also where the package takes it for a peer. Peers are
 * optional: the graph never grows for them. Pure.
 */
export function createExtender({ extensions, knownExtensions }: Pick<Policy, "extensions" | "knownExtensions">): Extender {
  const own = groupByName(
    extensions.map((extension) => ({ ...extension, source: "policy" as const, test: rangeTest(extension.range) })),
  );
  const known = knownExtensions ? readKnownRules() : new Map<PackageName, Rule[]>();
  return (name, version, declared) => {
    const [ownRules, knownRules] = [own.get(name), known.get(name)];
    if (ownRules === undefined && knownRules === undefined) return [];
    const rules = [...(ownRules ?? []), ...(knownRules ?? [])];
    const added = new Map<string, AddedDependency>();
    for (const rule of rules.filter(({ test }) => test(version))) {
      const add = (kind: AddedDependency["kind"], dependencies: Record<string, string>) => {
        for (const [dependency, range] of Object.entries(dependencies)) {
          if (added.has(dependency) || declares(declared, dependency, { kind, source: rule.source })) continue;
          added.set(dependency, { name, version, dependency: dependency as PackageName, range, kind, source: rule.source });
        }
      };
      add("dependency", rule.dependencies);
      add("peer", rule.peerDependencies);
    }
    return [...added.values()];
  };
}

function declares(
  { dependencies = {}, optionalDependencies = {}, peerDependencies = {} }: Declared,
  name: string,
  { kind, source }: Pick<AddedDependency, "kind" | "source">,
): boolean {
  if (Object.hasOwn(dependencies, name) || Object.hasOwn(optionalDependencies, name)) return true;
  return Object.hasOwn(peerDependencies, name) && !(kind === "dependency" && source === "policy");
}

let rules: Map<PackageName, Rule[]> | undefined;

/** Yarn's list, which is constant. A peer of which it only says that it is optional may be any version. */
function readKnownRules(): Map<PackageName, Rule[]> {
  rules ??= groupByName(
    packageExtensions.map(([descriptor, { dependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} }]) => {
      const at = descriptor.indexOf("@", 1);
      const implied = Object.fromEntries(Object.keys(peerDependenciesMeta).map((peer) => [peer, "*"]));
      return {
        name: descriptor.slice(0, at) as PackageName,
        test: rangeTest(descriptor.slice(at + 1)),
        dependencies: { ...dependencies },
        peerDependencies: { ...implied, ...peerDependencies },
        source: "known" as const,
      };
    }),
  );
  return rules;
}

function groupByName<T extends { name: PackageName }>(entries: readonly T[]): Map<PackageName, T[]> {
  const groups = new Map<PackageName, T[]>();
  for (const entry of entries) groups.set(entry.name, [...(groups.get(entry.name) ?? []), entry]);
  return groups;
}
