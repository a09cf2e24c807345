import { hostname } from "node:os";
import { type DesiredOffer, type ErrorBody, type HostPhase, hasCode, LarderError } from "../contract/for-hosts.ts";
import { currentTree, type HostStore, isSettled, type SweepOptions, type TreeRef } from "../host/index.ts";
import { jittered, type Logger, silentLogger, sleep } from "../lib/index.ts";
import { scrub } from "./check-after-boot.ts";
import type { ControlPlane } from "./control-plane.ts";
import { createControlPlaneClient } from "./control-plane-client.ts";
import { followEvents } from "./follow-events.ts";
import { createSeldomLog } from "./log-seldom.ts";
import type { ReconcileResult } from "./pass.ts";
import { type Pause, pauseAfter } from "./pause-after.ts";
import { createReconcileMemory } from "./reconcile-memory.ts";
import { reconcileOnce } from "./reconcile-once.ts";
import { createReporter } from "./reporter.ts";
import { restUntilDue } from "./rest.ts";
import { createSentRuns, type ScriptRunner } from "./sent-runs.ts";
import { createStoreLock, type StoreLock } from "./store-lock.ts";
import { createStreamTrust } from "./stream-trust.ts";
import { createWake } from "./wake.ts";

export interface AgentOptions {
  store: HostStore;
  server: URL;
  /** What to join with; a host that has joined needs none. */
  token?: string | undefined;
  /** What to be called, when the token leaves it open. Default: this machine's name. */
  name?: string | undefined;
  /** Default: "unknown". */
  agentVersion?: string;
  logger?: Logger;
  /** Default: a client for `server`. */
  controlPlane?: ControlPlane;
  /** Time between two looks when no event comes, jittered; up to four times as long, a minute at most, while the stream of events can be relied upon. Default 15 s. */
  pollMs?: number;
  /** About so long between two reports when nothing changes. Default 60 s. */
  heartbeatMs?: number;
  /** What old trees are kept for, and how much. Default: nothing but the current tree and the one before. */
  sweep?: Pick<SweepOptions, "graceMs" | "quotaBytes">;
  /** From the end of one look at every file to the beginning of the next, jittered. Default a day. */
  scrubIntervalMs?: number;
  /** How fast that reads; 0: never. Default 8 MiB/s. */
  scrubBytesPerSecond?: number;
  /** Runs what users of the control plane send here. Default: it is refused. */
  runScript?: ScriptRunner;
  /** Waits so long for the store's lock. Default 0. */
  waitMs?: number;
}

export interface AgentStatus {
  phase: HostPhase;
  /** What scripts run against. */
  tree?: TreeRef;
  error?: ErrorBody;
  /** The control plane did not answer last time: the tree may not be the newest. */
  stale: boolean;
}

/** Keeps one store converged until it is disposed, which stops it within moments, whatever it is doing. */
export interface Agent extends AsyncDisposable {
  status(): AgentStatus;
  /** The outcome of a pass that begins after this call. */
  reconcile(): Promise<ReconcileResult>;
}

/**
 * Takes the store's lock for its lifetime: `E_LOCKED` says who holds it. A disk that is full or read-only at the start is told in `status` and reported, scripts that
 * are sent here run, and the lock is taken once the disk lets it. An ordinary failure never ends an agent.
 */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { store, logger = silentLogger, waitMs = 0 } = options;
  const lock = createStoreLock(store);
  await lock.writer(waitMs).catch((error) => {
    if (!isDiskError(error)) throw error;
  });
  try {
    const tree = await currentTree(store);
    logger.info({ generation: tree?.generation ?? 0, directory: store.directory }, "agent started");
    return runAgent({ ...options, logger, lock, tree });
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error;
  }
}

const isDiskError = (error: unknown): boolean =>
  (["E_NO_SPACE", "E_READ_ONLY", "E_PERMISSION", "E_STORE_UNAVAILABLE"] as const).some((code) => hasCode(error, code));

interface Waiter {
  resolve(result: ReconcileResult): void;
  reject(error: LarderError): void;
}

interface Running extends AgentOptions {
  logger: Logger;
  lock: StoreLock;
  tree: TreeRef | undefined;
}

