import { readdir, readFile, readlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

/** Folders of a data directory that hold something only while work is under way. */
const workFolders = ["control/scratch", "incoming", "trash", "runs", "leases"];

/**
 * What nobody should find in a data directory once work has ended: entries of the folders for work under way, and temporary files anywhere.
 * Paths relative to `dataDir`, sorted; a folder that does not exist holds nothing.
 */
export async function leftoversIn(dataDir: string): Promise<string[]> {
  const found = new Set<string>();
  for (const folder of workFolders) {
    for (const name of await namesIn(join(dataDir, folder))) {
      if (!name.startsWith(".lock")) found.add(join(folder, name));
    }
  }
  await collectTemporaryFiles(dataDir, dataDir, found);
  return [...found].sort();
}

export async function assertNoLeftovers(dataDir: string): Promise<void> {
  const left = await leftoversIn(dataDir);
  if (left.length > 0) throw new Error(`Left behind in ${dataDir}:\n  ${left.join("\n  ")}`);
}

/** Contents of packages and trees are other people's files: a name says nothing there. */
async function collectTemporaryFiles(root: string, folder: string, found: Set<string>): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    if (/^\..*\.tmp$/.test(entry.name)) found.add(relative(root, path));
    else if (entry.isDirectory() && !["packages", "trees"].includes(relative(root, path)))
      await collectTemporaryFiles(root, path, found);
  }
}

export interface ProcessInfo {
  pid: number;
  parent: number;
  command: string;
}

/** Every process of this machine that this user may look at (Linux). Zombies do not count: they hold nothing. */
export async function listProcesses(): Promise<ProcessInfo[]> {
  const pids = (await namesIn("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const all = await Promise.all(
    pids.map(async (pid) => {
      const [status, command] = await Promise.all([readOr(`/proc/${pid}/stat`), readOr(`/proc/${pid}/cmdline`)]);
      const [, state, parent] = /^\d+ \(.*\) (\S) (\d+)/s.exec(status) ?? [];
      return state === undefined || state === "Z"
        ? undefined
        : { pid, parent: Number(parent), command: command.replaceAll("\0", " ").trim() };
    }),
  );
  return all.filter((info) => info !== undefined);
}

/** Children, their children, and so on. */
export async function descendantsOf(pid: number): Promise<ProcessInfo[]> {
  const all = await listProcesses();
  const below = (parent: number): ProcessInfo[] =>
    all.filter((info) => info.parent === parent).flatMap((info) => [info, ...below(info.pid)]);
  return below(pid);
}

/** Processes that name `path` in their command line or work below it: what a test on that directory may have left. */
export async function processesAt(path: string): Promise<ProcessInfo[]> {
  const found: ProcessInfo[] = [];
  for (const info of await listProcesses()) {
    if (info.pid === process.pid) continue;
    const cwd = await readlink(`/proc/${info.pid}/cwd`).catch(() => "");
    if (info.command.includes(path) || cwd === path || cwd.startsWith(`${path}/`)) found.push(info);
  }
  return found;
}

export async function assertNoProcesses(path: string): Promise<void> {
  const left = await processesAt(path);
  if (left.length > 0)
    throw new Error(`Still running at ${path}:\n  ${left.map(({ pid, command }) => `${pid} ${command}`).join("\n  ")}`);
}

/** Open descriptors of a process, by what they are (Linux): `socket`, `pipe`, `anon_inode`, or a path. */
export async function openDescriptors(pid: number = process.pid): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  const targets = await Promise.all((await namesIn(folder)).map((fd) => readlink(join(folder, fd)).catch(() => "")));
  return targets.filter((target) => target !== "").map((target) => (target.startsWith("/") ? target : target.replace(/:.*/, "")));
}

export const countSockets = async (pid?: number): Promise<number> =>
  (await openDescriptors(pid)).filter((target) => target === "socket").length;

/** Remembers what is in the system's temporary directory under Larder's names; the answer names what came since. */
export async function watchTempDir(): Promise<() => Promise<string[]>> {
  const named = async () => (await namesIn(tmpdir())).filter((name) => /^\.?larder/.test(name));
  const before = new Set(await named());
  return async () => (await named()).filter((name) => !before.has(name));
}

const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);
/** A process may end between two looks at it. */
const readOr = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");
