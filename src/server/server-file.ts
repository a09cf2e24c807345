import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, timestamp, undefinedOn, writeFileAtomic } from "../lib/index.ts";

/** `control/server.json`, by which commands on this machine find the server. There exactly while it serves. */
export async function writeServerFile(
  controlDirectory: string,
  { url, clock }: { url: string; clock: Clock },
): Promise<AsyncDisposable> {
  const path = join(controlDirectory, "server.json");
  const content = `${JSON.stringify({ url, pid: process.pid, startedAt: timestamp(clock) })}\n`;
  await writeFileAtomic(path, content);
  return {
    async [Symbol.asyncDispose]() {
      // Another server on this directory may have written its own meanwhile.
      if ((await undefinedOn(["ENOENT"], readFile(path, "utf8"))) === content) await rm(path, { force: true });
    },
  };
}
