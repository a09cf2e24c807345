import { createHash } from "node:crypto";
import { and, asc, eq, isNotNull, isNull, sql } from "drizzle-orm";
import {
  type EnvironmentName,
  formatPlatform,
  type Host,
  type HostLabels,
  type HostReport,
  type Id,
  type Platform,
} from "../contract/index.ts";
import { toTimestamp } from "./columns.ts";
import { type NotedSession, noteSession } from "./host-sessions.ts";
import { cloneAlarmMs, judgeHost } from "./host-state.ts";
import type { Queryable } from "./queryable.ts";
import { environments, generations, hosts } from "./schema.ts";
import { ageMs } from "./sql-age.ts";
import { withoutNulls } from "./without-nulls.ts";

const nextGenerationAt = sql<
  string | null
>`(select ${generations.createdAt} from ${generations} where ${generations.environment} = ${hosts.environment}
  and ${generations.number} > ${hosts.generation} order by ${generations.number} limit 1)`.mapWith((text: string) =>
  toTimestamp(text),
);

const columns = {
  id: hosts.id,
  environment: hosts.environment,
  labels: hosts.labels,
  enrolment: hosts.enrolmentId,
  publicKey: hosts.publicKey,
  createdAt: hosts.createdAt,
  lastSeenAt: hosts.lastSeenAt,
  generation: hosts.generation,
  lockfileHash: hosts.lockfileHash,
  accepted: hosts.accepted,
  phase: hosts.phase,
  error: hosts.error,
  progress: hosts.progress,
  platform: hosts.platform,
  agentVersion: hosts.agentVersion,
  runsInFlight: hosts.runsInFlight,
  freeBytes: hosts.freeBytes,
  totalBytes: hosts.totalBytes,
  trustedKeyId: hosts.trustedKeyId,
  sessions: hosts.sessions,
  phaseSince: hosts.phaseSince,
  clonedSince: hosts.clonedSince,
  wanted: environments.generationCounter,
  nextGenerationAt,
  silentMs: ageMs(sql`coalesce(${hosts.lastSeenAt}, ${hosts.createdAt})`),
  clonedMs: ageMs(sql`${hosts.clonedAt}`),
};

const select = (tx: Queryable) =>
  tx.select(columns).from(hosts).innerJoin(environments, eq(environments.name, hosts.environment)).$dynamic();

type Row = Awaited<ReturnType<typeof select>>[number];

function toHost(row: Row): Host {
  const { publicKey, phaseSince, clonedSince, nextGenerationAt: next, silentMs, clonedMs, ...shown } = withoutNulls(row);
  const facts = { ...shown, phaseSince, clonedSince, nextGenerationAt: next, silentMs, clonedMs };
  return { ...shown, ...(publicKey === undefined ? {} : { keyId: keyIdOf(publicKey) }), ...judgeHost(facts) };
}

/** As the contract's `keyIdOf`, which must wait for its digest. */
const keyIdOf = (publicKey: string): string =>
  createHash("sha256").update(Buffer.from(publicKey, "base64")).digest("hex").slice(0, 32);

export interface HostToInsert {
  id: Id;
  environment: EnvironmentName;
  publicKey?: string | undefined;
  labels?: HostLabels | undefined;
  enrolmentId?: Id | undefined;
  platform?: Platform | undefined;
  agentVersion?: string | undefined;
}

