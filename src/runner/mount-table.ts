import { existsSync } from "node:fs";
import { join } from "node:path";

/**
 * What a run in namespaces sees of its store, as an fstab: its own directory to write to, the rest read-only, nothing of a control plane that
 * lives in the same data directory, and `hidden` folders empty.
 */
export function mountTable({
  directory,
  runDirectory,
  hidden,
}: {
  directory: string;
  runDirectory: string;
  hidden: string[];
}): string {
  const control = join(directory, "control");
  const empty = [...(existsSync(control) ? [control] : []), ...hidden];
  const lines = [
    [runDirectory, runDirectory, "none", "bind"],
    [directory, directory, "none", "rbind,ro"],
    ...empty.map((path) => ["none", path, "tmpfs", "ro,size=4k,mode=755"]),
  ];
  return lines.map(([from = "", to = "", type, options]) => `${escaped(from)} ${escaped(to)} ${type} ${options} 0 0\n`).join("");
}

const escaped = (path: string): string =>
  path.replace(/[\s\\#]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`);
