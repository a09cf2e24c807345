import { and, eq, inArray, isNull, lt, type SQL, sql } from "drizzle-orm";
import { type HostFilter, type HostState, silentAfterMs } from "../contract/index.ts";
import { cloneAlarmMs } from "./host-state.ts";
import { environments, hosts } from "./schema.ts";
import { ageMs } from "./sql-age.ts";

/** Since a host was last heard of, or joined. */
export const silentMs = ageMs(sql`coalesce(${hosts.lastSeenAt}, ${hosts.createdAt})`);
export const clonedMs = ageMs(sql`${hosts.clonedAt}`);

/** What `judgeHost` makes of a row joined with its environment, so that the database can choose and count by it. */
export const hostState: SQL<HostState> = sql<HostState>`case
  when ${clonedMs} < ${sql.raw(String(cloneAlarmMs))} then 'cloned'
  when ${hosts.accepted} > ${environments.generationCounter} or ${hosts.error}->>'code' in ('E_ROLLBACK', 'E_EQUIVOCATION') then 'ahead'
  when ${silentMs} >= ${sql.raw(String(silentAfterMs))} then 'silent'
  when ${hosts.phase} = 'error' and ${hosts.error} is not null then 'failing'
  when ${hosts.generation} < ${environments.generationCounter} then 'behind'
  else 'current' end`;

/** Of hosts, joined with their environments, that are not revoked. */
export function hostFilter(filter: HostFilter): SQL | undefined {
  const { environment, state, phase, behind, silent, below, label = [], search } = filter;
  const isBehind = sql`${hosts.generation} < ${environments.generationCounter}`;
  const isSilent = sql`${silentMs} >= ${sql.raw(String(silentAfterMs))}`;
  return and(
    isNull(hosts.revokedAt),
    environment === undefined ? undefined : eq(hosts.environment, environment),
    state === undefined ? undefined : inArray(hostState, [state].flat()),
    phase === undefined ? undefined : inArray(hosts.phase, [phase].flat()),
    flag(behind, isBehind),
    flag(silent, isSilent),
    below === undefined ? undefined : lt(hosts.generation, below),
    ...[label].flat().map(hasLabel),
    search ? named(search) : undefined,
  );
}

const flag = (wanted: HostFilter["behind"], holds: SQL): SQL | undefined =>
  wanted === undefined ? undefined : String(wanted) === "true" ? holds : sql`not (${holds})`;

function hasLabel(label: string): SQL {
  const at = label.indexOf("=");
  if (at === -1) return sql`jsonb_exists(${hosts.labels}, ${label})`;
  return sql`${hosts.labels} @> ${JSON.stringify({ [label.slice(0, at)]: label.slice(at + 1) })}::jsonb`;
}

/** By plain text: nothing in it is a pattern. */
const named = (text: string): SQL =>
  sql`(strpos(${hosts.id}, lower(${text})) > 0 or strpos(lower(${hosts.sessions}->0->>'hostname'), lower(${text})) > 0)`;
