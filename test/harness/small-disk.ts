import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file system of its own, with little room. */
export interface SmallDisk extends AsyncDisposable {
  path: string;
  /** Takes all room that is left, but for `sparedBytes`. */
  fill(sparedBytes?: number): Promise<void>;
  /** Gives back what `fill` took. */
  free(): Promise<void>;
  resize(sizeBytes: number): Promise<void>;
}

/** Why no file system can be mounted here; `undefined` when one can. */
export function whyNoSmallDisk(): string | undefined {
  if (process.platform !== "linux") return "tmpfs is Linux's";
  // In a mount namespace of its own, so that the question leaves nothing behind; root alone is not enough in many containers.
  return tryRun("unshare", ["--mount", "sh", "-c", "mount -t tmpfs -o size=64k tmpfs /mnt"]);
}

/** Mounted at `path`, which is made, or at a temporary directory. Unmounted and removed at the end, whatever still uses it. */
export async function openSmallDisk(sizeBytes: number, path?: string): Promise<SmallDisk> {
  const target = path ?? (await mkdtemp(join(tmpdir(), "larder-disk-")));
  await mkdir(target, { recursive: true });
  const failed = tryRun("mount", ["-t", "tmpfs", "-o", `size=${sizeBytes},mode=0700`, "tmpfs", target]);
  if (failed !== undefined) throw new Error(failed);
  const filler = join(target, "filler");
  return {
    path: target,
    async fill(sparedBytes = 0) {
      const file = await open(filler, "w");
      const chunk = Buffer.alloc(4096, "x");
      let written = 0;
      try {
        for (;;) written += (await file.write(chunk)).bytesWritten;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
        await file.truncate(Math.max(0, written - sparedBytes));
      } finally {
        await file.close();
      }
    },
    free: () => rm(filler, { force: true }),
    async resize(sizeBytes) {
      const failed = tryRun("mount", ["-o", `remount,size=${sizeBytes}`, target]);
      if (failed !== undefined) throw new Error(failed);
    },
    async [Symbol.asyncDispose]() {
      const stuck = tryRun("umount", ["--lazy", target]);
      if (stuck !== undefined) throw new Error(stuck);
      if (path === undefined) await rm(target, { recursive: true, force: true });
    },
  };
}

/** What went wrong, in words; `undefined` when nothing did. */
function tryRun(command: string, args: string[]): string | undefined {
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8", timeout: 10_000 });
  if (error) return `${command} cannot be started: ${error.message}`;
  return status === 0 ? undefined : `${command}: ${stderr.trim() || `ended with ${status}`}`;
}
