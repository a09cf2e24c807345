import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { LarderError } from "../contract/for-hosts.ts";

const oldest = 20;

/** `path`, else this process's own executable when it is Node, else the first `node` in its `PATH`. Throws `E_CONFIG` when there is none ≥ 20. */
export async function findNode(path?: string): Promise<string> {
  const own = process.versions.bun === undefined ? process.execPath : undefined;
  const found = path ?? own ?? (await firstInPath());
  if (found === undefined) throw missing("There is no Node to run scripts with.");
  const version = await versionOf(found);
  if (Number(/^v(\d+)\./.exec(version)?.[1] ?? 0) >= oldest) return found;
  throw missing(`${found} is Node ${version || "of an unknown version"}.`);
}

const missing = (message: string): LarderError =>
  new LarderError("E_CONFIG", message, { hint: `Install Node ${oldest} or newer on this host, or run the script with Bun.` });

async function firstInPath(): Promise<string | undefined> {
  const folders = (process.env.PATH ?? "").split(":").filter(isAbsolute);
  // Bun puts a `node` of its own in front, which is Bun.
  for (const folder of folders.filter((name) => !/\/bun-node[^/]*\/?$/.test(name))) {
    const path = join(folder, "node");
    const executable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (executable) return path;
  }
  return undefined;
}

const versionOf = (path: string): Promise<string> =>
  new Promise((resolve) => {
    execFile(path, ["--version"], { timeout: 10_000, env: {} }, (error, stdout) => resolve(error ? "" : stdout.trim()));
  });
