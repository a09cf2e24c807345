import { sql } from "drizzle-orm";
import type { ServerContext } from "../context.ts";

/** Every row of every table, as text, by table and in no matter which order they lie. */
export async function dumpDatabase({ db }: ServerContext): Promise<Record<string, string[]>> {
  const run = async (query: string) => (await db.query.execute(sql.raw(query))) as unknown as { rows: Record<string, unknown>[] };
  const { rows } = await run("select tablename as name from pg_tables where schemaname = 'public'");
  const tables = rows.map(({ name }) => String(name)).sort();
  const all = tables.map((name) => `select '${name}' as name, to_jsonb(t)::text as row from "${name}" t`);
  const dump: Record<string, string[]> = Object.fromEntries(tables.map((name) => [name, []]));
  for (const { name, row } of (await run(`${all.join(" union all ")} order by 1, 2`)).rows) dump[String(name)]?.push(String(row));
  return dump;
}

/**
 * The same without what nobody has asked to change: when a token was last used, when a host was last seen, how far an operation is,
 * which requests of hosts were made. */
export async function dumpState(context: ServerContext): Promise<Record<string, string[]>> {
  const { spent_proofs: _, ...dump } = await dumpDatabase(context);
  const own = /"(?:last_used_at|last_seen_at|progress|updated_at)": ?(?:null|"[^"]*"|\{[^}]*\}),?/g;
  return Object.fromEntries(Object.entries(dump).map(([table, rows]) => [table, rows.map((row) => row.replace(own, ""))]));
}
