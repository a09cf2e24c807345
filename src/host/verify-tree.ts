import { join } from "node:path";
import type { LockfileHash } from "../contract/index.ts";
import { contentPath, recordName, rootTarget, type StoreLayout, treePath } from "./layout.ts";
import { listEntries } from "./list-entries.ts";
import type { TreeRecord } from "./record.ts";
import type { Damage } from "./verify.ts";

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
