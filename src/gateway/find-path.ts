import type { ExactVersion, PackageName } from "../contract/index.ts";
import { sortVersions } from "../npm/index.ts";
import { rangeTest } from "./judge-release.ts";
import type { ServedPackument } from "./served-packument.ts";

/** What has been offered, and what a resolver makes of a range: the newest that suits. */
export interface Offers {
  served(name: PackageName): ServedPackument | undefined;
}

/**
 * The shortest way, as `name@version`, from an allowlisted package to one that declares a dependency on this range of `name`: along what a resolver would choose
 * among the versions offered. `undefined`: none of them leads there. Pure.
 */
export function findPath(
  offers: Offers,
  pins: readonly { name: PackageName; version: ExactVersion }[],
  wanted: { name: string; range: string },
): string[] | undefined {
  const queue = pins.map((pin) => ({ ...pin, path: [`${pin.name}@${pin.version}`] }));
  const seen = new Set(queue.map(({ path }) => path[0]));
  for (const { name, version, path } of queue) {
    for (const [alias, specifier] of declaredBy(offers.served(name), version)) {
      const target = resolveAlias(alias, specifier);
      if (target.name === wanted.name && target.range === wanted.range) return path;
      const next = choose(offers.served(target.name), target.range);
      if (next === undefined || seen.has(`${target.name}@${next}`)) continue;
      seen.add(`${target.name}@${next}`);
      queue.push({ name: target.name, version: next, path: [...path, `${target.name}@${next}`] });
    }
  }
  return undefined;
}

function declaredBy(served: ServedPackument | undefined, version: ExactVersion): [string, string][] {
  const { dependencies, optionalDependencies, peerDependencies } = served?.packument.versions[version] ?? {};
  return Object.entries({ ...peerDependencies, ...optionalDependencies, ...dependencies });
}

/** `npm:name@range` is another package under this alias. */
export function resolveAlias(alias: string, specifier: string): { name: PackageName; range: string } {
  if (!specifier.startsWith("npm:")) return { name: alias as PackageName, range: specifier };
  const target = specifier.slice("npm:".length);
  const at = target.indexOf("@", 1);
  return at === -1
    ? { name: target as PackageName, range: "*" }
    : { name: target.slice(0, at) as PackageName, range: target.slice(at + 1) };
}

function choose(served: ServedPackument | undefined, range: string): ExactVersion | undefined {
  if (served === undefined) return undefined;
  const tagged = served.packument["dist-tags"][range];
  const suits = rangeTest(tagged ?? range);
  return sortVersions(served.versions).findLast((version) => suits(version));
}
