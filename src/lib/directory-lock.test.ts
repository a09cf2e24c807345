import { describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { acquireDirectoryLock } from "./directory-lock.ts";

const modulePath = join(import.meta.dir, "directory-lock.ts");

/** A process that takes the lock, prints `kind`, and stays. */
async function otherProcess(directory: string) {
  const script = `const { acquireDirectoryLock } = await import(${JSON.stringify(modulePath)});
    const attempt = await acquireDirectoryLock(${JSON.stringify(directory)}, { purpose: "other" });
    console.log(attempt.kind); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(child.stdout, "data");
  return { child, kind: String(line).trim() };
}

async function withDirectory(use: (directory: string) => Promise<void>) {
  const directory = await mkdtemp(join(tmpdir(), "larder-lock-"));
  try {
    await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

describe("a directory lock", () => {
  test("is held by one, says who holds it, and is free after disposal", () =>
    withDirectory(async (directory) => {
      const first = await acquireDirectoryLock(directory, { purpose: "first" });
      if (first.kind !== "acquired") throw new Error("not acquired");
      const second = await acquireDirectoryLock(directory, { purpose: "second" });
      expect(second).toMatchObject({ kind: "held", by: { pid: process.pid, purpose: "first" } });
      await first.lock[Symbol.asyncDispose]();
      const third = await acquireDirectoryLock(directory, { purpose: "third" });
      expect(third.kind).toBe("acquired");
      if (third.kind === "acquired") await third.lock[Symbol.asyncDispose]();
    }));

  test("dies with its holder, and is not stolen while the holder is merely stopped", () =>
    withDirectory(async (directory) => {
      const { child, kind } = await otherProcess(directory);
      expect(kind).toBe("acquired");
      child.kill("SIGSTOP");
      expect((await acquireDirectoryLock(directory, { purpose: "mine" })).kind).toBe("held");
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
      const attempt = await acquireDirectoryLock(directory, { purpose: "mine" });
      expect(attempt.kind).toBe("acquired");
      if (attempt.kind === "acquired") await attempt.lock[Symbol.asyncDispose]();
      const entries = await readdir(join(directory, ".lock"));
      expect(entries.filter((entry) => entry.endsWith(".sock"))).toEqual([]);
    }));

  test("goes to exactly one of many contenders, round after round, and leaves bounded files", () =>
    withDirectory(async (directory) => {
      for (let round = 0; round < 20; round++) {
        const attempts = await Promise.all(
          Array.from({ length: 20 }, (_, i) => acquireDirectoryLock(directory, { purpose: `${i}` })),
        );
        const won = attempts.filter((attempt) => attempt.kind === "acquired");
        expect(won.length).toBe(1);
        for (const attempt of won) await attempt.lock[Symbol.asyncDispose]();
      }
      expect((await readdir(join(directory, ".lock"))).length).toBeLessThanOrEqual(2);
    }));

  test("works in a directory whose path is longer than a socket address", () =>
    withDirectory(async (directory) => {
      const deep = join(directory, "d".repeat(120));
      const attempt = await acquireDirectoryLock(deep, { purpose: "deep" });
      expect(attempt.kind).toBe("acquired");
      expect((await acquireDirectoryLock(deep, { purpose: "again" })).kind).toBe("held");
      if (attempt.kind === "acquired") await attempt.lock[Symbol.asyncDispose]();
    }));
});
