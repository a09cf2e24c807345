import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";

/**
 * Where there are no namespaces, a run's processes are known by two resource limits with odd values: everything that a process starts inherits
 * them, through `setsid`, a second fork and a cleared environment, and nobody can raise them again.
 */
export interface RunMark {
  /** Added to the size that a file may have, in blocks of 512 bytes. */
  fileBlocks: number;
  /** The hard limit on core files, of which none are written; absent where this process may not set it. */
  coreBlocks: number | undefined;
}

export function createRunMark(): RunMark {
  const random = randomBytes(6);
  const fileBlocks = 1 + (random.readUInt16BE(0) % 65_535);
  const hardCore = /^Max core file size\s+\S+\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  return { fileBlocks, coreBlocks: hardCore === "unlimited" ? 1 + random.readUInt32BE(2) : undefined };
}

/** Tells by a process's `/proc/<pid>/limits` whether it is of the run with this mark. */
export function bearsMark(limits: string, { fileBlocks, coreBlocks }: RunMark, fileMb: number): boolean {
  const hardOf = (name: string) => Number(new RegExp(`^Max ${name}\\s+\\S+\\s+(\\d+)`, "m").exec(limits)?.[1] ?? -1);
  return (
    hardOf("file size") === (fileMb * 2048 + fileBlocks) * 512 &&
    (coreBlocks === undefined || hardOf("core file size") === coreBlocks * 512)
  );
}