/** A new host, or a revoked one under the same id, as if new. `undefined`: the id is taken. */
export async function insertHost(tx: Queryable, { id, ...host }: HostToInsert): Promise<Host | undefined> {
  const fresh = {
    ...host,
    publicKey: host.publicKey ?? null,
    labels: host.labels ?? {},
    enrolmentId: host.enrolmentId ?? null,
    platform: host.platform ?? null,
    agentVersion: host.agentVersion ?? null,
    createdAt: sql`now()`,
    lastSeenAt: null,
    revokedAt: null,
    generation: 0,
    lockfileHash: null,
    accepted: 0,
    phase: "pending" as const,
    error: null,
    progress: null,
    runsInFlight: 0,
    freeBytes: null,
    totalBytes: null,
    trustedKeyId: null,
    phaseSince: null,
    sessions: [],
    clonedSince: null,
    clonedAt: null,
  };
  const rows = await tx
    .insert(hosts)
    .values({ id, ...fresh })
    .onConflictDoUpdate({ target: hosts.id, set: fresh, setWhere: isNotNull(hosts.revokedAt) })
    .returning({ id: hosts.id });
  return rows.length === 0 ? undefined : await getHost(tx, id);
}

/** Not revoked. */
export async function getHost(tx: Queryable, id: Id): Promise<Host | undefined> {
  const [row] = await select(tx).where(and(eq(hosts.id, id), isNull(hosts.revokedAt)));
  return row && toHost(row);
}

/** Not revoked, by id; of all environments without one. */
export async function listHosts(tx: Queryable, environment?: EnvironmentName): Promise<Host[]> {
  const inEnvironment = environment === undefined ? undefined : eq(hosts.environment, environment);
  const rows = await select(tx)
    .where(and(isNull(hosts.revokedAt), inEnvironment))
    .orderBy(asc(hosts.id));
  return rows.map(toHost);
}

/** In a transaction: replaces what the host said before. `stale`: a later report of the same agent is here. `undefined`: unknown or revoked. */
export async function reportHost(tx: Queryable, id: Id, report: HostReport): Promise<{ host: Host; stale: boolean } | undefined> {
  const [before] = await tx
    .select({
      phase: hosts.phase,
      sessions: hosts.sessions,
      clonedAt: hosts.clonedAt,
      at: sql<string>`now()`.mapWith(toTimestamp),
    })
    .from(hosts)
    .where(and(eq(hosts.id, id), isNull(hosts.revokedAt)))
    .for("update");
  if (!before) return undefined;
  const noted = report.session && noteSession(before.sessions, report.session, before.at);
  if (noted?.kind !== "stale")
    await tx
      .update(hosts)
      .set(changesBy(report, before, noted))
      .where(eq(hosts.id, id));
  const host = await getHost(tx, id);
  return host && { host, stale: noted?.kind === "stale" };
}

function changesBy(
  report: HostReport,
  before: { phase: Host["phase"]; clonedAt: string | null; at: string },
  noted: NotedSession | undefined,
) {
  const { session: _session, accepted, ...said } = report;
  const alarmGoesOn = before.clonedAt !== null && Date.parse(before.at) - Date.parse(before.clonedAt) < cloneAlarmMs;
  return {
    ...said,
    lockfileHash: report.lockfileHash ?? null,
    error: report.error ?? null,
    progress: report.progress ?? null,
    freeBytes: report.freeBytes ?? null,
    totalBytes: report.totalBytes ?? null,
    trustedKeyId: report.trustedKeyId ?? null,
    lastSeenAt: before.at,
    ...(accepted === undefined ? {} : { accepted }),
    ...(report.phase === before.phase ? {} : { phaseSince: before.at }),
    ...(noted?.kind === "noted" ? { sessions: noted.sessions } : {}),
    ...(noted?.kind === "noted" && noted.cloned
      ? { clonedAt: before.at, ...(alarmGoesOn ? {} : { clonedSince: before.at }) }
      : {}),
  };
}

/** In a transaction; its key is worth nothing from then on. `undefined`: unknown, or revoked before. */
export async function revokeHost(tx: Queryable, id: Id): Promise<Host | undefined> {
  const host = await getHost(tx, id);
  const revoked = await tx
    .update(hosts)
    .set({ revokedAt: sql`now()` })
    .where(and(eq(hosts.id, id), isNull(hosts.revokedAt)))
    .returning({ id: hosts.id });
  if (revoked.length === 0) return undefined;
  return host;
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
