import { isRecord, suitsTypeScript } from "./types-versions.ts";

/** What conditions hold, in no order: that is the author's. */
export type Conditions = ReadonlySet<string>;

const maxDepth = 32;

/**
 * `exports` or `imports` of a `package.json`, whatever was written there: calls `find` with the targets for `key` (`.`, `./sub`, `#own`), each with its `*`
 * filled in, in TypeScript's order, until one is found. A `null` offers nothing.
 */
export function resolveExports<T>(
  exports: unknown,
  key: string,
  conditions: Conditions,
  find: (target: string) => T | undefined,
): T | undefined {
  const match = matchKey(asMap(exports), key);
  if (match === undefined) return undefined;
  return tryTarget(match.target, { conditions, find, rest: match.rest, isFolder: match.isFolder }, 0);
}

/** `exports: "./index.js"`, a list, or conditions alone stand for `.`. */
function asMap(exports: unknown): Record<string, unknown> {
  if (isRecord(exports) && Object.keys(exports).every((key) => key.startsWith(".") || key.startsWith("#"))) return exports;
  return { ".": exports };
}

interface Match {
  target: unknown;
  rest: string | undefined;
  isFolder: boolean;
}

function matchKey(map: Record<string, unknown>, key: string): Match | undefined {
  if (Object.hasOwn(map, key) && !key.includes("*") && !key.endsWith("/")) {
    return { target: map[key], rest: undefined, isFolder: false };
  }
  let best: (Match & { base: number; length: number }) | undefined;
  for (const [pattern, target] of Object.entries(map)) {
    const star = pattern.indexOf("*");
    const isFolder = star < 0 && pattern.endsWith("/");
    if (star < 0 && !isFolder) continue;
    const base = isFolder ? pattern.length : star;
    const suffix = isFolder ? "" : pattern.slice(star + 1);
    if (suffix.includes("*") || key.length < pattern.length || !key.startsWith(pattern.slice(0, base)) || !key.endsWith(suffix))
      continue;
    // The longer beginning, then the longer pattern.
    if (best && (best.base > base || (best.base === base && best.length >= pattern.length))) continue;
    best = { target, rest: key.slice(base, key.length - suffix.length), isFolder, base, length: pattern.length };
  }
  return best;
}

interface Search<T> {
  conditions: Conditions;
  find: (target: string) => T | undefined;
  rest: string | undefined;
  isFolder: boolean;
}

function tryTarget<T>(target: unknown, search: Search<T>, depth: number): T | undefined {
  if (depth > maxDepth) return undefined;
  if (typeof target === "string") return tryPath(target, search);
  if (Array.isArray(target)) return firstOf(target, (each) => tryTarget(each, search, depth + 1));
  if (!isRecord(target)) return undefined;
  return firstOf(Object.keys(target), (condition) =>
    holds(condition, search.conditions) ? tryTarget(target[condition], search, depth + 1) : undefined,
  );
}

function tryPath<T>(target: string, { find, rest, isFolder }: Search<T>): T | undefined {
  if (rest === undefined) return target.includes("*") ? undefined : find(target);
  if (isFolder) return target.endsWith("/") ? find(target + rest) : undefined;
  return find(target.replaceAll("*", () => rest));
}

function holds(condition: string, conditions: Conditions): boolean {
  if (condition === "default" || conditions.has(condition)) return true;
  return condition.startsWith("types@") && suitsTypeScript(condition.slice("types@".length));
}

function firstOf<V, T>(values: readonly V[], attempt: (value: V) => T | undefined): T | undefined {
  for (const value of values) {
    const found = attempt(value);
    if (found !== undefined) return found;
  }
  return undefined;
}
