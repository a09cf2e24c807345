import { readFile } from "node:fs/promises";

/**
 * True when nobody at all can write to the file system that `directory` (absolute, without links) is on: not even through another mount of it. Only
 * Linux says so; elsewhere, and in doubt, false.
 */
export async function isFrozen(directory: string): Promise<boolean> {
  const text = await readFile("/proc/self/mountinfo", "utf8").catch(() => "");
  let found: { point: string; superOptions: string } | undefined;
  for (const line of text.split("\n")) {
    // id parent major:minor root point options [fields…] - type source super-options
    const [before = "", after = ""] = line.split(" - ");
    const point = before
      .split(" ")[4]
      ?.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
    const superOptions = after.split(" ")[2];
    if (point === undefined || superOptions === undefined || !isBelow(directory, point)) continue;
    // A later mount on the same point hides the earlier one.
    if (found === undefined || point.length >= found.point.length) found = { point, superOptions };
  }
  return found?.superOptions.split(",").includes("ro") ?? false;
}

const isBelow = (path: string, folder: string): boolean => folder === "/" || path === folder || path.startsWith(`${folder}/`);
