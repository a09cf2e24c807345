import { constants, copyFileSync, linkSync } from "node:fs";
import { dirname, join } from "node:path";
import { errnoOf } from "../lib/index.ts";
import { createFolderMaker } from "./file-writer.ts";
import type { RecordedFile } from "./record.ts";

/** Gives one package's files to another of the same tarball. */
export interface FileSharer {
  /** `into` must exist and be empty. */
  share(from: string, into: string, files: readonly RecordedFile[]): void;
}

/** Hard links where the file system has them, found out with the first file; copies elsewhere. */
export function createFileSharer(): FileSharer {
  let links = true;
  const give = (from: string, to: string): void => {
    if (links) {
      try {
        linkSync(from, to);
        return;
      } catch (error) {
        const code = errnoOf(error) ?? "";
        if (!["EPERM", "EXDEV", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(code)) throw error;
        // EMLINK is this file's alone: it has as many names as it can.
        links = code === "EMLINK";
      }
    }
    copyFileSync(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  };
  return {
    share(from, into, files) {
      const makeFolder = createFolderMaker(into);
      for (const { path } of files) {
        const target = join(into, path);
        makeFolder(dirname(target));
        give(join(from, path), target);
      }
    },
  };
}
