import { and, asc, count, eq, inArray, isNull, sql } from "drizzle-orm";
import type { Id, RunOutcome, RunRequestBody } from "../contract/index.ts";
import type { Queryable } from "./queryable.ts";
import { hostRuns } from "./schema.ts";

export interface RunToQueue {
  id: Id;
  hostId: Id;
  request: RunRequestBody;
  requestedBy: string;
  /** From now: nobody waits for longer. */
  expiresInMs: number;
}

/** How many wait for the host; the expired ones of all hosts are removed first. */
export async function countWaitingRuns(tx: Queryable, hostId: Id): Promise<number> {
  await tx.delete(hostRuns).where(sql`${hostRuns.expiresAt} < now()`);
  const [row] = await tx
    .select({ waiting: count() })
    .from(hostRuns)
    .where(and(eq(hostRuns.hostId, hostId), isNull(hostRuns.claimedAt)));
  return row?.waiting ?? 0;
}

export async function queueRun(tx: Queryable, { id, hostId, request, requestedBy, expiresInMs }: RunToQueue): Promise<void> {
  const expiresAt = sql`now() + ${expiresInMs} * interval '1 millisecond'`;
  await tx.insert(hostRuns).values({ id, hostId, request: JSON.stringify(request), requestedBy, expiresAt });
}

/** Gives the host the oldest that nobody has claimed; each is given once. */
export async function claimRuns(
  tx: Queryable,
  { hostId, max }: { hostId: Id; max: number },
): Promise<{ id: Id; request: RunRequestBody }[]> {
  const waiting = tx
    .select({ id: hostRuns.id })
    .from(hostRuns)
    .where(and(eq(hostRuns.hostId, hostId), isNull(hostRuns.claimedAt), sql`${hostRuns.expiresAt} > now()`))
    .orderBy(asc(hostRuns.createdAt))
    .limit(max)
    .for("update", { skipLocked: true });
  const rows = await tx
    .update(hostRuns)
    .set({ claimedAt: sql`now()` })
    .where(and(inArray(hostRuns.id, waiting), isNull(hostRuns.claimedAt)))
    .returning({ id: hostRuns.id, request: hostRuns.request });
  return rows.map(({ id, request }) => ({ id, request: JSON.parse(request) as RunRequestBody }));
}

/** False: nobody waits for it any more. */
export async function finishRun(
  tx: Queryable,
  { id, hostId, outcome }: { id: Id; hostId: Id; outcome: RunOutcome },
): Promise<boolean> {
  const rows = await tx
    .update(hostRuns)
    .set({ outcome: JSON.stringify(outcome) })
    .where(and(eq(hostRuns.id, id), eq(hostRuns.hostId, hostId), isNull(hostRuns.outcome)))
    .returning({ id: hostRuns.id });
  return rows.length > 0;
}

/** `undefined`: it has expired, or was dropped. */
export async function getRun(tx: Queryable, id: Id): Promise<{ claimed: boolean; outcome?: RunOutcome } | undefined> {
  const [row] = await tx
    .select({ claimedAt: hostRuns.claimedAt, outcome: hostRuns.outcome })
    .from(hostRuns)
    .where(eq(hostRuns.id, id));
  if (!row) return undefined;
  return {
    claimed: row.claimedAt !== null,
    ...(row.outcome === null ? {} : { outcome: JSON.parse(row.outcome) as RunOutcome }),
  };
}

export async function dropRun(tx: Queryable, id: Id): Promise<void> {
  await tx.delete(hostRuns).where(eq(hostRuns.id, id));
}
