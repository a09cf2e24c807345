import { type Column, type SQL, sql } from "drizzle-orm";

/** Milliseconds since `from`, by the database's clock. */
export const ageMs = (from: SQL): SQL<number> => sql<number>`extract(epoch from now() - ${from}) * 1000`.mapWith(Number);

/** True for times at least `ageMs` ago, by the database's clock. Columns round to the millisecond, up too: hence the one more. */
export const olderThan = (column: Column, ageMs: number): SQL =>
  sql`${column} <= now() - ${ageMs - 1}::float8 * interval '1 millisecond'`;
