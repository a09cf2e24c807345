import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type ErrorCode, LarderError } from "../contract/index.ts";
import { errnoOf } from "../lib/index.ts";

const refusals: Record<string, [code: ErrorCode, because: string, hint: string]> = {
  EROFS: ["E_READ_ONLY", "the file system is read-only", "Mount it writable, or name another directory with --data-dir."],
  EACCES: [
    "E_PERMISSION",
    "permission denied",
    "Let the user that runs Larder own it, or name another directory with --data-dir.",
  ],
  EPERM: ["E_PERMISSION", "not permitted", "Let the user that runs Larder own it, or name another directory with --data-dir."],
  ENOSPC: ["E_NO_SPACE", "the disk has no room or no inodes left", "Free some space, or name another directory with --data-dir."],
  EDQUOT: ["E_NO_SPACE", "the disk quota is used up", "Free some space, or name another directory with --data-dir."],
  ENOTDIR: ["E_CONFIG", "a part of its path is a file", "Name a directory with --data-dir."],
  EEXIST: ["E_CONFIG", "a file is in its place", "Name a directory with --data-dir."],
  ENOENT: ["E_CONFIG", "no directory can be made there", "Name another directory with --data-dir."],
  ENAMETOOLONG: ["E_CONFIG", "its path is too long", "Name another directory with --data-dir."],
};

/**
 * `control` in the data directory: it holds keys and the database, and is for this user only, also when it was made otherwise. A data directory
 * made on the way is for nobody else to write to, whatever the umask says. Throws what is wrong with the place as a `LarderError`.
 */
export async function openControlDirectory(dataDirectory: string): Promise<string> {
  const path = join(dataDirectory, "control");
  try {
    await mkdir(dataDirectory, { recursive: true, mode: 0o755 });
    await mkdir(path, { recursive: true, mode: 0o700 });
    await chmod(path, 0o700);
  } catch (cause) {
    const refusal = refusals[errnoOf(cause) ?? ""];
    if (refusal === undefined) throw cause;
    const [code, because, hint] = refusal;
    throw new LarderError(code, `${dataDirectory} cannot be used as data directory: ${because}.`, {
      hint,
      details: { path: dataDirectory },
      cause,
    });
  }
  return path;
}
