import type { RunLimits } from "../contract/for-hosts.ts";
import type { RunMark } from "./run-mark.ts";

export interface Start {
  limits: RunLimits;
  /** How many threads this user may have, in the user's namespace. */
  tasks: number;
  mark: RunMark | undefined;
  env: Record<string, string>;
  /** Shell text that must succeed before the command is started. */
  before?: string | undefined;
  command: readonly string[];
}

/** What a cell's shell waits for: a line on its standard input, and then this file in its directory. The end of its input ends it. */
export const startName = ".larder.sh";
export const waitText = `IFS= read -r go || exit 0\nexec </dev/null 9>&2 2>/dev/null\n. ./${startName}`;

/** Sets the limits, which everything that is started inherits, and becomes the command. Descriptor 3 is the report. */
export function startText({ limits, tasks, mark, env, before, command }: Start): string {
  const lines = [
    "ulimit -S -c 0",
    ...(mark?.coreBlocks === undefined ? [] : [`ulimit -H -c ${mark.coreBlocks}`]),
    "ulimit -n 4096",
    // Counts what this user runs; root it does not stop. Shells disagree on the letter.
    `if [ -n "$BASH_VERSION" ]; then ulimit -u ${tasks}; else ulimit -p ${tasks}; fi`,
    `ulimit -f ${limits.fileMb * 2048 + (mark?.fileBlocks ?? 0)}`,
    `ulimit -t ${Math.ceil(limits.cpuMs / 1000) + 1}`,
    ...Object.entries(env).map(([name, value]) => `export ${name}=${shellQuoted(value)}`),
    `printf '{"kind":"started"}\\n' >&3`,
    ...(before === undefined ? [] : [`${before} 9>&- || exit`]),
    `exec ${command.map(shellQuoted).join(" ")} 2>&9 9>&-`,
  ];
  return `${lines.join("\n")}\n`;
}

export const shellQuoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
