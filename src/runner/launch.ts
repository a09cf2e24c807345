import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Confinement, RunLimits } from "../contract/index.ts";
import type { RunMark } from "./run-mark.ts";

export type Holding = Confinement["processes"];

/** A command that runs another one, held and limited. */
export interface Launch {
  path: string;
  args: string[];
}

export interface LaunchOptions {
  holding: Holding;
  /** Of the mounts that a namespace makes; see `mountTable`. */
  mountTable: string;
  limits: RunLimits;
  mark: RunMark | undefined;
  /** Shell text that must succeed before the command is started. */
  before?: string;
  command: readonly string[];
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

/**
 * Through a shell that sets the limits, which everything started below it inherits. In a namespace that shell is the first process of a table of
 * processes of its own: when it ends, for whatever reason, the kernel ends all the others, and it ends when this process does. Nothing can be
 * mounted or unmounted by the script, for which capabilities (root) or a second user namespace (others) see.
 */
export function launch(options: LaunchOptions): Launch {
  const { holding, command, mountTable } = options;
  const script = launchScript(options);
  if (holding === "group") return { path: "/bin/sh", args: ["-c", script, "sh", "", ...command] };
  const dieWithParent = ["--pdeathsig", "KILL", "--"];
  if (holding === "marks") {
    const inner = ["/bin/sh", "-c", script, "sh", "", ...command];
    return existsSync(tool("setpriv"))
      ? { path: tool("setpriv"), args: [...dieWithParent, ...inner] }
      : { path: "/bin/sh", args: inner.slice(1) };
  }
  const [user, group] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  const asOthers = user === 0 ? [] : ["--user", "--map-root-user"];
  const drop =
    user === 0
      ? [tool("setpriv"), `--bounding-set=${dropped}`, `--inh-caps=${dropped}`, "--"]
      : [tool("unshare"), "--user", `--map-user=${user}`, `--map-group=${group}`, "--"];
  const namespaces = [...asOthers, "--pid", "--fork", "--kill-child=KILL", "--mount-proc", "--"];
  const inner = ["/bin/sh", "-c", script, "sh", mountTable, ...drop, ...command];
  return { path: tool("setpriv"), args: [...dieWithParent, tool("unshare"), ...namespaces, ...inner] };
}

/** Descriptor 9 is the script's standard error: what the shell itself has to say is nobody's business. Descriptor 3 is the report. */
function launchScript({ holding, limits, mark, before }: LaunchOptions): string {
  const blocks = limits.fileMb * 2048 + (mark?.fileBlocks ?? 0);
  const lines = [
    "exec 9>&2 2>/dev/null",
    ...(holding === "namespace" ? [`${tool("mount")} -a --fstab "$1" || exit`] : []),
    "shift",
    // When the machine runs out of memory, the script goes first.
    ...(process.platform === "linux" ? ["echo 1000 >/proc/self/oom_score_adj"] : []),
    "ulimit -S -c 0",
    ...(mark?.coreBlocks === undefined ? [] : [`ulimit -H -c ${mark.coreBlocks}`]),
    "ulimit -n 4096",
    `ulimit -f ${blocks}`,
    `ulimit -t ${Math.ceil(limits.cpuMs / 1000) + 1}`,
    `printf '{"kind":"started"}\\n' >&3`,
    ...(before === undefined ? [] : [`${before} 9>&- || exit`]),
    holding === "namespace" ? '"$@" 2>&9 9>&-' : 'exec "$@" 2>&9 9>&-',
    "exit $?",
  ];
  return lines.join("\n");
}

export const shellQuoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
