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
  /** Sends it when the throttle allows, unless something newer came until then. */
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
  let latest: Progress | undefined;
  let later: NodeJS.Timeout | undefined;

  const send = async (condition: HostCondition, signal: AbortSignal) => {
    try {
      const report = await describe(store, agentVersion, condition);
      const { freeBytes: _, ...telling } = report;
      const text = JSON.stringify(telling);
      if (text === lastText && performance.now() - lastAt < heartbeatMs) return;
      lastAt = performance.now();
      await controlPlane.report(report, signal);
      lastText = text;
    } catch (error) {
      lastText = "";
      if (!signal.aborted) logger.debug({ err: error }, "could not report");
    }
  };
  const enqueue = (condition: () => HostCondition | undefined, signal: AbortSignal): Promise<void> => {
    sending = sending.then(async () => {
      const current = condition();
      if (current) await send(current, signal);
    });
    return sending;
  };

  return {
    report(condition, signal) {
      clearTimeout(later);
      later = latest = undefined;
      return enqueue(() => condition, signal);
    },
    progress(progress, signal) {
      latest = progress;
      later ??= setTimeout(
        () => {
          later = undefined;
          void enqueue(() => latest && { phase: "syncing", progress: latest }, signal);
        },
        Math.max(0, lastAt + throttleMs - performance.now()),
      );
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
