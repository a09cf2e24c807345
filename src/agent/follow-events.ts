import { type DesiredOffer, hasCode, LarderError } from "../contract/for-hosts.ts";
import { backoffMs, type Logger, sleep } from "../lib/index.ts";
import type { ControlPlane } from "./control-plane.ts";
import { createSeldomLog } from "./log-seldom.ts";
import type { StreamTrust } from "./stream-trust.ts";

interface FollowOptions {
  /** `offer`: the desired state, if the event brought it. */
  wake(offer?: DesiredOffer): void;
  onRun(): void;
  trust: StreamTrust;
  logger: Logger;
  signal: AbortSignal;
  /** Default 1 s. */
  greetingMs?: number;
}

/**
 * Calls `wake` for each event that asks a host to look, and when a stream begins: with what the control plane says at its beginning, or after `greetingMs` if
 * it says nothing. `onRun` for each script that waits. Ends when `signal` aborts; never throws.
 */
export async function followEvents(controlPlane: ControlPlane, options: FollowOptions): Promise<void> {
  const { wake, onRun, trust, logger, signal, greetingMs = 1000 } = options;
  const failureLog = createSeldomLog(logger);
  for (let failures = 0; !signal.aborted; ) {
    const startedAt = performance.now();
    let askedMs = 0;
    let maxMs = 30_000;
    let later: NodeJS.Timeout | undefined;
    const wakeIn = (ms: number, offer?: DesiredOffer) => {
      clearTimeout(later);
      if (ms > 0) later = setTimeout(() => wake(offer), ms);
      else wake(offer);
    };
    try {
      let opened = false;
      const onOpen = () => {
        trust.opened();
        failureLog.forget();
        wakeIn(greetingMs);
        opened = true;
      };
      for await (const event of controlPlane.events(signal, onOpen, trust.heard)) {
        if (event.type === "desired") trust.told(event.generation);
        if (event.type === "desired") wakeIn(Math.random() * (event.spreadMs ?? 0), event.offer);
        if (event.type === "reconcile") wakeIn(0);
        if (event.type === "run") onRun();
      }
      if (!opened) logger.debug("the event stream ended before it began");
    } catch (error) {
      if (signal.aborted) return;
      const quiet = hasCode(error, "E_SERVER_UNREACHABLE", "E_OVERLOADED", "E_NOT_READY");
      askedMs = retryAfterOf(error);
      if (hasCode(error, "E_UNAUTHENTICATED")) maxMs = 300_000;
      const message = "no events from the control plane; polling goes on";
      if (quiet) logger.debug({ err: error }, message);
      else failureLog.say("warn", { err: error }, message);
    } finally {
      trust.ended();
      // The next stream begins with what is wanted then, and there is the poll.
      clearTimeout(later);
    }
    failures = performance.now() - startedAt > 30_000 ? 1 : failures + 1;
    const pauseMs = askedMs > 0 ? askedMs * (1 + 0.2 * Math.random()) : 200 + backoffMs(failures, { baseMs: 500, maxMs });
    await sleep(pauseMs, signal).catch(() => undefined);
  }
}

function retryAfterOf(error: unknown): number {
  const said = error instanceof LarderError ? error.details?.retryAfterMs : undefined;
  return typeof said === "number" ? said : 0;
}
