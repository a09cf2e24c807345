import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Confinement } from "../contract/for-hosts.ts";
import { shellQuoted } from "./start-text.ts";

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

/** Refused a process or a thread, a runtime may well crash. With words of the shell alone, which can start nothing then either. */
const crowded = (highestNumber: number): string =>
  `[ $code -lt 129 ] || { set -- /proc/[1-9]*; [ $# -lt ${highestNumber >> 1} ] || printf '{"kind":"crowded"}\\n' >&3; }`;

export interface LaunchOptions {
  /** The run's. */
  directory: string;
  /** The path of the fstab. */
  mountTable: string;
  /** Mount points to make read-only. */
  remounted: readonly string[];
  /** The highest process number of the namespace; absent where it has none of its own. */
  highestNumber?: number | undefined;
  /** A control group to enter. */
  entrance?: string | undefined;
  command: readonly string[];
}

/**
 * Runs `command` so that nothing of it outlives this process, and in a namespace nothing outlives its first process, a shell: the kernel ends all
 * processes of the namespace with it. What is mounted there cannot be changed from within: capabilities (root) or a second user namespace
 * (others) see to that.
 */
export function launch(
  holding: Holding,
  { directory, mountTable, remounted, highestNumber, entrance, command }: LaunchOptions,
): Launch {
  const enter = entrance === undefined ? [] : [`echo 0 >${shellQuoted(entrance)} || exit`];
  const dieWithParent = ["--pdeathsig", "KILL", "--"];
  if (holding !== "namespace") {
    const held = ["/bin/sh", "-c", [quiet, firstToGo, ...enter, 'exec "$@" 2>&9 9>&-'].join("\n"), "sh", ...command];
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
    ...enter,
    // Both before the mounts, which make these files read-only.
    ...(highestNumber === undefined ? [] : [`echo ${highestNumber} >/proc/sys/kernel/pid_max || exit`]),
    `${tool("mount")} -a --fstab "$1" || exit`,
    ...remounted.map((path) => `${tool("mount")} -o remount,bind,ro ${shellQuoted(path)} || exit`),
    // Until here it is a directory beneath the mounts, from which those beside it can be written to.
    `cd ${shellQuoted(directory)} || exit`,
    "shift",
    firstToGo,
    '"$@" 2>&9 9>&-',
    "code=$?",
    ...(highestNumber === undefined ? [] : [crowded(highestNumber)]),
    "exit $code",
  ].join("\n");
  const namespaces = [...asOthers, "--pid", "--fork", "--kill-child=KILL", "--mount-proc", "--"];
  return {
    path: tool("setpriv"),
    args: [
      ...dieWithParent,
      "/bin/sh",
      "-c",
      `${quiet}\nexec "$@"`,
      "sh",
      tool("unshare"),
      ...namespaces,
      "/bin/sh",
      "-c",
      first,
      "sh",
      mountTable,
      ...drop,
      ...command,
    ],
  };
}
