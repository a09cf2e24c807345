import { randomBytes } from "node:crypto";
import { statfs } from "node:fs/promises";
import { hostname } from "node:os";
import {
  type AgentSession,
  type ErrorBody,
  type HostPhase,
  type HostReport,
  keyIdOf,
  LarderError,
  type Progress,
} from "../contract/for-hosts.ts";
import { countRuns, currentBootId, currentTree, type HostStore, readAccepted, readIdentity } from "../host/index.ts";
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
  /** About so long between two reports of the same: looks, which they come with, are jittered. Default 60 s. */
  heartbeatMs?: number;
  /** Default 500 ms. */
  throttleMs?: number;
}

export function createReporter(options: ReporterOptions): Reporter {
  const { store, controlPlane, agentVersion, logger, heartbeatMs = 60_000, throttleMs = 500 } = options;
  const session = createSession();
  let lastText = "";
  let lastAt = Number.NEGATIVE_INFINITY;
  let sending: Promise<void> = Promise.resolve();
  let latest: Progress | undefined;
  let later: NodeJS.Timeout | undefined;
  /** For a report that the control plane has put off. */
  let again: NodeJS.Timeout | undefined;

  const send = async (condition: HostCondition, signal: AbortSignal) => {
    try {
      const report = await describe(store, agentVersion, condition);
      const { freeBytes: _, totalBytes: __, ...telling } = report;
      const text = JSON.stringify(telling);
      if (text === lastText && performance.now() - lastAt < 0.8 * heartbeatMs) return;
      lastAt = performance.now();
      await controlPlane.report({ ...report, session: await session.next() }, signal);
      lastText = text;
    } catch (error) {
      lastText = "";
      if (signal.aborted) return;
      logger.debug({ err: error }, "could not report");
      const askedMs = error instanceof LarderError ? error.details?.retryAfterMs : undefined;
      if (typeof askedMs !== "number") return;
      const repeat = () => void enqueue(() => (signal.aborted ? undefined : condition), signal);
      again = setTimeout(repeat, askedMs * (1 + 0.2 * Math.random()));
      again.unref();
    }
  };
  const enqueue = (condition: () => HostCondition | undefined, signal: AbortSignal): Promise<void> => {
    sending = sending.then(async () => {
      // What is said now is newer.
      clearTimeout(again);
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

/** Says which life of the agent a report is from: two machines that share a key take turns. */
function createSession(): { next(): Promise<AgentSession> } {
  const id = randomBytes(16).toString("hex");
  let sequence = 0;
  return {
    async next() {
      const bootId = await currentBootId();
      sequence += 1;
      return { id, sequence, ...(bootId === "" ? {} : { bootId }), hostname: hostname().slice(0, 255) };
    },
  };
}

async function describe(store: HostStore, agentVersion: string, condition: HostCondition): Promise<HostReport> {
  const [tree, runsInFlight, disk, accepted, identity] = await Promise.all([
    currentTree(store),
    countRuns(store),
    statfs(store.directory).catch(() => undefined),
    readAccepted(store),
    readIdentity(store),
  ]);
  return {
    ...condition,
    generation: tree?.generation ?? 0,
    ...(tree ? { lockfileHash: tree.lockfileHash } : {}),
    ...(accepted ? { accepted: accepted.generation } : {}),
    platform: store.platform,
    agentVersion,
    runsInFlight,
    ...(disk ? { freeBytes: disk.bavail * disk.bsize, totalBytes: disk.blocks * disk.bsize } : {}),
    ...(identity ? { trustedKeyId: await keyIdOf(identity.publicKey) } : {}),
    ...(identity?.nextKey ? { nextKeyId: identity.nextKey.keyId } : {}),
  };
}
