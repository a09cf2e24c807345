import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { LarderError } from "../contract/for-hosts.ts";

export interface BunExecutable {
  path: string;
  /** What a compiled Larder needs in its environment to act as plain Bun. */
  env: Record<string, string>;
}

/** This process's own executable when it is Bun or was compiled by it, else the npm package `bun`. Throws `E_CONFIG`. */
export function findBun(path?: string): BunExecutable {
  if (path !== undefined) return { path: existing(path), env: {} };
  if (process.versions.bun === undefined) return { path: bunFromNpm(), env: {} };
  const isPlainBun = /^bun(?:-\w+)?(?:\.exe)?$/.test(basename(process.execPath));
  return { path: process.execPath, env: isPlainBun ? {} : { BUN_BE_BUN: "1" } };
}

function existing(path: string): string {
  if (existsSync(path)) return path;
  throw new LarderError("E_CONFIG", `There is no Bun at ${path}.`, { hint: "Check the path that the runner was given." });
}

function bunFromNpm(): string {
  try {
    const manifest = createRequire(import.meta.url).resolve("bun/package.json");
    const { bin } = JSON.parse(readFileSync(manifest, "utf8")) as { bin: { bun: string } };
    return join(dirname(manifest), bin.bun);
  } catch (cause) {
    throw new LarderError("E_CONFIG", "There is no Bun to run scripts with.", {
      hint: "Install it: npm install bun",
      cause,
    });
  }
}
