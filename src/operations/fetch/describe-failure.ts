import { type ErrorCode, hasCode, LarderError } from "../../contract/index.ts";
import { errnoOf } from "../../lib/index.ts";

const known: Record<string, readonly [code: ErrorCode, says: string, hint: string]> = {
  ENOSPC: ["E_NO_SPACE", "has no space left", "Free some space there."],
  EDQUOT: ["E_NO_SPACE", "has reached its quota", "Free some space there, or raise the quota."],
  EROFS: ["E_READ_ONLY", "is read-only", "Mount it writable, or name another directory with --data-dir."],
  EACCES: ["E_PERMISSION", "may not be written by this user", "Let the user that runs Larder own the data directory."],
  EPERM: ["E_PERMISSION", "may not be written by this user", "Let the user that runs Larder own the data directory."],
};

/** What a full, read-only or forbidden disk does to an install's working directory, in our words; anything else as it is. */
export function describeScratchError(thrown: unknown, directory: string): unknown {
  const entry = thrown instanceof LarderError ? undefined : known[errnoOf(thrown) ?? ""];
  if (entry === undefined) return thrown;
  const [code, says, hint] = entry;
  return new LarderError(code, `The working directory ${directory} ${says}.`, { hint, retryable: true, cause: thrown });
}

/** The blob store's own trouble, a full disk say, says which package met it. */
export function namingPackage(thrown: unknown, label: string): unknown {
  if (!hasCode(thrown, "E_NO_SPACE", "E_READ_ONLY", "E_PERMISSION", "E_STORE_UNAVAILABLE")) return thrown;
  const { code, message, hint, retryable, details } = thrown;
  return new LarderError(code, `${label}: ${message}`, {
    hint,
    retryable,
    details: { package: label, ...details },
    cause: thrown,
  });
}
