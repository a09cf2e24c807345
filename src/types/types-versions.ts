import semver from "semver";

/** What `typesVersions` and `types@…` conditions are compared with. */
export const typescriptVersion = "5.9.3";

export const suitsTypeScript = (range: string): boolean => {
  try {
    return semver.satisfies(typescriptVersion, range);
  } catch {
    return false;
  }
};

/** Calls `find` with each path that the `typesVersions` of this TypeScript have for `path`, until one is found. `value` is whatever the author wrote. */
export function mapByVersion<T>(value: unknown, path: string, find: (target: string) => T | undefined): T | undefined {
  const paths = applicable(value);
  if (paths === undefined) return undefined;
  const pattern = bestPattern(Object.keys(paths), path);
  const targets = pattern === undefined ? undefined : paths[pattern.key];
  if (pattern === undefined || !Array.isArray(targets)) return undefined;
  for (const target of targets) {
    if (typeof target !== "string") continue;
    const found = find(target.replace("*", () => pattern.rest));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The first range that this TypeScript satisfies. */
function applicable(value: unknown): Record<string, unknown> | undefined {
  if (!isRecord(value)) return undefined;
  const range = Object.keys(value).find(suitsTypeScript);
  const paths = range === undefined ? undefined : value[range];
  return isRecord(paths) ? paths : undefined;
}

/** Folders that hold declarations for other versions of TypeScript only: the fixed beginnings of what their ranges map to. */
export function foldersOfOtherVersions(value: unknown): string[] {
  if (!isRecord(value)) return [];
  const prefixes = (range: string) =>
    Object.values(isRecord(value[range]) ? value[range] : {})
      .flat()
      .filter((target): target is string => typeof target === "string" && target.includes("*"))
      .map((target) => target.slice(0, target.indexOf("*")).replace(/^\.\//, ""))
      .filter((prefix) => prefix.endsWith("/"));
  const chosen = Object.keys(value).find(suitsTypeScript);
  const wanted = new Set(chosen === undefined ? [] : prefixes(chosen));
  return Object.keys(value)
    .filter((range) => range !== chosen)
    .flatMap(prefixes)
    .filter((prefix) => !wanted.has(prefix));
}

/** An exact key first, then the one with the longest part before its `*`. */
function bestPattern(keys: string[], path: string): { key: string; rest: string } | undefined {
  if (keys.includes(path)) return { key: path, rest: "" };
  let best: { key: string; rest: string; prefix: number } | undefined;
  for (const key of keys) {
    const star = key.indexOf("*");
    if (star < 0 || path.length < key.length - 1) continue;
    const [prefix, suffix] = [key.slice(0, star), key.slice(star + 1)];
    if (!path.startsWith(prefix) || !path.endsWith(suffix) || star <= (best?.prefix ?? -1)) continue;
    best = { key, rest: path.slice(star, path.length - suffix.length), prefix: star };
  }
  return best;
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
