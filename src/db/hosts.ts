import { and, asc, eq, isNotNull, isNull, sql } from "drizzle-orm";
import { type EnvironmentName, formatPlatform, type Host, type HostReport, type Id, type Platform } from "../contract/index.ts";
import type { Queryable } from "./queryable.ts";
import { hosts, tokens } from "./schema.ts";
import { withoutNulls } from "./without-nulls.ts";

const columns = {
  id: hosts.id,
  environment: hosts.environment,
  createdAt: hosts.createdAt,
  lastSeenAt: hosts.lastSeenAt,
  generation: hosts.generation,
  lockfileHash: hosts.lockfileHash,
  phase: hosts.phase,
  error: hosts.error,
  progress: hosts.progress,
  platform: hosts.platform,
  agentVersion: hosts.agentVersion,
  runsInFlight: hosts.runsInFlight,
  freeBytes: hosts.freeBytes,
};

/** A new host, or a revoked one under the same id, as if new. `undefined`: the id is taken. */
export async function insertHost(
  tx: Queryable,
  { id, environment }: { id: Id; environment: EnvironmentName },
): Promise<Host | undefined> {
  const fresh = {
    environment,
    createdAt: sql`now()`,
    lastSeenAt: null,
    revokedAt: null,
    generation: 0,
    lockfileHash: null,
    phase: "pending" as const,
    error: null,
    progress: null,
    platform: null,
    agentVersion: null,
    runsInFlight: 0,
    freeBytes: null,
  };
  const [row] = await tx
    .insert(hosts)
    .values({ id, environment })
    .onConflictDoUpdate({ target: hosts.id, set: fresh, setWhere: isNotNull(hosts.revokedAt) })
    .returning(columns);
  return row && withoutNulls(row);
}

/** Not revoked. */
export async function getHost(tx: Queryable, id: Id): Promise<Host | undefined> {
  const [row] = await tx
    .select(columns)
    .from(hosts)
    .where(and(eq(hosts.id, id), isNull(hosts.revokedAt)));
  return row && withoutNulls(row);
}

/** Not revoked, by id; of all environments without one. */
export async function listHosts(tx: Queryable, environment?: EnvironmentName): Promise<Host[]> {
  const inEnvironment = environment === undefined ? undefined : eq(hosts.environment, environment);
  const rows = await tx
    .select(columns)
    .from(hosts)
    .where(and(isNull(hosts.revokedAt), inEnvironment))
    .orderBy(asc(hosts.id));
  return rows.map(withoutNulls);
}

/** Replaces what the host said before. `undefined`: unknown or revoked. */
export async function reportHost(tx: Queryable, id: Id, report: HostReport): Promise<Host | undefined> {
  const [row] = await tx
    .update(hosts)
    .set({
      phase: report.phase,
      generation: report.generation,
      lockfileHash: report.lockfileHash ?? null,
      platform: report.platform,
      agentVersion: report.agentVersion,
      error: report.error ?? null,
      progress: report.progress ?? null,
      runsInFlight: report.runsInFlight,
      freeBytes: report.freeBytes ?? null,
      lastSeenAt: sql`now()`,
    })
    .where(and(eq(hosts.id, id), isNull(hosts.revokedAt)))
    .returning(columns);
  return row && withoutNulls(row);
}

/** The host and all its tokens, in a transaction. `undefined`: unknown, or revoked before. */
export async function revokeHost(tx: Queryable, id: Id): Promise<Host | undefined> {
  const [row] = await tx
    .update(hosts)
    .set({ revokedAt: sql`now()` })
    .where(and(eq(hosts.id, id), isNull(hosts.revokedAt)))
    .returning(columns);
  if (!row) return undefined;
  await tx
    .update(tokens)
    .set({ revokedAt: sql`now()` })
    .where(and(eq(tokens.hostId, id), isNull(tokens.revokedAt)));
  return withoutNulls(row);
}

/** The distinct platforms that an environment's hosts have reported, sorted. */
export async function listHostPlatforms(tx: Queryable, environment: EnvironmentName): Promise<Platform[]> {
  const rows = await tx
    .select({ platform: hosts.platform })
    .from(hosts)
    .where(and(eq(hosts.environment, environment), isNull(hosts.revokedAt), isNotNull(hosts.platform)));
  const byText = new Map(rows.flatMap(({ platform }) => (platform ? [[formatPlatform(platform), platform] as const] : [])));
  return [...byText.keys()].sort().flatMap((text) => byText.get(text) ?? []);
}
