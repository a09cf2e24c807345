import { randomUUID } from "node:crypto";
import { type Host, type Id, LarderError, type RunRequestBody, type RunResult, silentAfterMs } from "../../contract/index.ts";
import { countWaitingRuns, dropRun, getRun, queueRun, recordAudit } from "../../db/index.ts";
import type { Principal } from "../auth/principal.ts";
import type { ServerContext } from "../context.ts";
import { formatNotice } from "../events/notice.ts";

/** For a host to take what waits for it. */
const claimMs = 20_000;
/** Beside the run itself: its start, its end, its answer's way. */
const graceMs = 30_000;
const defaultTimeoutMs = 30_000;
/** An event may be lost; this is how soon a host hears of it again. */
const remindMs = 1000;
const maxWaiting = 100;

export interface SentRun {
  host: Host;
  request: RunRequestBody;
  principal: Principal;
  signal: AbortSignal;
}

/**
 * Puts a script where the host takes it from, and waits. Any replica may have the caller, any other the host. Throws `E_HOST_AWAY` when the host does
 * not take it or goes silent with it, `E_BUSY`, and what the host refused it with. Nothing of the run is kept after that but who asked for it.
 */
export async function sendRun(context: ServerContext, { host, request, principal, signal }: SentRun): Promise<RunResult> {
  const { db } = context;
  assertPresent(host, context.clock.now());
  const id = `run-${randomUUID()}`;
  const timeoutMs = request.timeoutMs ?? defaultTimeoutMs;
  const expiresInMs = claimMs + timeoutMs + 2 * graceMs;
  await db.transaction(async (tx) => {
    if ((await countWaitingRuns(tx, host.id)) >= maxWaiting) {
      throw new LarderError("E_BUSY", `${maxWaiting} scripts wait for host ${host.id} already.`, {
        hint: "Try again when some of them have ended.",
        retryable: true,
      });
    }
    await queueRun(tx, { id, hostId: host.id, request, requestedBy: principal.subject, expiresInMs });
    const details = { run: id, ...(request.name ? { name: request.name } : {}), runtime: request.runtime ?? "bun" };
    await recordAudit(tx, { actor: principal.subject, action: "host.run", target: host.id, details });
    await db.notify(tx, formatNotice({ type: "run", hostId: host.id }));
  });
  try {
    return await waitForOutcome(context, { id, host, timeoutMs, signal });
  } finally {
    await dropRun(db.query, id);
  }
}

function assertPresent({ id, lastSeenAt }: Host, nowMs: number): void {
  if (lastSeenAt !== undefined && nowMs - Date.parse(lastSeenAt) < silentAfterMs) return;
  const since = lastSeenAt === undefined ? "has never been heard of" : `has not been heard of since ${lastSeenAt}`;
  throw new LarderError("E_HOST_AWAY", `Host ${id} ${since}.`, {
    hint: "Check that its agent runs and reaches this server: larder hosts list",
    retryable: true,
    details: { host: id, ...(lastSeenAt === undefined ? {} : { lastSeenAt }) },
  });
}

interface Waiting {
  id: Id;
  host: Host;
  timeoutMs: number;
  signal: AbortSignal;
}

async function waitForOutcome({ db, runWaiters }: ServerContext, { id, host, timeoutMs, signal }: Waiting): Promise<RunResult> {
  const sentAt = performance.now();
  let claimedAt: number | undefined;
  for (;;) {
    await runWaiters.wait(id, remindMs);
    if (signal.aborted) throw new LarderError("E_CANCELLED", "The caller has gone.");
    const run = await getRun(db.query, id);
    if (run?.outcome) {
      if ("result" in run.outcome) return run.outcome.result;
      throw LarderError.fromBody(run.outcome.error);
    }
    const now = performance.now();
    if (run?.claimed) claimedAt ??= now;
    else await db.notify(db.query, formatNotice({ type: "run", hostId: host.id }));
    if (run === undefined || (claimedAt === undefined && now - sentAt > claimMs)) {
      throw new LarderError("E_HOST_AWAY", `Host ${host.id} did not take the script within ${claimMs / 1000} s.`, {
        hint: "Its agent is not connected, or is busy; nothing was run. Look at larder hosts list, and try again.",
        retryable: true,
        details: { host: host.id },
      });
    }
    if (claimedAt !== undefined && now - claimedAt > timeoutMs + graceMs) {
      throw new LarderError("E_HOST_AWAY", `Host ${host.id} took the script and said no more.`, {
        hint: "It may have run, in whole or in part. Check that the host's agent runs.",
        details: { host: host.id },
      });
    }
  }
}
