import { availableParallelism } from "node:os";
import type { PackageJob } from "./package-job.ts";
import type { Tarball } from "./pull-tarballs.ts";
import { unpackPackage, unpackPackageNow } from "./unpack-package.ts";
import { openUnpackPool, type UnpackPool } from "./unpack-pool.ts";

/** Makes packages from tarballs, each where that is quickest. */
export interface Unpacker extends AsyncDisposable {
  /** Answers how many packed bytes there were. A tarball in memory is given away. */
  unpack(job: PackageJob, tarball: Tarball): Promise<number>;
}

/** Two threads are ready after the time that a dozen small packages take. */
const fewestForThreads = 12;
/** More than the cores gain nothing; more than this wait for the disk and take memory. */
const mostThreads = 4;
/** Unpacked in less time than it takes to hand it to the thread pool and back, and too little to hold up anything else. */
const smallBytes = 64 * 1024;

export function openUnpacker(tarballs: number, signal: AbortSignal): Unpacker {
  const threads = Math.min(mostThreads, availableParallelism());
  let pool: UnpackPool | undefined;
  if (tarballs >= fewestForThreads && threads > 1) pool = openUnpackPool({ threads });
  return {
    async unpack(job, tarball) {
      if (!(tarball instanceof Uint8Array)) return unpackPackage(job, tarball, signal);
      if (pool) return pool.unpack(job, tarball);
      const packedBytes = tarball.length <= smallBytes ? unpackPackageNow(job, tarball) : undefined;
      return packedBytes ?? unpackPackage(job, tarball, signal);
    },
    async [Symbol.asyncDispose]() {
      await pool?.[Symbol.asyncDispose]();
    },
  };
}
