import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The specifiers that a package's `exports` offer, without patterns; empty when it has no such list. */
export function exportsOf(directory: string, name: string): string[] {
  try {
    const { exports } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as { exports?: unknown };
    if (typeof exports !== "object" || exports === null) return [];
    return Object.keys(exports)
      .filter((key) => (key === "." || key.startsWith("./")) && !key.includes("*") && key !== "./package.json")
      .map((key) => name + key.slice(1));
  } catch {
    // It is only for a hint.
    return [];
  }
}
