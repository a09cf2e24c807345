import { readdir } from "node:fs/promises";
import { isLockfileHash, type LockfileHash } from "../contract/for-hosts.ts";
import { isPackageKey, type PackageKey, type StoreLayout } from "./layout.ts";

export const listTrees = async (layout: StoreLayout): Promise<LockfileHash[]> =>
  (await readdir(layout.trees)).filter(isLockfileHash);

export const listPackages = async (layout: StoreLayout): Promise<PackageKey[]> =>
  (await readdir(layout.packages)).filter(isPackageKey);
