import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants, writeFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { LarderError } from "../contract/for-hosts.ts";
import { type HostStore, openRunDirectory, type RunDirectory } from "../host/index.ts";
import { cellEnvironment } from "./child-environment.ts";
import { cgroupName } from "./find-cgroup.ts";
import { killGroup } from "./kill-processes.ts";
import { fewestTasks, type Holding, launch } from "./launch.ts";
import { planMounts } from "./mount-table.ts";
import type { Hold } from "./process-limit.ts";
import { visibleFolders } from "./resolution-boundary.ts";
import { openRunCgroup, type RunCgroup } from "./run-cgroup.ts";
import { waitText } from "./start-text.ts";

/** What a cell has to be good for. */
export interface CellNeeds {
  hold: Hold;
  /** Executables that must not be hidden. */
  executables: readonly string[];
  /** The run's limit. */
  processes: number;
}

/** A run's place: its directory, and a shell in it that is already held and waits to become the script. */
export interface Cell extends AsyncDisposable {
  hold: Hold;
  cgroup: RunCgroup | undefined;
  /** How many threads the kernel allows in it, where it counts them. */
  tasks: number;
  directory: RunDirectory;
  child: ChildProcess;
  /** The shell's process. */
  leader: number;
  /** Gets what the child reports: its descriptor 3. */
  report: FileHandle;
  /** Folders of other people's packages that could be seen from here, had they not been hidden; … */
  hidden: readonly string[];
  /** … and those that still can. */
  seen: readonly string[];
}

const mountTableName = ".larder.fstab";

/** A runtime has about twenty threads; what it starts has few. */
export const tasksFor = (processes: number): number => Math.max(fewestTasks, processes * 4);

/** Throws `E_CONFIG` when there is nothing to start it with. `idle`: for a run that is still to come. */
export async function openCell(
  store: HostStore,
  { hold, executables, processes, idle }: CellNeeds & { idle: boolean },
): Promise<Cell> {
  const directory = await openRunDirectory(store, { purpose: "run", idle });
  const { path } = directory;
  const { holding, processLimit, cgroups } = hold;
  const tasks = tasksFor(processes);
  let report: FileHandle | undefined;
  let cgroup: RunCgroup | undefined;
  const close = async () => {
    await report?.close();
    await cgroup?.[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  };
  try {
    const others = visibleFolders(store.directory, path);
    const hidden =
      holding === "namespace" ? others.filter((folder) => !executables.some((file) => file.startsWith(`${folder}/`))) : [];
    const table = join(path, mountTableName);
    const mounts =
      holding === "namespace"
        ? planMounts({ directory: store.directory, runDirectory: path, hidden, cgroups: cgroups?.mount })
        : undefined;
    if (mounts) writeFileSync(table, mounts.table);
    report = await openReport(path);
    if (cgroups !== undefined) cgroup = openRunCgroup(join(cgroups.parent, cgroupName()), tasks);
    const highestNumber = processLimit === "namespace" ? tasks : undefined;
    const child = startShell(holding, {
      path,
      table,
      remounted: mounts?.remounted ?? [],
      highestNumber,
      entrance: cgroup?.entrance,
      report: report.fd,
    });
    if (child.pid === undefined) throw await startFailure(child);
    const leader = child.pid;
    return {
      hold,
      cgroup,
      tasks,
      directory,
      child,
      leader,
      report,
      hidden,
      seen: others.filter((folder) => !hidden.includes(folder)),
      async [Symbol.asyncDispose]() {
        await endShell(child, leader);
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

interface ShellOptions {
  path: string;
  table: string;
  remounted: readonly string[];
  highestNumber: number | undefined;
  entrance: string | undefined;
  report: number;
}

function startShell(holding: Holding, { path, table, report, ...limits }: ShellOptions): ChildProcess {
  const command = launch(holding, { directory: path, mountTable: table, ...limits, command: ["/bin/sh", "-c", waitText] });
  const child = spawn(command.path, command.args, {
    cwd: path,
    env: cellEnvironment(path),
    stdio: ["pipe", "pipe", "pipe", report],
    detached: true,
  });
  // Of a shell that has ended; its exit is what counts.
  child.stdin?.on("error", () => {});
  return child;
}

const openReport = (directory: string): Promise<FileHandle> =>
  open(join(directory, ".larder.json"), constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL, 0o600);

async function startFailure(child: ChildProcess): Promise<LarderError> {
  const [cause] = (await once(child, "error")) as [Error];
  return new LarderError("E_CONFIG", `No process can be started for a run: ${cause.message}`, {
    hint: "Check that the machine has processes and memory left, and a shell in /bin/sh.",
    retryable: true,
    cause,
  });
}

export const isOver = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;

/** A shell that still waits ends with its input. */
async function endShell(child: ChildProcess, leader: number): Promise<void> {
  if (isOver(child)) return;
  const ended = once(child, "exit");
  child.stdin?.end();
  const late = setTimeout(() => killGroup(leader), 1000);
  await ended;
  clearTimeout(late);
}
