import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import type { Platform } from "../contract/for-hosts.ts";

/** This machine in npm's words. */
export function detectPlatform(): Platform {
  const base = { os: process.platform as string, cpu: process.arch as string };
  return process.platform === "linux" ? { ...base, libc: detectLibc() } : base;
}

/** The loader that this very runtime was started by: what a native module must have been built for. */
function detectLibc(): "glibc" | "musl" {
  const start = readStart(process.execPath);
  if (start.includes("ld-musl-")) return "musl";
  if (/ld-linux|ld64?\.so/.test(start)) return "glibc";
  try {
    return readdirSync("/lib").some((name) => name.startsWith("ld-musl-")) ? "musl" : "glibc";
  } catch {
    // No /lib: nothing says musl.
    return "glibc";
  }
}

/** An ELF file names its loader near its start. */
function readStart(path: string): string {
  const buffer = Buffer.alloc(8192);
  try {
    const file = openSync(path, "r");
    try {
      return buffer.toString("latin1", 0, readSync(file, buffer));
    } finally {
      closeSync(file);
    }
  } catch {
    // An unreadable executable: the caller looks elsewhere.
    return "";
  }
}
