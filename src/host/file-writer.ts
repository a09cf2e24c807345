import { createHash, type Hash } from "node:crypto";
import { chmodSync, closeSync, fchmodSync, futimesSync, mkdirSync, openSync, statSync, writeSync } from "node:fs";
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

/** `root` must exist, made as 0755, be empty and be nobody else's: paths are joined to it unresolved. */
export function createFileWriter(root: string): FileWriter {
  const files: RecordedFile[] = [];
  const makeFolder = createFolderMaker(root);
  const setsModes = isMasked(root);
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

/**
 * A umask that takes bits away must not decide who can run what. It shows at a folder made as 0755; asking for it would set it to 0 for a moment, and what any
 * other thread makes then, everyone may write to.
 */
const isMasked = (root: string): boolean => (statSync(root).mode & 0o777) !== 0o755;

/** Makes folders below `root` (0755), each once. */
export function createFolderMaker(root: string): (path: string) => void {
  const made = new Set([root]);
  const setsModes = isMasked(root);
  const make = (path: string): void => {
    if (made.has(path)) return;
    make(dirname(path));
    mkdirSync(path, 0o755);
    if (setsModes) chmodSync(path, 0o755);
    made.add(path);
  };
  return make;
}
