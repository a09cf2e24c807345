import { type ErrorCode, LarderError } from "../contract/index.ts";
import { errnoOf } from "../lib/index.ts";

const known: Record<string, readonly [code: ErrorCode, says: string, hint: string]> = {
  ENOSPC: ["E_NO_SPACE", "has no space left", "Free space there, or move the store."],
  EDQUOT: ["E_NO_SPACE", "has reached its quota", "Raise the quota, or move the store."],
  EROFS: ["E_READ_ONLY", "is read-only", "Mount it writable."],
  EACCES: ["E_PERMISSION", "may not be used by this process", "Give the user that Larder runs as access to it."],
  EPERM: ["E_PERMISSION", "may not be used by this process", "Give the user that Larder runs as access to it."],
  EIO: ["E_STORE_UNAVAILABLE", "has a hardware or network fault (EIO)", "Check the disk."],
  EMFILE: ["E_STORE_UNAVAILABLE", "cannot be used: too many files are open", "Raise the limit of open files."],
  ENFILE: ["E_STORE_UNAVAILABLE", "cannot be used: too many files are open", "Raise the limit of open files."],
  ENOENT: ["E_STORE_UNAVAILABLE", "is not there any more", "Mount it again, or restart Larder if it was emptied on purpose."],
  ENOTDIR: ["E_CONFIG", "is not a directory", "Choose another directory."],
};

/** A file system's error as ours, naming `directory`; any other error as it is. */
export function fsErrorAt(directory: string, error: unknown): unknown {
  const entry = known[errnoOf(error) ?? ""];
  if (entry === undefined || error instanceof LarderError) return error;
  const [code, says, hint] = entry;
  return new LarderError(code, `The blob store ${directory} ${says}.`, {
    hint,
    retryable: code === "E_STORE_UNAVAILABLE",
    cause: error,
  });
}
