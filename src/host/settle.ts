import { execFile } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { undefinedOn, writeFileAtomic } from "../lib/index.ts";
import { describeDiskErrors } from "./disk-error.ts";
import type { StoreLayout } from "./layout.ts";
import { listPackages, listTrees } from "./list-trees.ts";
import { currentBootId } from "./record.ts";

// Nothing forces the files of a package to disk when it is unpacked: that would cost more than all the rest. Power that is lost may therefore take
// some, and leave their names. So a store is *settled* when all in it was made, or compared with its record, since the machine started; a mark with
// the boot's id says so. Until then a tree is looked at before it is handed out, and a reconcile looks at everything before it builds on it.

const markPath = (layout: StoreLayout): string => join(layout.state, "verified-boot");

/** True also where the system does not tell its boots apart. */
export async function isSettled(layout: StoreLayout): Promise<boolean> {
  const path = markPath(layout);
  const mark = describeDiskErrors(path, () => undefinedOn(["ENOENT"], readFile(path, "utf8")));
  const [bootId, checkedIn] = await Promise.all([thisBoot(), mark]);
  return bootId === "" || checkedIn === bootId;
}

export async function markSettled(layout: StoreLayout): Promise<void> {
  const path = markPath(layout);
  await describeDiskErrors(path, async () => writeFileAtomic(path, await thisBoot()));
}

/** What was trusted no longer is: the next reconcile looks at everything. */
export const unsettle = (layout: StoreLayout): Promise<void> => rm(markPath(layout), { force: true });

/** Nothing is in it yet, so that nothing can have been lost. */
export async function settleIfEmpty(layout: StoreLayout): Promise<void> {
  if (await isSettled(layout)) return;
  if ((await listTrees(layout)).length === 0 && (await listPackages(layout)).length === 0) await markSettled(layout);
}

async function thisBoot(): Promise<string> {
  const linux = await currentBootId();
  if (linux !== "" || process.platform !== "darwin") return linux;
  const { stdout } = await promisify(execFile)("/usr/sbin/sysctl", ["-n", "kern.bootsessionuuid"]).catch(() => ({ stdout: "" }));
  return stdout.trim();
}
