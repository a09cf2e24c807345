// A thread of `openUnpackPool`. Imports only what loads quickly: no schemas, no logger.
import { parentPort } from "node:worker_threads";
import { LarderError } from "../contract/bare.ts";
import type { PackageJob } from "./package-job.ts";
import { unpackPackage, unpackPackageNow } from "./unpack-package.ts";

export interface ThreadTask {
  id: number;
  job: PackageJob;
  content: Uint8Array;
}

/** Errors lose their class and their own members on the way between threads. */
export type ThreadFailure =
  | { kind: "larder"; body: ReturnType<LarderError["toBody"]>; retryable: boolean }
  | { kind: "other"; message: string; members: { code?: string; path?: string; syscall?: string } };

export type ThreadAnswer = { id: number; packedBytes: number } | { id: number; failure: ThreadFailure } | { id: 0 };

const port = parentPort;
port?.on("message", async ({ id, job, content }: ThreadTask) => {
  try {
    const packedBytes = unpackPackageNow(job, content) ?? (await unpackPackage(job, content));
    port.postMessage({ id, packedBytes } satisfies ThreadAnswer);
  } catch (error) {
    port.postMessage({ id, failure: flatten(error) } satisfies ThreadAnswer);
  }
});
port?.postMessage({ id: 0 } satisfies ThreadAnswer);

function flatten(error: unknown): ThreadFailure {
  if (error instanceof LarderError) return { kind: "larder", body: error.toBody(), retryable: error.retryable };
  const { message, code, path, syscall } = error as NodeJS.ErrnoException;
  const members = { ...(code && { code }), ...(path && { path }), ...(syscall && { syscall }) };
  return { kind: "other", message: message ?? String(error), members };
}
