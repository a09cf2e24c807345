import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { describeScratchError } from "./fetch/describe-failure.ts";

/** A directory of an operation's own for as long as it works. One at a time: whatever else lies there is from one that was killed, and goes. */
export async function inScratch<T>(
  { scratchDirectory, id }: { scratchDirectory: string; id: string },
  work: (scratch: string) => Promise<T>,
): Promise<T> {
  const scratch = join(scratchDirectory, id);
  try {
    await rm(scratchDirectory, { recursive: true, force: true });
    await mkdir(scratch, { recursive: true, mode: 0o700 });
    return await work(scratch);
  } catch (error) {
    throw describeScratchError(error, scratchDirectory);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
