import { existsSync } from "node:fs";
import { join } from "node:path";
import { readOr } from "./process-table.ts";

/** What a run in namespaces sees. */
export interface Mounts {
  /** An fstab. */
  table: string;
  /** Mount points that become read-only as they are: an fstab's line for one counts as done. */
  remounted: string[];
}

export interface MountOptions {
  /** The store's. */
  directory: string;
  runDirectory: string;
  /** Folders that it sees empty. */
  hidden: string[];
  /** Where control groups are mounted, if they hold runs. */
  cgroups: string | undefined;
}

/**
 * Its own directory to write to, the rest of its store read-only, nothing of a control plane that lives in the same data directory, and `hidden` folders
 * empty. What limits it cannot be written by it.
 */
export function planMounts({ directory, runDirectory, hidden, cgroups }: MountOptions): Mounts {
  const control = join(directory, "control");
  const empty = [...(existsSync(control) ? [control] : []), ...hidden];
  const closed = [directory, "/proc/sys", ...(cgroups === undefined ? [] : [cgroups])];
  const points = mountPoints();
  const lines = [
    [runDirectory, runDirectory, "none", "bind"],
    ...closed.filter((path) => !points.has(path)).map((path) => [path, path, "none", "rbind,ro"]),
    ...empty.map((path) => ["none", path, "tmpfs", "ro,size=4k,mode=755"]),
  ];
  return {
    table: lines
      .map(([from = "", to = "", type, options]) => `${escaped(from)} ${escaped(to)} ${type} ${options} 0 0\n`)
      .join(""),
    remounted: closed.filter((path) => points.has(path)),
  };
}

function mountPoints(): Set<string> {
  const points = readOr("/proc/self/mountinfo")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "");
  return new Set(points.map(unescaped));
}

const escaped = (path: string): string =>
  path.replace(/[\s\\#]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`);

/** As the kernel writes paths in tables. */
export const unescaped = (path: string): string =>
  path.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