function runAgent(running: Running): Agent {
  const { store, server, agentVersion = "unknown", logger, lock, tree, pollMs = 15_000, heartbeatMs } = running;
  const controlPlane = running.controlPlane ?? createControlPlaneClient({ server, store });
  const reporter = createReporter({ store, controlPlane, agentVersion, logger, ...(heartbeatMs ? { heartbeatMs } : {}) });
  const stop = new AbortController();
  const { signal } = stop;
  const wake = createWake();
  const trust = createStreamTrust();
  const memory = createReconcileMemory();
  const failureLog = createSeldomLog(logger);
  let refusals = 0;
  /** A repair waits for it; a disk that cannot be read is for the pass to say. */
  const isWanted = () =>
    isSettled(store.layout).then(
      (settled) => !settled,
      () => true,
    );
  let waiters: Waiter[] = [];
  let status: AgentStatus = { phase: tree ? "ready" : "pending", stale: false, ...(tree ? { tree } : {}) };

  const pass = async () =>
    reconcileOnce({
      writer: await lock.writer(),
      controlPlane,
      server,
      token: running.token,
      name: running.name ?? hostname(),
      agentVersion,
      logger,
      memory,
      signal,
      ...(running.sweep ? { sweep: running.sweep } : {}),
      onProgress(progress) {
        if (progress.total === 0) return;
        status = { ...status, phase: "syncing" };
        reporter.progress(progress, signal);
      },
    });

  const look = async (failures: number): Promise<Pause & { failures: number }> => {
    const waiting = waiters;
    waiters = [];
    try {
      const result = await pass();
      failureLog.forget();
      refusals = 0;
      status = { phase: result.tree ? "ready" : "pending", stale: false, ...(result.tree ? { tree: result.tree } : {}) };
      trust.found(result.tree?.generation ?? 0);
      if (result.kind === "flipped") logFlip(logger, result);
      for (const waiter of waiting) waiter.resolve(result);
      await reporter.report({ phase: status.phase }, signal);
      return { failures: 0, holdMs: 0, waitMs: jittered(pollMs) };
    } catch (thrown) {
      const error = LarderError.from(thrown);
      for (const waiter of waiting) waiter.reject(error);
      if (signal.aborted) return { failures, holdMs: 0, waitMs: 0 };
      const isAway = error.code === "E_SERVER_UNREACHABLE";
      status = { ...status, phase: "error", error: error.toBody(), stale: isAway };
      const { generation } = status.tree ?? { generation: 0 };
      const facts = { err: error, code: error.code, generation };
      failureLog.say(isAway ? "warn" : "error", facts, "could not reconcile; serving what is here");
      refusals = error.code === "E_UNAUTHENTICATED" ? refusals + 1 : 0;
      // Who was put off has nothing to say that the control plane does not know, and a herd of reports would put off others.
      if (typeof error.details?.retryAfterMs !== "number")
        await reporter.report({ phase: "error", error: error.toBody() }, signal);
      return { failures: failures + 1, ...pauseAfter(error, { failures: failures + 1, refusals, pollMs }) };
    }
  };

  const loop = async () => {
    for (let failures = 0; !signal.aborted; ) {
      const next = await look(failures);
      failures = next.failures;
      if (next.holdMs > 0) await sleep(next.holdMs, signal).catch(() => undefined);
      if (failures > 0) await wake.wait(next.waitMs, signal);
      else await restUntilDue({ waitMs: next.waitMs, pollMs, wake, trust, isWanted, signal });
    }
  };
  const runs = createSentRuns({ controlPlane, runScript: running.runScript, logger, signal });
  const wakeWith = (offer?: DesiredOffer) => {
    memory.offer = offer;
    wake.wake();
  };
  const tasks = Promise.all([
    loop(),
    followEvents(controlPlane, { wake: wakeWith, onRun: runs.look, trust, logger, signal }),
    scrubNowAndThen(running, { wake: wake.wake, signal }),
  ]);
  return {
    status: () => status,
    reconcile() {
      if (signal.aborted) return Promise.reject(stopped());
      return new Promise((resolve, reject) => {
        waiters.push({ resolve, reject });
        wake.wake();
      });
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await tasks;
      await runs.ended();
      for (const waiter of waiters) waiter.reject(stopped());
      await lock[Symbol.asyncDispose]();
      logger.info("agent stopped");
    },
  };
}

async function scrubNowAndThen(
  { lock, logger, scrubIntervalMs = day, scrubBytesPerSecond = 8 * mebibyte }: Running,
  { wake, signal }: { wake(): void; signal: AbortSignal },
): Promise<void> {
  if (scrubBytesPerSecond === 0) return;
  while (!signal.aborted) {
    try {
      await sleep(jittered(scrubIntervalMs), signal);
      if (await scrub(await lock.writer(), { bytesPerSecond: scrubBytesPerSecond, logger, signal })) wake();
    } catch (error) {
      if (!signal.aborted) logger.warn({ err: error }, "could not scrub the store");
    }
  }
}

const day = 86_400_000;
const mebibyte = 1024 * 1024;

const stopped = (): LarderError => new LarderError("E_CANCELLED", "The agent was stopped.");

function logFlip(
  logger: Logger,
  { tree, pulledBlobs, pulledBytes, packagesBuilt, timingsMs, unavailable }: ReconcileResult,
): void {
  logger.info(
    { generation: tree?.generation, lockfileHash: tree?.lockfileHash, pulledBlobs, pulledBytes, packagesBuilt, timingsMs },
    "flipped",
  );
  if (unavailable.length > 0) logger.warn({ unavailable }, "some packages are not available on this platform");
}
