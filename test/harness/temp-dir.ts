import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TempDir extends AsyncDisposable {
  path: string;
  /** A path inside. */
  join(...parts: string[]): string;
}

/** `await using dir = await openTempDir();`: gone at the end of the block, with everything in it. */
export async function openTempDir(label = "test"): Promise<TempDir> {
  const path = await realpath(await mkdtemp(join(tmpdir(), `larder-${label}-`)));
  return {
    path,
    join: (...parts) => join(path, ...parts),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 }),
  };
}
