import { existsSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import type { Confinement } from "../contract/index.ts";

export type Holding = Confinement["processes"];

/** A command that runs another one, held. */
export interface Launch {
  path: string;
  args: string[];
}

/** Where the tools of util-linux are: never looked up in a `PATH`. */
function tool(name: string): string {
  const folder = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"].find((candidate) => existsSync(join(candidate, name)));
  return join(folder ?? "/usr/bin", name);
}

/** What root could undo the mounts, leave the namespaces or reach the machine's devices with. */
const dropped = ["sys_admin", "sys_ptrace", "sys_module", "sys_rawio", "sys_boot", "sys_time", "mknod", "dac_read_search"]
  .map((name) => `-${name}`)
  .join(",");

/** The shell's own words are nobody's business: descriptor 9 is the script's standard error. */
const quiet = "exec 9>&2 2>/dev/null";
/** When the machine runs out of memory, the script goes first. */
const firstToGo = process.platform === "linux" ? "echo 1000 >/proc/self/oom_score_adj" : ":";

/** Of a namespace: enough for the usual limit on processes, each with some threads, and few enough for the machine to stay usable. */
export const fewestTasks = 1024;

export interface LaunchOptions {
  mountTable: string;
  /** How many threads there may be in a namespace, at least `fewestTasks`. */
  tasks: number;
  command: readonly string[];
}

/** Since Linux 6.14 each namespace has a highest process number of its own; before, to set it would be to set the machine's. */
function hasOwnProcessNumbers(): boolean {
  const [major = 0, minor = 0] = release().split(".").map(Number);
  return process.platform === "linux" && (major > 6 || (major === 6 && minor >= 14));
}

/**
 * Runs `command` so that nothing of it outlives this process, and in a namespace nothing outlives its first process, a shell: the kernel ends all
 * processes of the namespace with it. What is mounted there cannot be changed from within: capabilities (root) or a second user namespace
 * (others) see to that.
 */
export function launch(holding: Holding, { mountTable, tasks, command }: LaunchOptions): Launch {
  const dieWithParent = ["--pdeathsig", "KILL", "--"];
  if (holding !== "namespace") {
    const held = ["/bin/sh", "-c", `${quiet}\n${firstToGo}\nexec "$@" 2>&9 9>&-`, "sh", ...command];
    return holding === "marks" && existsSync(tool("setpriv"))
      ? { path: tool("setpriv"), args: [...dieWithParent, ...held] }
      : { path: "/bin/sh", args: held.slice(1) };
  }
  const [user, group] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  const asOthers = user === 0 ? [] : ["--user", "--map-root-user"];
  const drop =
    user === 0
      ? [tool("setpriv"), `--bounding-set=${dropped}`, `--inh-caps=${dropped}`, "--"]
      : [tool("unshare"), "--user", `--map-user=${user}`, `--map-group=${group}`, "--"];
  const first = [
    quiet,
    `${tool("mount")} -a --fstab "$1" || exit`,
    "shift",
    firstToGo,
    ...(hasOwnProcessNumbers() ? [`echo ${tasks} >/proc/sys/kernel/pid_max`] : []),
    '"$@" 2>&9 9>&-',
    "exit $?",
  ].join("\n");
  const namespaces = [...asOthers, "--pid", "--fork", "--kill-child=KILL", "--mount-proc", "--"];
  return {
    path: tool("setpriv"),
    args: [...dieWithParent, tool("unshare"), ...namespaces, "/bin/sh", "-c", first, "sh", mountTable, ...drop, ...command],
  };
}
