import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
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
      // On a file system that nobody can write to, nobody has put anything there either.
      if (errnoOf(error) !== "EEXIST" && errnoOf(error) !== "EROFS") throw error;
    }
  }
}

/**
 * Nothing ends the search for `node_modules`: those that can be seen from the store or a run. A run hides them where it can; elsewhere the child refuses
 * to load files outside of `allowedPaths`, at about 20 µs for each module.
 */
export function visibleFolders(directory: string, runDirectory: string): string[] {
  const folders = [join(directory, "packages"), ...ancestors(directory), ...ancestors(dirname(runDirectory))];
  return [...new Set(folders)].map((folder) => join(folder, "node_modules")).filter((folder) => existsSync(folder));
}

/** The pattern of the only paths that a fenced child may load modules from. */
export const allowedPaths = (directory: string, runDirectory: string): string =>
  `(?:${[join(directory, "packages"), runDirectory].map((path) => `${escapePattern(path)}/`).join("|")})`;

function ancestors(directory: string): string[] {
  const parent = dirname(directory);
  return parent === directory ? [directory] : [directory, ...ancestors(parent)];
}
