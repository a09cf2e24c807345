import { sql } from "drizzle-orm";
import { integer, pgTable } from "drizzle-orm/pg-core";
import { LarderError } from "../contract/index.ts";
import { timestampColumn } from "./columns.ts";
import { migrations } from "./migrations/index.ts";
import type { Queryable } from "./queryable.ts";

const schemaVersions = pgTable("larder_schema", {
  version: integer("version").primaryKey(),
  appliedAt: timestampColumn("applied_at").notNull().default(sql`now()`),
});

/** "larder" in ASCII, cut to 31 bits: any number that no other program on this database uses. */
const migrationLock = 0x6c617264;

/** Call inside one transaction: afterwards the schema is ours, or nothing changed. Replicas that start together take turns. Throws `E_SCHEMA_NEWER`. */
export async function migrate(tx: Queryable, steps: readonly string[] = migrations): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(${migrationLock})`);
  await tx.execute(
    sql`create table if not exists larder_schema (version integer primary key, applied_at timestamp(3) with time zone not null default now())`,
  );
  const [row] = await tx
    .select({ version: sql<number>`coalesce(max(${schemaVersions.version}), 0)`.mapWith(Number) })
    .from(schemaVersions);
  const version = row?.version ?? 0;
  if (version > steps.length) throw schemaNewer(version, steps.length);
  for (const [index, step] of steps.slice(version).entries()) {
    for (const statement of splitStatements(step)) await tx.execute(sql.raw(statement));
    await tx.insert(schemaVersions).values({ version: version + index + 1 });
  }
}

/** A statement ends with a semicolon at a line's end; migrations keep to that. */
const splitStatements = (text: string): string[] =>
  text
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");

function schemaNewer(found: number, known: number): LarderError {
  return new LarderError(
    "E_SCHEMA_NEWER",
    `The database has schema version ${found}; this Larder knows versions up to ${known}.`,
    {
      hint: "Start the newer Larder that made it, or restore a backup from before the upgrade.",
      details: { found, known },
    },
  );
}
