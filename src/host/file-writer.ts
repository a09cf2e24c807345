import { createHash, type Hash } from "node:crypto";
import { chmodSync, closeSync, fchmodSync, futimesSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { ArchiveFile, ArchiveSink } from "../archive/index.ts";
import type { RecordedFile } from "./record.ts";

/** Writes a package's files below a fresh folder, read-only, and hashes them as they pass. */
export interface FileWriter extends ArchiveSink {
  readonly files: RecordedFile[];
  /** Closes the file that an interrupted archive left open. */
  close(): void;
}

export const fileMode = (executable: boolean): number => (executable ? 0o555 : 0o444);

/** 1985-10-26T08:15:00Z, npm's own choice: what an archive says of time does not count, and all hosts agree. */
const fileTimeSeconds = 499_162_500;

/** `root` must exist, be empty and be nobody else's: paths are joined to it unresolved. */
export function createFileWriter(root: string): FileWriter {
  const files: RecordedFile[] = [];
  const makeFolder = createFolderMaker(root);
  /** A umask that takes away read or execute bits must not decide who can run what. */
  const setsModes = (process.umask() & 0o555) !== 0;
  let open: { file: ArchiveFile; descriptor: number; hash: Hash } | undefined;

  const close = (): void => {
    if (open) closeSync(open.descriptor);
    open = undefined;
  };

  return {
    files,
    close,
    beginFile(file) {
      const path = `${root}/${file.path}`;
      makeFolder(path.slice(0, path.lastIndexOf("/")));
      const mode = fileMode(file.executable);
      const descriptor = openSync(path, "wx", mode);
      open = { file, descriptor, hash: createHash("sha256") };
      if (setsModes) fchmodSync(descriptor, mode);
    },
    data(chunk) {
      if (!open) throw new Error("data without a file");
      open.hash.update(chunk);
      for (let written = 0; written < chunk.length; ) written += writeSync(open.descriptor, chunk, written);
    },
    endFile() {
      if (!open) throw new Error("the end of no file");
      const { file, hash, descriptor } = open;
      futimesSync(descriptor, fileTimeSeconds, fileTimeSeconds);
      close();
      const { path, sizeBytes, executable } = file;
      files.push({ path, sizeBytes, sha256: hash.digest("hex"), ...(executable ? { executable } : {}) });
    },
  };
}

/** Makes folders below `root` (0755), each once. */
export function createFolderMaker(root: string): (path: string) => void {
  const made = new Set([root]);
  const setsModes = (process.umask() & 0o755) !== 0;
  const make = (path: string): void => {
    if (made.has(path)) return;
    make(dirname(path));
    mkdirSync(path, 0o755);
    if (setsModes) chmodSync(path, 0o755);
    made.add(path);
  };
  return make;
}
