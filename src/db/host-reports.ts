import { isDeepStrictEqual } from "node:util";
import { and, asc, isNull, type SQL, sql } from "drizzle-orm";
import { type EnvironmentName, type Host, type HostReport, type Id, type Platform, silentAfterMs } from "../contract/index.ts";
import { toTimestamp } from "./columns.ts";
import { noteSession } from "./host-sessions.ts";
import { cloneAlarmMs } from "./host-state.ts";
import type { Queryable } from "./queryable.ts";
import { hosts } from "./schema.ts";

export type ReportOutcome =
  /** `isNews`: more changed than what every heartbeat brings. */
  | { kind: "kept"; isNews: boolean; host: ReportingHost }
  /** A later report of the same agent is here. */
  | { kind: "stale" }
  /** Unknown or revoked. */
  | { kind: "unknown" };

export interface ReportingHost {
  id: Id;
  environment: EnvironmentName;
  phase: Host["phase"];
  platform: Platform | null;
}

/** What reports are about, and the type of each column in SQL. */
const types = {
  phase: sql`text`,
  phaseSince: sql`timestamptz`,
  lastSeenAt: sql`timestamptz`,
  generation: sql`bigint`,
  lockfileHash: sql`text`,
  accepted: sql`bigint`,
  error: sql`jsonb`,
  progress: sql`jsonb`,
  platform: sql`jsonb`,
  agentVersion: sql`text`,
  runsInFlight: sql`integer`,
  freeBytes: sql`bigint`,
  totalBytes: sql`bigint`,
  trustedKeyId: sql`text`,
  nextKeyId: sql`text`,
  sessions: sql`jsonb`,
  clonedSince: sql`timestamptz`,
  clonedAt: sql`timestamptz`,
} as const satisfies Partial<Record<keyof typeof hosts._.columns, SQL>>;

/**
 * In a transaction: each replaces what its host said before; outcomes in the order of `reports`. Takes three statements however many they are, and locks rows
 * by id, so that replicas do not wait for each other in a circle.
 */
export async function reportHosts(tx: Queryable, reports: readonly { id: Id; report: HostReport }[]): Promise<ReportOutcome[]> {
  const rows = new Map((await lockRows(tx, [...new Set(reports.map(({ id }) => id))])).map((row) => [row.id, row]));
  const changed = new Map<Id, Row>();
  const outcomes = reports.map(({ id, report }): ReportOutcome => {
    const before = rows.get(id);
    if (before === undefined) return { kind: "unknown" };
    const after = afterReport(before, report);
    if (after === undefined) return { kind: "stale" };
    rows.set(id, after);
    changed.set(id, after);
    return { kind: "kept", isNews: isNews(before, after), host: after };
  });
  if (changed.size > 0) await tx.execute(updateOf([...changed.values()]));
  return outcomes;
}

const { id, environment } = hosts;
const columns = {
  id,
  environment,
  ...(Object.fromEntries(Object.keys(types).map((name) => [name, hosts[name as keyof typeof types]])) as {
    [Name in keyof typeof types]: (typeof hosts)[Name];
  }),
  at: sql<string>`now()`.mapWith(toTimestamp),
};

const lockRows = (tx: Queryable, ids: readonly Id[]) =>
  tx
    .select(columns)
    .from(hosts)
    .where(and(sql`${hosts.id} in (select jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb))`, isNull(hosts.revokedAt)))
    .orderBy(asc(hosts.id))
    .for("update");

type Row = Awaited<ReturnType<typeof lockRows>>[number];

/** `undefined` for a report that is here already, or one before it. */
function afterReport(before: Row, report: HostReport): Row | undefined {
  const { at, clonedAt } = before;
  const noted = report.session && noteSession(before.sessions, report.session, at);
  if (noted?.kind === "stale") return undefined;
  const alarmGoesOn = clonedAt !== null && Date.parse(at) - Date.parse(clonedAt) < cloneAlarmMs;
  return {
    ...before,
    phase: report.phase,
    generation: report.generation,
    platform: report.platform,
    agentVersion: report.agentVersion,
    runsInFlight: report.runsInFlight,
    lockfileHash: report.lockfileHash ?? null,
    error: report.error ?? null,
    progress: report.progress ?? null,
    freeBytes: report.freeBytes ?? null,
    totalBytes: report.totalBytes ?? null,
    trustedKeyId: report.trustedKeyId ?? null,
    nextKeyId: report.nextKeyId ?? null,
    accepted: report.accepted ?? before.accepted,
    lastSeenAt: at,
    phaseSince: report.phase === before.phase ? before.phaseSince : at,
    ...(noted ? { sessions: noted.sessions } : {}),
    ...(noted?.cloned ? { clonedAt: at, clonedSince: alarmGoesOn ? before.clonedSince : at } : {}),
  };
}

/** A host that was nearly taken for silent is news too. */
function isNews(before: Row, after: Row): boolean {
  if (before.lastSeenAt === null || Date.parse(after.at) - Date.parse(before.lastSeenAt) > silentAfterMs / 2) return true;
  return !isDeepStrictEqual(lasting(before), lasting(after));
}

const lasting = ({ lastSeenAt: _, freeBytes: __, totalBytes: ___, at: ____, sessions, ...row }: Row) => ({
  ...row,
  agent: sessions[0]?.id,
});

const list = (parts: readonly SQL[]): SQL => sql.join([...parts], sql`, `);

function updateOf(rows: readonly Row[]): SQL {
  const entries = Object.entries(types).map(([name, type]) => ({ name, type, column: hosts[name as keyof typeof types] }));
  const set = entries.map(({ name, column }) => sql`${sql.identifier(column.name)} = said.${sql.identifier(name)}`);
  const said = entries.map(({ name, type }) => sql`${sql.identifier(name)} ${type}`);
  return sql`update ${hosts} set ${list(set)}
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as said (id text, ${list(said)})
    where ${hosts.id} = said.id`;
}
