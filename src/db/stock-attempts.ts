import { and, desc, eq, gte, sql } from "drizzle-orm";
import type { EnvironmentName } from "../contract/index.ts";
import type { Queryable } from "./queryable.ts";
import { operations } from "./schema.ts";
import { ageMs } from "./sql-age.ts";

/** The latest stockings of an environment that brought nothing, counted back to one that did, and how long ago the latest ended or was asked for. */
export interface FruitlessStocks {
  count: number;
  /** Somebody cancelled the latest. */
  cancelled: boolean;
  sinceMs: number;
}

const enough = 20;

/** Of those asked for since `since`: another generation may have what an earlier one could not get. */
export async function fruitlessStocks(
  tx: Queryable,
  { environment, since }: { environment: EnvironmentName; since: string },
): Promise<FruitlessStocks> {
  const { kind, createdAt, endedAt, state, result, sequence } = operations;
  const rows = await tx
    .select({
      state,
      fetched: sql<number>`coalesce((${result}->>'fetched')::int, 0)`.mapWith(Number),
      sinceMs: ageMs(sql`coalesce(${endedAt}, ${createdAt})`),
    })
    .from(operations)
    .where(and(eq(kind, "stock"), eq(operations.environment, environment), gte(createdAt, since)))
    .orderBy(desc(sequence))
    .limit(enough);
  const fruitful = rows.findIndex((row) => row.state === "succeeded" && row.fetched > 0);
  const [latest] = rows;
  return {
    count: fruitful === -1 ? rows.length : fruitful,
    cancelled: latest?.state === "cancelled",
    sinceMs: latest?.sinceMs ?? Number.POSITIVE_INFINITY,
  };
}
