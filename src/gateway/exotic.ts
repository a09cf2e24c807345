import type { PackumentVersion } from "../npm/index.ts";

/**
 * Whether a dependency's specifier leads out of the registry: to git, an address, a file or a workspace. A resolver that sees one follows it by itself, past the
 * gateway and everything it checks.
 */
export function isExotic(specifier: string): boolean {
  const target = specifier.startsWith("npm:") ? specifier.slice("npm:".length).replace(/^@[^/:]+\//, "") : specifier;
  return /[:/\\]/.test(target) || /^[.~]+$/.test(target.trim()) || /\.(?:tgz|tar|tar\.gz)$/i.test(target.trim());
}

/** The first required dependency that leads out of the registry. */
export function exoticDependency(version: PackumentVersion): { alias: string; specifier: string } | undefined {
  const { dependencies = {}, optionalDependencies = {} } = version;
  const found = Object.entries(dependencies).find(
    ([alias, specifier]) => isExotic(specifier) && !(alias in optionalDependencies),
  );
  return found && { alias: found[0], specifier: found[1] };
}

/** Only what stays within the registry. */
export function withoutExotic(dependencies: Record<string, string> | undefined): Record<string, string> | undefined {
  if (dependencies === undefined || !Object.values(dependencies).some(isExotic)) return dependencies;
  return Object.fromEntries(Object.entries(dependencies).filter(([, specifier]) => !isExotic(specifier)));
}
