import { createHash } from "node:crypto";
import { and, asc, eq, gt, isNotNull, isNull, type SQL, sql } from "drizzle-orm";
import {
  type EnvironmentName,
  formatPlatform,
  type Host,
  type HostCounts,
  type HostFilter,
  type HostLabels,
  type HostListQuery,
  type HostPage,
  type Id,
  type Platform,
} from "../contract/index.ts";
import { toTimestamp } from "./columns.ts";
import { clonedMs, hostFilter, hostState, silentMs } from "./host-filter.ts";
import { judgeHost } from "./host-state.ts";
import { cutPage } from "./page.ts";
import type { Queryable } from "./queryable.ts";
import { environments, generations, hosts } from "./schema.ts";
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
  nextKeyId: hosts.nextKeyId,
  sessions: hosts.sessions,
  phaseSince: hosts.phaseSince,
  clonedSince: hosts.clonedSince,
  wanted: environments.generationCounter,
  nextGenerationAt,
  silentMs,
  clonedMs,
};

const select = (tx: Queryable) =>
  tx.select(columns).from(hosts).innerJoin(environments, eq(environments.name, hosts.environment)).$dynamic();

type Row = Awaited<ReturnType<typeof select>>[number];

function toHost(row: Row): Host {
  const facts = withoutNulls(row);
  const { publicKey, phaseSince: _, clonedSince: __, nextGenerationAt: ___, silentMs: ____, clonedMs: _____, ...shown } = facts;
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
    nextKeyId: null,
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

/** Those of `ids` that are not revoked, in no order. */
export async function getHosts(tx: Queryable, ids: readonly Id[]): Promise<Host[]> {
  const isOneOf = sql`${hosts.id} in (select jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb))`;
  return (await select(tx).where(and(isOneOf, isNull(hosts.revokedAt)))).map(toHost);
}

/** Not revoked, by id; of all environments without one. */
export async function listHosts(tx: Queryable, environment?: EnvironmentName): Promise<Host[]> {
  return (await selectHosts(tx, hostFilter({ environment }))).map(toHost);
}

/** Not revoked, by id. */
export async function pageOfHosts(tx: Queryable, { limit, after, ...filter }: HostListQuery): Promise<HostPage> {
  const later = after === undefined ? undefined : gt(hosts.id, after);
  const rows = await selectHosts(tx, and(hostFilter(filter), later), limit + 1);
  return cutPage(rows, { limit, itemOf: toHost, cursorOf: ({ id }) => id });
}

/** By id. They come as one JSON text: taking thousands of rows apart costs several times as much. */
async function selectHosts(tx: Queryable, where: SQL | undefined, limit?: number): Promise<Row[]> {
  const row = sql<string>`json_build_array(${sql.join(Object.values(columns), sql`, `)})`.as("row");
  const query = tx
    .select({ id: hosts.id, row })
    .from(hosts)
    .innerJoin(environments, eq(environments.name, hosts.environment))
    .where(where)
    .orderBy(asc(hosts.id))
    .$dynamic();
  const page = (limit === undefined ? query : query.limit(limit)).as("page");
  const [found] = await tx.select({ rows: sql<string | null>`json_agg(${page.row} order by ${page.id})::text` }).from(page);
  return (JSON.parse(found?.rows ?? "[]") as unknown[][]).map(rowOf);
}

/** Not revoked, by how they are. */
export async function groupHosts(tx: Queryable, filter: HostFilter): Promise<HostCounts> {
  const { generation, phase } = hosts;
  const groups = await tx
    .select({ state: hostState, phase, generation, hosts: sql<number>`count(*)`.mapWith(Number) })
    .from(hosts)
    .innerJoin(environments, eq(environments.name, hosts.environment))
    .where(hostFilter(filter))
    .groupBy(sql`1`, phase, generation);
  return { total: groups.reduce((sum, group) => sum + group.hosts, 0), groups };
}

const names = Object.keys(columns) as (keyof Row)[];
const timestamps = new Set<keyof Row>(["createdAt", "lastSeenAt", "phaseSince", "clonedSince", "nextGenerationAt"]);

/** From the values of `columns` in their order, as JSON has them. */
function rowOf(values: readonly unknown[]): Row {
  const row: Record<string, unknown> = {};
  for (const [i, name] of names.entries()) {
    const value = values[i];
    row[name] = typeof value === "string" && timestamps.has(name) ? toTimestamp(value) : value;
  }
  return row as Row;
}

export async function countHosts(tx: Queryable, environment: EnvironmentName): Promise<number> {
  return await tx.$count(hosts, and(isNull(hosts.revokedAt), eq(hosts.environment, environment)));
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

/** Those whose last pass failed. */
export async function listHostsInError(tx: Queryable, environment: EnvironmentName): Promise<Id[]> {
  const rows = await tx
    .select({ id: hosts.id })
    .from(hosts)
    .where(and(eq(hosts.environment, environment), isNull(hosts.revokedAt), eq(hosts.phase, "error")))
    .orderBy(asc(hosts.id));
  return rows.map(({ id }) => id);
}

/** The distinct platforms that an environment's hosts have reported, sorted. */
export async function listHostPlatforms(tx: Queryable, environment: EnvironmentName): Promise<Platform[]> {
  const rows = await tx
    .selectDistinct({ platform: hosts.platform })
    .from(hosts)
    .where(and(eq(hosts.environment, environment), isNull(hosts.revokedAt), isNotNull(hosts.platform)));
  const byText = new Map(rows.flatMap(({ platform }) => (platform ? [[formatPlatform(platform), platform] as const] : [])));
  return [...byText.keys()].sort().flatMap((text) => byText.get(text) ?? []);
}
