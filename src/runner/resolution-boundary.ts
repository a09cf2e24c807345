import { access, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { errnoOf } from "../lib/index.ts";
import { escapePattern } from "./escape-pattern.ts";

/**
 * A store may lie inside a project, and Bun looks upwards from every file: for `node_modules`, and for the nearest `tsconfig.json` (whose
 * `paths` even win over a package's own dependencies) and `package.json` (`imports`, the project's own name). Two empty files in the store's
 * directory end the second search.
 */
export async function writeBoundary(directory: string): Promise<void> {
  for (const name of ["tsconfig.json", "package.json"]) {
    try {
      await writeFile(join(directory, name), "{}\n", { flag: "wx" });
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
    }
  }
}

/**
 * Nothing ends the search for `node_modules`. Where another one can be seen from the store, this is the pattern of the only paths that modules
 * may be loaded from, and the child refuses all others (about 20 µs for each module loaded); elsewhere `undefined`, which costs nothing.
 */
export async function fencePattern(directory: string, runDirectory: string): Promise<string | undefined> {
  const visible = await Promise.all(
    [join(directory, "packages"), join(directory, "runs"), ...ancestors(directory)].map((folder) =>
      access(join(folder, "node_modules")).then(
        () => true,
        (error) => errnoOf(error) !== "ENOENT",
      ),
    ),
  );
  if (!visible.includes(true)) return undefined;
  return `(?:${[join(directory, "packages"), runDirectory].map((path) => `${escapePattern(path)}/`).join("|")})`;
}

function ancestors(directory: string): string[] {
  const parent = dirname(directory);
  return parent === directory ? [directory] : [directory, ...ancestors(parent)];
}
