import type { PackumentVersion } from "../npm/index.ts";

/** An address, a path, or the name of an archive; no range, tag or version looks like one. */
const leadsOut = /[:/\\]|^\s*[.~]+\s*$|\.(?:tgz|tar|tar\.gz)\s*$/i;

/**
 * Whether a dependency's specifier leads out of the registry: to git, an address, a file or a workspace. A resolver that sees one follows it by itself, past the
 * gateway and everything it checks.
 */
export function isExotic(specifier: string): boolean {
  const target = specifier.startsWith("npm:") ? specifier.slice("npm:".length).replace(/^@[^/:]+\//, "") : specifier;
  return leadsOut.test(target);
}

/** The first required dependency that leads out of the registry. */
export function exoticDependency(version: PackumentVersion): { alias: string; specifier: string } | undefined {
  const { dependencies, optionalDependencies } = version;
  for (const alias in dependencies) {
    const specifier = dependencies[alias] as string;
    if (isExotic(specifier) && !(optionalDependencies && Object.hasOwn(optionalDependencies, alias))) return { alias, specifier };
  }
  return undefined;
}

/** Only what stays within the registry. */
export function withoutExotic(dependencies: Record<string, string> | undefined): Record<string, string> | undefined {
  for (const alias in dependencies) {
    if (!isExotic(dependencies[alias] as string)) continue;
    return Object.fromEntries(Object.entries(dependencies).filter(([, specifier]) => !isExotic(specifier)));
  }
  return dependencies;
}
