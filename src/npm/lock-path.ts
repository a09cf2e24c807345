import { isPackageName } from "../contract/index.ts";

/** `a/@s/n/b` → `["a", "@s/n", "b"]`; `undefined` when it is not names joined by "/". */
export function parseLockPath(path: string): string[] | undefined {
  const segments = path.split("/");
  const names: string[] = [];
  for (let i = 0; i < segments.length; i++) {
    const name = segments[i]?.startsWith("@") ? `${segments[i]}/${segments[++i] ?? ""}` : (segments[i] as string);
    if (!isPackageName(name)) return undefined;
    names.push(name);
  }
  return names;
}

/** The places where `alias` may be found from the package at `path`, nearest first: within it, beside it, beside its parent, …, at the top. */
export function lookupPaths(path: string, alias: string): string[] {
  const names = parseLockPath(path) ?? [];
  return names.map((_, i) => [...names.slice(0, names.length - i), alias].join("/")).concat(alias);
}

/** Whether `path` lies within the package at `outer`. */
export const isWithin = (path: string, outer: string): boolean => path.startsWith(`${outer}/`);
