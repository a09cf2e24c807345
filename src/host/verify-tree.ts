import { join } from "node:path";
import type { LockfileHash } from "../contract/for-hosts.ts";
import { mapConcurrent } from "../lib/index.ts";
import type { HostStore } from "./host-store.ts";
import { contentPath, recordName, rootTarget, type StoreLayout, treePath } from "./layout.ts";
import { listEntries } from "./list-entries.ts";
import { readTreeRecord, type TreeRecord } from "./record.ts";
import type { Damage } from "./verify.ts";
import { checkPackage } from "./verify-package.ts";

/** One tree and the packages it reaches, every file; answers what is wrong. The caller holds a lease on it. */
export async function verifyTree({ layout }: HostStore, hash: LockfileHash): Promise<Damage[]> {
  const record = await readTreeRecord(layout, hash);
  const problems = await checkTree(layout, hash, record);
  const found = await mapConcurrent(record?.packages ?? [], { limit: 4 }, (expected) => checkPackage(layout, expected));
  return [...problems, ...found.flatMap((checked) => checked.problems)];
}

/** A tree's links against its record. */
export async function checkTree(layout: StoreLayout, hash: LockfileHash, record: TreeRecord | undefined): Promise<Damage[]> {
  const problems: Damage[] = [];
  const problem = (kind: Damage["kind"], path: string) =>
    problems.push({ kind, subject: `tree ${hash}`, path: join("trees", hash, path) });
  if (record?.lockfileHash !== hash) {
    problem("record", recordName);
    return problems;
  }
  const entries = await listEntries(treePath(layout, hash)).catch(() => undefined);
  if (!entries) {
    problem("missing", "");
    return problems;
  }
  entries.delete(recordName);
  for (const { alias, key, name } of record.roots) {
    const path = contentPath(alias);
    const entry = entries.get(path);
    entries.delete(path);
    if (entry === undefined) problem("missing", path);
    else if (entry.target !== rootTarget(alias, key, name)) problem("changed", path);
  }
  for (const path of entries.keys()) problem("extra", path);
  return problems;
}
