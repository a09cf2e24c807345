import { lstatSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

export interface ScratchUsage {
  files: number;
  sizeBytes: number;
}

/** What lies below `directory`; counting ends once there is more than `limits`. What vanishes meanwhile does not count. */
export async function scratchUsage(
  directory: string,
  limits: ScratchUsage,
  used = { files: 0, sizeBytes: 0 },
): Promise<ScratchUsage> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    used.files += entries.length;
    for (const entry of entries) {
      if (used.files > limits.files || used.sizeBytes > limits.sizeBytes) return used;
      const path = join(directory, entry.name);
      if (entry.isDirectory()) await scratchUsage(path, limits, used);
      else used.sizeBytes += lstatSync(path).blocks * 512;
    }
  } catch {
    // Removed while it was read, or made unreadable by the script: what was counted stands.
  }
  return used;
}
