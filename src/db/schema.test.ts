import { expect, test } from "bun:test";
import { is, sql } from "drizzle-orm";
import { getTableConfig, PgTable } from "drizzle-orm/pg-core";
import { onBothDatabases } from "../../test/harness/on-both-databases.ts";
import type { Queryable } from "./queryable.ts";
import * as schema from "./schema.ts";

const tables = Object.values(schema).filter((value) => is(value, PgTable));

onBothDatabases("the schema", ({ db }) => {
  test.each(tables.map((table) => [getTableConfig(table).name, getTableConfig(table)] as const))(
    "the migrations make %s as queries see it",
    async (name, config) => {
      const expected = config.columns.map((column) => ({
        name: column.name,
        type: column.getSQLType().replace("timestamp(3)", "timestamp(3)"),
        notNull: column.notNull,
        hasDefault: column.hasDefault && !column.generatedIdentity,
        identity: column.generatedIdentity !== undefined,
      }));
      expect(await columnsOf(db().query, name)).toEqual(expected.toSorted(byName));
      const keys = config.primaryKeys.map((key) => key.columns.map((column) => column.name));
      const single = config.columns.filter((column) => column.primary).map((column) => [column.name]);
      const indexes = [
        ...[...keys, ...single].map((columns) => ({ unique: true, columns })),
        ...config.columns.filter((column) => column.isUnique).map((column) => ({ unique: true, columns: [column.name] })),
        ...config.indexes.map(({ config: { unique, columns } }) => ({
          unique,
          columns: columns.map((column) => ("name" in column ? column.name : "?")),
        })),
      ];
      expect(await indexesOf(db().query, name)).toEqual(indexes.map((index) => JSON.stringify(index)).sort());
    },
  );

  test("there are no tables that queries do not know", async () => {
    const rows = await rowsOf(db().query, sql`select tablename as name from pg_tables where schemaname = 'public'`);
    const known = [...tables.map((table) => getTableConfig(table).name), "larder_schema"];
    expect(rows.map(({ name }) => name).sort()).toEqual(known.sort());
  });
});

const byName = (a: { name: unknown }, b: { name: unknown }) => (String(a.name) < String(b.name) ? -1 : 1);

async function columnsOf(tx: Queryable, table: string) {
  const rows = await rowsOf(
    tx,
    sql`select attname as name, format_type(atttypid, atttypmod) as type, attnotnull as "notNull", atthasdef as "hasDefault",
      attidentity <> '' as identity from pg_attribute where attrelid = ${table}::regclass and attnum > 0 and not attisdropped`,
  );
  return rows.toSorted((a, b) => byName(a as { name: unknown }, b as { name: unknown }));
}

async function indexesOf(tx: Queryable, table: string) {
  const rows = await rowsOf(
    tx,
    sql`select indisunique as "unique", (select jsonb_agg(attname order by place) from unnest(indkey::int2[]) with ordinality as k (number, place)
      join pg_attribute on attrelid = indrelid and attnum = number) as columns from pg_index where indrelid = ${table}::regclass`,
  );
  return rows.map(({ unique, columns }) => JSON.stringify({ unique, columns })).sort();
}

/** The two drivers shape raw results differently; queries never use them. */
async function rowsOf(tx: Queryable, query: ReturnType<typeof sql>): Promise<Record<string, unknown>[]> {
  const result = (await tx.execute(query)) as unknown as Record<string, unknown>[] | { rows: Record<string, unknown>[] };
  return Array.isArray(result) ? [...result] : result.rows;
}
