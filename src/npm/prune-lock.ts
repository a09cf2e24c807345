import { type BunLock, type LockPackage, parseBunLock } from "./bun-lock.ts";
import { lookupPaths, parseLockPath } from "./lock-path.ts";
import { parseLooseJson } from "./loose-json.ts";

/**
 * A lock that leaves the resolver free where `isDropped` says so, and holds the rest in place. What depends on something dropped goes as well, for a lock with a
 * loose end is no lock; what stays is named as a dependency of the project, so that the resolver takes it up again where it suits. Pure.
 */
export function pruneLock(text: string, isDropped: (entry: LockPackage) => boolean): string {
  const lock = parseBunLock(text);
  const dropped = droppedPaths(lock, isDropped);
  if (dropped.size === 0) return text;
  const document = parseLooseJson(text) as { workspaces?: Record<string, object>; packages: Record<string, unknown> };
  const kept = lock.packages.filter(({ path }) => !dropped.has(path));
  const top = kept.filter(({ path }) => parseLockPath(path)?.length === 1);
  const dependencies = Object.fromEntries(
    top.map(({ path, name, version }) => [path, path === name ? version : `npm:${name}@${version}`]),
  );
  return `${JSON.stringify(
    {
      ...document,
      workspaces: { ...document.workspaces, "": { ...document.workspaces?.[""], dependencies } },
      packages: Object.fromEntries(kept.map(({ path }) => [path, document.packages[path]])),
    },
    undefined,
    2,
  )}\n`;
}

/** Those to be dropped, what depends on them, and so on; what is nested in them goes too. */
function droppedPaths(lock: BunLock, isDropped: (entry: LockPackage) => boolean): Set<string> {
  const dropped = new Set(lock.packages.filter(isDropped).map(({ path }) => path));
  if (dropped.size === 0) return dropped;
  const byPath = new Map(lock.packages.map((entry) => [entry.path, entry]));
  const dependents = new Map<string, string[]>();
  for (const entry of lock.packages) {
    for (const alias of Object.keys({ ...entry.dependencies, ...entry.optionalDependencies, ...entry.peerDependencies })) {
      const found = lookupPaths(entry.path, alias).find((path) => byPath.has(path));
      if (found !== undefined) dependents.set(found, [...(dependents.get(found) ?? []), entry.path]);
    }
  }
  for (const path of dropped) {
    for (const dependent of dependents.get(path) ?? []) dropped.add(dependent);
    for (const other of byPath.keys()) {
      if (other.startsWith(`${path}/`)) dropped.add(other);
    }
  }
  return dropped;
}
