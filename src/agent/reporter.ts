import { statfs } from "node:fs/promises";
import type { ErrorBody, HostPhase, HostReport, Progress } from "../contract/index.ts";
import { countRuns, currentTree, type HostStore } from "../host/index.ts";
import type { Logger } from "../lib/index.ts";
import type { ControlPlane } from "./control-plane.ts";

export interface HostCondition {
  phase: HostPhase;
  error?: ErrorBody;
  progress?: Progress;
}

export interface Reporter {
  /** Sends what changed, or anything when the last report is older than the heartbeat. A report that is lost is not an error. */
  report(condition: HostCondition, signal: AbortSignal): Promise<void>;
  /** Sends it soon, unless a newer one replaces it, and never more often than the throttle. */
  progress(progress: Progress, signal: AbortSignal): void;
}

export interface ReporterOptions {
  store: HostStore;
  controlPlane: ControlPlane;
  agentVersion: string;
  logger: Logger;
  /** Default 60 s. */
  heartbeatMs?: number;
  /** Default 500 ms. */
  throttleMs?: number;
}

export function createReporter(options: ReporterOptions): Reporter {
  const { store, controlPlane, agentVersion, logger, heartbeatMs = 60_000, throttleMs = 500 } = options;
  let lastText = "";
  let lastAt = Number.NEGATIVE_INFINITY;
  let sending: Promise<void> = Promise.resolve();
  let isSending = false;

  const send = async (condition: HostCondition, signal: AbortSignal) => {
    isSending = true;
    try {
      const report = await describe(store, agentVersion, condition);
      const { freeBytes: _, ...telling } = report;
      const text = JSON.stringify(telling);
      if (text === lastText && performance.now() - lastAt < heartbeatMs) return;
      await controlPlane.report(report, signal);
      lastText = text;
      lastAt = performance.now();
    } catch (error) {
      lastText = "";
      if (!signal.aborted) logger.debug({ err: error }, "could not report");
    } finally {
      isSending = false;
    }
  };

  return {
    async report(condition, signal) {
      await sending;
      sending = send(condition, signal);
      await sending;
    },
    progress(progress, signal) {
      if (isSending || performance.now() - lastAt < throttleMs) return;
      sending = send({ phase: "syncing", progress }, signal);
    },
  };
}

async function describe(store: HostStore, agentVersion: string, condition: HostCondition): Promise<HostReport> {
  const [tree, runsInFlight, freeBytes] = await Promise.all([
    currentTree(store),
    countRuns(store),
    statfs(store.directory).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => undefined,
    ),
  ]);
  return {
    ...condition,
    generation: tree?.generation ?? 0,
    ...(tree ? { lockfileHash: tree.lockfileHash } : {}),
    platform: store.platform,
    agentVersion,
    runsInFlight,
    ...(freeBytes === undefined ? {} : { freeBytes }),
  };
}
