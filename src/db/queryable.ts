import type { PgDatabase, PgQueryResultHKT } from "drizzle-orm/pg-core";

/** Runs queries: the database itself, or a transaction. PGlite and PostgreSQL alike. */
export type Queryable = Omit<PgDatabase<PgQueryResultHKT, Record<string, never>>, "transaction" | "query" | "_query" | "$cache">;
