import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LarderError } from "../contract/index.ts";
import { undefinedOn } from "../lib/index.ts";
import { explainFailure, type Pin } from "./explain-failure.ts";
import type { Gateway } from "./gateway.ts";
import { runProcessGroup } from "./resolver-process.ts";

export interface ResolverOptions {
  gateway: Gateway;
  /** A directory of this run's own, which the caller removes. Nothing is written elsewhere. */
  scratch: string;
  packages: readonly Pin[];
  /** A `bun.lock` to start from: what it locks stays, as far as the pins allow. */
  lockfile?: string | undefined;
  timeoutMs: number;
  signal: AbortSignal;
  /** The bun executable, or one with bun built in. */
  bunPath: string;
}

const projectName = "larder-resolve";
const emptyLock = `${JSON.stringify({ lockfileVersion: 1, workspaces: { "": { name: projectName } }, packages: {} }, undefined, 2)}\n`;
const args = ["install", "--lockfile-only", "--ignore-scripts", "--no-progress", "--no-summary"];

/**
 * Resolves exact pins against the gateway with `bun install --lockfile-only`, and returns the text of its bun.lock. The child sees an empty environment, a home of its
 * own and no address but the gateway's. Throws `E_PACKAGE_NOT_FOUND`, `E_VERSION_NOT_FOUND`, `E_REGISTRY_UNREACHABLE`, `E_REGISTRY_ANSWER` or
 * `E_RESOLVE`, naming the package; `E_TIMEOUT`; the signal's reason.
 */
export async function runResolver(options: ResolverOptions): Promise<string> {
  const { gateway, packages, scratch, timeoutMs, signal, bunPath } = options;
  if (packages.length === 0) return emptyLock;
  const project = await writeProject(options);
  const { exitCode, output } = await runProcessGroup({
    command: bunPath,
    args,
    cwd: project,
    env: {
      HOME: join(scratch, "home"),
      TMPDIR: join(scratch, "tmp"),
      BUN_INSTALL_CACHE_DIR: join(scratch, "cache"),
      BUN_BE_BUN: "1",
      BUN_CONFIG_HTTP_RETRY_COUNT: "0",
      NO_COLOR: "1",
    },
    timeoutMs,
    signal,
  });
  if (exitCode !== 0) throw await explainFailure(gateway, packages, output);
  // The resolver leaves out an optional dependency that it could not ask about; a lock without it is not the lock of this allowlist.
  const trouble = gateway.firstFailure();
  if (trouble) throw trouble;
  const lock = await undefinedOn(["ENOENT"], readFile(join(project, "bun.lock"), "utf8"));
  if (lock === undefined)
    throw new LarderError("E_RESOLVE", "The resolver ended without a lockfile.", { hint: "Please report it." });
  return lock;
}

/**
 * The gateway's address stands in a file that only its owner reads, not in an argument. Bun looks in the folders above a project for a workspace that claims it, and would
 * write its lock there: the `package.json` beside the project's folder ends that search.
 */
async function writeProject({ scratch, packages, lockfile, gateway }: ResolverOptions): Promise<string> {
  const project = join(scratch, "project");
  for (const folder of ["project", "home", "tmp", "cache"]) await mkdir(join(scratch, folder), { recursive: true, mode: 0o700 });
  const dependencies = Object.fromEntries(packages.map(({ name, version }) => [name, version]));
  await writeFile(join(scratch, "package.json"), JSON.stringify({ private: true, workspaces: [] }));
  await writeFile(join(project, "package.json"), JSON.stringify({ name: projectName, dependencies }));
  await writeFile(join(project, "bunfig.toml"), bunfig(await gateway.listen()), { mode: 0o600 });
  if (lockfile !== undefined) await writeFile(join(project, "bun.lock"), lockfile);
  return project;
}

const bunfig = (registry: string): string =>
  `telemetry = false\n\n[install]\nregistry = ${JSON.stringify(registry)}\n\n[install.cache]\ndisableManifest = true\n`;
