import { Worker } from "node:worker_threads";
import { LarderError } from "../contract/for-hosts.ts";
import type { PackageJob } from "./package-job.ts";
import { unpackPackage } from "./unpack-package.ts";
import type { ThreadAnswer, ThreadFailure, ThreadTask } from "./unpack-thread.ts";

/** Unpacks tarballs on several threads; on this one where threads cannot be started, in an executable that lacks their file, say. */
export interface UnpackPool extends AsyncDisposable {
  /** `unpackPackage`. `content` is given away. */
  unpack(job: PackageJob, content: Uint8Array): Promise<number>;
}

interface Waiting {
  job: PackageJob;
  content: Uint8Array;
  resolve(packedBytes: number): void;
  reject(error: unknown): void;
  /** Settles with the task, and never rejects. */
  answered: Promise<unknown>;
}

interface Thread {
  worker: Worker;
  isReady: boolean;
  /** What it was given and has not answered, by id. */
  given: Map<number, Waiting>;
}

/** One that is worked on and one that waits, so that a thread never stands idle between two. */
const perThread = 2;

export function openUnpackPool({ threads: count }: { threads: number }): UnpackPool {
  const waiting: Waiting[] = [];
  const threads: Thread[] = [];
  let lastId = 0;
  let closing = false;

  const feed = (): void => {
    if (closing) return;
    if (threads.length === 0) {
      for (const { job, content, resolve, reject } of waiting.splice(0)) unpackPackage(job, content).then(resolve, reject);
      return;
    }
    for (let depth = 1; depth <= perThread; depth++) {
      for (const { worker, isReady, given } of threads) {
        if (!isReady || given.size >= depth) continue;
        const next = waiting.shift();
        if (!next) return;
        given.set(++lastId, next);
        const { job, content } = next;
        const owned = content.byteLength === content.buffer.byteLength ? content : content.slice();
        worker.postMessage({ id: lastId, job, content: owned } satisfies ThreadTask, [owned.buffer as ArrayBuffer]);
      }
    }
  };
  const lose = (thread: Thread, cause: unknown): void => {
    const index = threads.indexOf(thread);
    if (index < 0) return;
    threads.splice(index, 1);
    // Its tarballs went with it; the next attempt fetches them again.
    const error = new LarderError("E_INTERNAL", "A thread that unpacks packages ended.", { retryable: true, cause });
    for (const { reject } of thread.given.values()) reject(error);
    thread.given.clear();
    feed();
  };
  const start = (): void => {
    try {
      const thread: Thread = { worker: new Worker(threadFile()), isReady: false, given: new Map() };
      thread.worker.on("message", (answer: ThreadAnswer) => {
        const task = thread.given.get(answer.id);
        thread.given.delete(answer.id);
        if (answer.id === 0) thread.isReady = true;
        else if ("failure" in answer) task?.reject(restored(answer.failure));
        else if ("packedBytes" in answer) task?.resolve(answer.packedBytes);
        feed();
      });
      thread.worker.on("error", (error) => lose(thread, error));
      thread.worker.on("exit", () => lose(thread, undefined));
      threads.push(thread);
    } catch {
      // This runtime has none: `feed` unpacks here.
    }
  };
  for (let started = 0; started < count; started++) start();

  return {
    unpack(job, content) {
      const { promise, resolve, reject } = withResolvers<number>();
      waiting.push({ job, content, resolve, reject, answered: promise.catch(() => undefined) });
      feed();
      return promise;
    },
    /** What is being unpacked is finished first: nothing writes to the store afterwards. */
    async [Symbol.asyncDispose]() {
      closing = true;
      for (const { reject } of waiting.splice(0)) reject(new LarderError("E_CANCELLED", "Cancelled."));
      await Promise.all(threads.flatMap(({ given }) => [...given.values()].map(({ answered }) => answered)));
      const ended = threads.splice(0);
      await Promise.all(ended.map(({ worker }) => worker.terminate()));
    },
  };
}

/** `Promise.withResolvers`, which Node 20 does not have. */
function withResolvers<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((...settle) => {
    [resolve, reject] = settle;
  });
  return { promise, resolve, reject };
}

/** Beside this file, in whichever language this one is. */
const threadFile = (): URL =>
  import.meta.url.endsWith(".ts")
    ? new URL("./unpack-thread.ts", import.meta.url)
    : new URL("./unpack-thread.js", import.meta.url);

function restored(failure: ThreadFailure): Error {
  if (failure.kind === "other") return Object.assign(new Error(failure.message), failure.members);
  const { code, message, hint, details } = failure.body;
  return new LarderError(code as LarderError["code"], message, { hint, details, retryable: failure.retryable });
}
