import { join, posix } from "node:path";
import { type LockfileHash, type PackageName, parsePackageName } from "../contract/for-hosts.ts";

/** Absolute paths of a store's folders. `current` is a symbolic link; the others are folders. */
export interface StoreLayout {
  directory: string;
  packages: string;
  trees: string;
  current: string;
  runs: string;
  leases: string;
  incoming: string;
  trash: string;
  state: string;
}

/** A package directory's name: see `packageKeys`. */
export type PackageKey = string & { readonly __brand: "PackageKey" };

export const isPackageKey = (value: string): value is PackageKey => /^[0-9a-f]{64}$/.test(value);

export const storeFolders = ["packages", "trees", "runs", "leases", "incoming", "trash", "state"] as const;

export const layoutOf = (directory: string): StoreLayout => ({
  directory,
  packages: join(directory, "packages"),
  trees: join(directory, "trees"),
  current: join(directory, "current"),
  runs: join(directory, "runs"),
  leases: join(directory, "leases"),
  incoming: join(directory, "incoming"),
  trash: join(directory, "trash"),
  state: join(directory, "state"),
});

export const treePath = (layout: StoreLayout, lockfileHash: LockfileHash): string => join(layout.trees, lockfileHash);
export const packagePath = (layout: StoreLayout, key: PackageKey): string => join(layout.packages, key);

/** The record beside `node_modules` in a package's and in a tree's directory. */
export const recordName = "larder.json";
/** What `current` says, relative to the store's directory. */
export const currentTarget = (lockfileHash: LockfileHash): string => `trees/${lockfileHash}`;

/** Below a package's own directory: where its files are. */
export const contentPath = (name: PackageName): string => `node_modules/${parsePackageName(name)}`;

/**
 * Below a package's own directory: where the link for `alias` belongs. A dependency with the package's own name (another version of it, say)
 * cannot lie beside the package, so it lies within, where resolution looks first.
 */
export const siblingPath = (owner: PackageName, alias: PackageName): string =>
  alias === owner ? `${contentPath(owner)}/${contentPath(alias)}` : contentPath(alias);

/** A relative link's text, from `from` (the link itself, below `packages/<key>/`) to another package's content. */
export const siblingTarget = (from: string, key: PackageKey, name: PackageName): string =>
  posix.join("../".repeat(from.split("/").length), key, contentPath(name));

/** The text of `trees/<hash>/node_modules/<alias>`. */
export const rootTarget = (alias: PackageName, key: PackageKey, name: PackageName): string =>
  posix.join("../".repeat(contentPath(alias).split("/").length + 1), "packages", key, contentPath(name));
