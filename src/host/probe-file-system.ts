import { lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LarderError } from "../contract/for-hosts.ts";
import { errnoOf } from "../lib/index.ts";
import type { StoreLayout } from "./layout.ts";
import { incomingPath } from "./staging.ts";

/** What a store's file system can do. Hard links are found out when the first one is made. */
export interface FileSystemTraits {
  /** `Foo` and `foo` are two files. */
  caseSensitive: boolean;
}

/** Tries it out. Throws `E_CONFIG` for a file system that cannot hold a store. */
export function probeFileSystem(layout: StoreLayout): FileSystemTraits {
  const directory = incomingPath(layout);
  mkdirSync(directory, { mode: 0o755 });
  try {
    writeFileSync(join(directory, "Probe"), "");
    if (!readdirSync(directory).includes("Probe")) throw unfit(layout, "changes the names of files");
    try {
      symlinkSync("Probe", join(directory, "link"));
    } catch (error) {
      if (!["EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"].includes(errnoOf(error) ?? "")) throw error;
      throw unfit(layout, "has no symbolic links");
    }
    return { caseSensitive: lstatSync(join(directory, "pROBE"), { throwIfNoEntry: false }) === undefined };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const unfit = ({ directory }: StoreLayout, what: string): LarderError =>
  new LarderError("E_CONFIG", `The file system of ${directory} ${what}; a store cannot be kept on it.`, {
    hint: "Name a data directory on another file system with --data-dir: ext4, xfs, btrfs, tmpfs or APFS, say.",
    details: { path: directory },
  });
