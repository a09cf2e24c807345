import { execFile } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type HostStore, openRunDirectory } from "../host/index.ts";
import { undefinedOn, writeFileAtomic } from "../lib/index.ts";
import { fewestTasks, type Holding, launch } from "./launch.ts";
import { planMounts } from "./mount-table.ts";
import { hasOwnProcessNumbers } from "./process-limit.ts";

const fileOf = (store: HostStore): string => join(store.layout.state, "run-namespaces.json");

/** The strongest way to hold runs that works here. That namespaces work is remembered until the machine starts again. */
export async function probeHolding(store: HostStore): Promise<Holding> {
  if (process.platform !== "linux") return "group";
  const fact = JSON.stringify({ format: 1, bootId: await bootId(), user: process.getuid?.() ?? 0 });
  if ((await undefinedOn(["ENOENT"], readFile(fileOf(store), "utf8"))) === fact) return "namespace";
  if (!(await namespacesWork(store))) return "marks";
  // Where it cannot be written, the next process probes again.
  await writeFileAtomic(fileOf(store), fact).catch(() => undefined);
  return "namespace";
}

/** After a run that could not be started in namespaces. */
export const forgetHolding = (store: HostStore): Promise<void> => rm(fileOf(store), { force: true });

/** Runs what a run does, with a command that sees whether the store can be written. */
async function namespacesWork(store: HostStore): Promise<boolean> {
  await using scratch = await openRunDirectory(store, { purpose: "probe" });
  const table = join(scratch.path, "fstab");
  const mounts = planMounts({ directory: store.directory, runDirectory: scratch.path, hidden: [], cgroups: undefined });
  await writeFile(table, mounts.table);
  const { path, args } = launch("namespace", {
    directory: scratch.path,
    mountTable: table,
    remounted: mounts.remounted,
    ...(hasOwnProcessNumbers() && { highestNumber: fewestTasks }),
    command: ["/bin/sh", "-c", 'test ! -w "$0" && test -w "$1" && echo held', store.layout.packages, scratch.path],
  });
  return await new Promise((resolve) => {
    execFile(path, args, { timeout: 5000, killSignal: "SIGKILL", env: {} }, (error, stdout) =>
      resolve(error === null && stdout === "held\n"),
    );
  });
}

const bootId = async (): Promise<string> => (await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "")).trim();
