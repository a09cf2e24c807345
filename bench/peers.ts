import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A whole process: how long it took, and its greatest resident memory. */
export interface Measured {
  ms: number;
  peakBytes: number;
}

/** A package manager from npm, with a cache and a project folder of its own. */
export interface Peer {
  name: string;
  /** `undefined`: whatever its lockfile for this allowlist is has to be made first, with `lock`. */
  version: string;
  lockName: string;
  /** Makes the lockfile for `dependencies` in `folder`. */
  lock(folder: string, dependencies: Record<string, string>): Promise<void>;
  /** Installs what `locked` has, frozen, into `project`, whose cache lies beside it. */
  install(project: string, locked: string, options?: { offline?: boolean }): Promise<Measured>;
}

const tools = join(import.meta.dir, "node_modules/.bin");

function installPeers(): void {
  if (existsSync(join(tools, "pnpm"))) return;
  // Without a lock: `package.json` names exact versions, and pnpm's lists executables that not every registry has.
  const args = ["install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund"];
  const { status, stderr } = spawnSync("npm", args, { cwd: import.meta.dir, encoding: "utf8" });
  if (status !== 0) throw new Error(`npm install in bench: ${stderr}`);
}

export function peersOf(registry: string): Peer[] {
  installPeers();
  const make = (
    name: string,
    command: string,
    { lockName, lockArgs, installArgs }: { lockName: string; lockArgs: string[]; installArgs: string[] },
  ): Peer => ({
    name,
    version: spawnSync(command, ["--version"], { encoding: "utf8" }).stdout.trim(),
    lockName,
    async lock(folder, dependencies) {
      await writeProject(folder, dependencies);
      await measured(command, [...lockArgs, "--registry", registry], folder);
    },
    async install(project, locked, { offline = false } = {}) {
      await mkdir(project, { recursive: true });
      for (const file of ["package.json", lockName]) await copyFile(join(locked, file), join(project, file));
      return await measured(command, [...installArgs, ...(offline ? ["--offline"] : []), "--registry", registry], project);
    },
  });
  return [
    make("bun", process.execPath, {
      lockName: "bun.lock",
      lockArgs: ["install", "--lockfile-only"],
      installArgs: ["install", "--frozen-lockfile", "--ignore-scripts", "--no-progress"],
    }),
    make("pnpm", join(tools, "pnpm"), {
      lockName: "pnpm-lock.yaml",
      lockArgs: ["install", "--lockfile-only"],
      installArgs: ["install", "--frozen-lockfile", "--ignore-scripts"],
    }),
    make("npm", join(tools, "npm"), {
      lockName: "package-lock.json",
      lockArgs: ["install", "--package-lock-only", "--ignore-scripts", "--no-audit"],
      installArgs: ["ci", "--ignore-scripts", "--no-audit", "--no-fund"],
    }),
  ];
}

async function writeProject(folder: string, dependencies: Record<string, string>): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "peer", version: "1.0.0", dependencies }));
}

/** With everything that it keeps below `folder`'s own home. */
export async function measured(
  command: string,
  args: readonly string[],
  folder: string,
  env: Record<string, string> = {},
): Promise<Measured> {
  const home = `${folder}.home`;
  await mkdir(home, { recursive: true });
  const startedAt = performance.now();
  const child = Bun.spawn([command, ...args], {
    cwd: folder,
    env: {
      PATH: process.env.PATH ?? "",
      HOME: home,
      XDG_DATA_HOME: join(home, "data"),
      XDG_CACHE_HOME: join(home, "cache"),
      BUN_INSTALL_CACHE_DIR: join(home, "bun"),
      npm_config_cache: join(home, "npm"),
      npm_config_store_dir: join(home, "pnpm"),
      npm_config_update_notifier: "false",
      // Else pnpm judges ages by the time that the registry's packuments tell.
      npm_config_minimum_release_age: "0",
      CI: "true",
      ...env,
    },
    stdout: "pipe",
    stderr: "pipe",
  });
  let peakBytes = 0;
  // Not its resource usage: that counts what this process had when it forked.
  const watching = setInterval(() => {
    peakBytes = Math.max(peakBytes, greatestResidentBytes(child.pid));
  }, 10);
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  const ms = performance.now() - startedAt;
  clearInterval(watching);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} in ${folder} ended with ${code}\n${stdout}\n${stderr}`);
  return { ms, peakBytes };
}

/** So far; 0 where the system does not say, or the process is gone. */
function greatestResidentBytes(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  } catch {
    // Gone.
    return 0;
  }
}
