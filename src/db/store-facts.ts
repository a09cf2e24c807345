import { and, count, eq, isNotNull, isNull, lt, or, sql, sum } from "drizzle-orm";
import type { EnvironmentName, HostPhase, OperationKind, OperationState } from "../contract/index.ts";
import type { Queryable } from "./queryable.ts";
import { blobQuarantine, blobs, desiredStates, election, environments, hosts, operations, strayBlobs } from "./schema.ts";

/** What the database says of the whole fleet, counted; the same whichever replica asks. */
export interface StoreFacts {
  operations: { kind: OperationKind; state: OperationState; count: number }[];
  /** The latest that succeeded, of each kind. */
  successes: { kind: OperationKind; endedAtSeconds: number; lastedSeconds: number }[];
  environments: { environment: EnvironmentName; generation: number }[];
  hosts: { environment: EnvironmentName; phase: HostPhase; count: number }[];
  /** Hosts of a lower generation than their environment's, and those that have said nothing for `silentMs`. */
  lagging: { environment: EnvironmentName; behind: number; silent: number }[];
  blobs: { store: string; count: number; bytes: number }[];
  unreferenced: { count: number; bytes: number };
  strayBytes: number;
  quarantined: number;
  epoch: number;
}

export async function readStoreFacts(tx: Queryable, { silentMs }: { silentMs: number }): Promise<StoreFacts> {
  const [unreferenced, strays, quarantined, elected] = await Promise.all([
    tx
      .select({ count: count(), bytes: total(blobs.sizeBytes) })
      .from(blobs)
      .where(isNotNull(blobs.unreferencedSince)),
    tx.select({ bytes: total(strayBlobs.sizeBytes) }).from(strayBlobs),
    tx.select({ count: count() }).from(blobQuarantine),
    tx.select({ epoch: election.epoch }).from(election),
  ]);
  return {
    operations: await tx
      .select({ kind: operations.kind, state: operations.state, count: count() })
      .from(operations)
      .groupBy(operations.kind, operations.state),
    successes: await readSuccesses(tx),
    environments: await tx
      .select({ environment: environments.name, generation: environments.generationCounter })
      .from(environments),
    hosts: await tx
      .select({ environment: hosts.environment, phase: hosts.phase, count: count() })
      .from(hosts)
      .where(isNull(hosts.revokedAt))
      .groupBy(hosts.environment, hosts.phase),
    lagging: await readLagging(tx, silentMs),
    blobs: await tx
      .select({ store: blobs.store, count: count(), bytes: total(blobs.sizeBytes) })
      .from(blobs)
      .groupBy(blobs.store),
    unreferenced: unreferenced[0] ?? { count: 0, bytes: 0 },
    strayBytes: strays[0]?.bytes ?? 0,
    quarantined: quarantined[0]?.count ?? 0,
    epoch: elected[0]?.epoch ?? 0,
  };
}

async function readSuccesses(tx: Queryable): Promise<StoreFacts["successes"]> {
  const endedAt = sql<number>`extract(epoch from ${operations.endedAt})`.mapWith(Number);
  const lasted = sql<number>`extract(epoch from ${operations.endedAt} - ${operations.startedAt})`.mapWith(Number);
  return await tx
    .selectDistinctOn([operations.kind], { kind: operations.kind, endedAtSeconds: endedAt, lastedSeconds: lasted })
    .from(operations)
    .where(and(eq(operations.state, "succeeded"), isNotNull(operations.endedAt), isNotNull(operations.startedAt)))
    .orderBy(operations.kind, sql`${operations.sequence} desc`);
}

async function readLagging(tx: Queryable, silentMs: number): Promise<StoreFacts["lagging"]> {
  const behind = lt(hosts.generation, desiredStates.generation);
  const silent = or(isNull(hosts.lastSeenAt), sql`${hosts.lastSeenAt} < now() - ${silentMs} * interval '1 millisecond'`);
  const counted = (condition: typeof behind | undefined) => sql<number>`count(*) filter (where ${condition})`.mapWith(Number);
  return await tx
    .select({ environment: hosts.environment, behind: counted(behind), silent: counted(silent) })
    .from(hosts)
    .leftJoin(desiredStates, eq(desiredStates.environment, hosts.environment))
    .where(isNull(hosts.revokedAt))
    .groupBy(hosts.environment);
}

const total = (column: Parameters<typeof sum>[0]) => sql<number>`coalesce(${sum(column)}, 0)`.mapWith(Number);
