import { type ErrorCode, LarderError } from "../contract/for-hosts.ts";
import { errnoOf } from "../lib/index.ts";

interface Told {
  code: ErrorCode;
  says: string;
  hint: string;
}

const failingDisk: Told = {
  code: "E_STORE_UNAVAILABLE",
  says: "The disk fails to read or write",
  hint: "Look at the system's log for what the disk says; once it works, run: larder verify.",
};

const table: Record<string, Told> = {
  ENOSPC: {
    code: "E_NO_SPACE",
    says: "The disk has no room or no inodes left",
    hint: "Free some space; Larder goes on by itself.",
  },
  EDQUOT: {
    code: "E_NO_SPACE",
    says: "The disk quota is used up",
    hint: "Free some space or raise the quota; Larder goes on by itself.",
  },
  EROFS: {
    code: "E_READ_ONLY",
    says: "The file system is read-only",
    hint: "Mount it writable, or name another directory with --data-dir.",
  },
  EACCES: { code: "E_PERMISSION", says: "Permission denied", hint: "Let the user that runs Larder own the data directory." },
  EPERM: { code: "E_PERMISSION", says: "Not permitted", hint: "Let the user that runs Larder own the data directory." },
  EIO: failingDisk,
  // What Bun's `rm` makes of EIO.
  EFAULT: failingDisk,
  EMLINK: {
    code: "E_STORE_UNAVAILABLE",
    says: "A file or folder has as many links as its file system allows",
    hint: "Put the data directory on another file system.",
  },
  EMFILE: {
    code: "E_STORE_UNAVAILABLE",
    says: "This process has too many open files",
    hint: "Raise its limit (ulimit -n); Larder goes on by itself.",
  },
  ENFILE: {
    code: "E_STORE_UNAVAILABLE",
    says: "This machine has too many open files",
    hint: "Raise its limit (sysctl fs.file-max); Larder goes on by itself.",
  },
};

/** What a full, read-only or forbidden disk throws, as a `LarderError` that names the path; anything else as it is. */
export function describeDiskError(thrown: unknown, path: string): unknown {
  if (thrown instanceof LarderError) return thrown;
  const known = table[errnoOf(thrown) ?? ""];
  if (!known) return thrown;
  const failing = (thrown as NodeJS.ErrnoException).path ?? path;
  return new LarderError(known.code, `${known.says}: ${failing}.`, {
    hint: known.hint,
    retryable: true,
    details: { path: failing },
    cause: thrown,
  });
}

/** Runs `task`, describing the disk errors it throws; `path` is named when the error itself does not. */
export async function describeDiskErrors<T>(path: string, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    throw describeDiskError(error, path);
  }
}
