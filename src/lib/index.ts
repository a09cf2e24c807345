// What has no domain: clock, log, errors of the system, waiting, atomic files, liveness and locks between processes.
// Imports nothing of Larder. Everything here works on Bun and on Node ≥ 20.

export { syncDirectory, writeFileAtomic } from "./atomic-write.ts";
export { type BatchOptions, createBatcher } from "./batcher.ts";
export { type Clock, systemClock, timestamp } from "./clock.ts";
export { acquireDirectoryLock, type LockAttempt, type LockHolder } from "./directory-lock.ts";
export { errnoOf, undefinedOn } from "./errno.ts";
/** @internal For tests. */
export { armFailpoints, failpoint } from "./failpoint.ts";
export { isAlive, type Liveness, openLiveness } from "./liveness.ts";
export { type Logger, type LogLevel, silentLogger } from "./logger.ts";
export { mapConcurrent } from "./map-concurrent.ts";
export { Mutex } from "./mutex.ts";
export { backoffMs, jittered, sleep } from "./sleep.ts";
export { createSlots, type Slots } from "./slots.ts";
