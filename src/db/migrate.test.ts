import { describe, expect, test } from "bun:test";
import { mkdir, readdir } from "node:fs/promises";
import { sql } from "drizzle-orm";
import { onBothDatabases } from "../../test/harness/on-both-databases.ts";
import { startPostgres } from "../../test/harness/postgres.ts";
import { openTempDir } from "../../test/harness/temp-dir.ts";
import { createEnvironment, listEnvironments } from "./environments.ts";
import { migrate } from "./migrate.ts";
import { migrations } from "./migrations/index.ts";
import { openDatabase } from "./open-database.ts";

onBothDatabases("migrate", ({ db }) => {
  test("applies each step once", async () => {
    const steps = [...migrations, "create table extra (id integer);\ninsert into extra values (1);\n"];
    await db().transaction((tx) => migrate(tx, steps));
    await db().transaction((tx) => migrate(tx, steps));
    await db().query.execute(sql`select 1 / (select count(*) from extra where id = 1)`);
  });

  test("refuses a database of a newer Larder, and says both versions", async () => {
    const attempt = db().transaction((tx) => migrate(tx, migrations));
    await expect(attempt).rejects.toMatchObject({
      code: "E_SCHEMA_NEWER",
      details: { found: migrations.length + 1, known: migrations.length },
    });
    await attempt.catch(() => {});
  });

  test("changes nothing when a step fails", async () => {
    const steps = [...migrations, "", "create table half (id integer);\nselect 1 / 0;\n"];
    await expect(db().transaction((tx) => migrate(tx, steps))).rejects.toThrow("division by zero");
    await expect((async () => await db().query.execute(sql`select * from half`))()).rejects.toThrow("does not exist");
  });
});

describe("openDatabase", () => {
  test("replicas that start at once on an empty PostgreSQL all come up", async () => {
    await using server = await startPostgres();
    const url = await server.createDatabase();
    const replicas = await Promise.all(Array.from({ length: 4 }, () => openDatabase({ url })));
    for (const replica of replicas) {
      expect((await listEnvironments(replica.query)).map(({ name }) => String(name))).toEqual(["default"]);
      await replica[Symbol.asyncDispose]();
    }
  });

  test("a directory keeps its data, and is made again when its making was interrupted", async () => {
    await using directory = await openTempDir("db");
    await mkdir(directory.join("db/draft/base"), { recursive: true });
    {
      await using db = await openDatabase({ directory: directory.join("db") });
      await createEnvironment(db.query, "kept" as never);
    }
    await using db = await openDatabase({ directory: directory.join("db") });
    expect((await listEnvironments(db.query)).map(({ name }) => String(name))).toEqual(["default", "kept"]);
    expect(await readdir(directory.join("db"))).not.toContain("draft");
  }, 30_000);

  test("a second opener of a directory is told who holds it", async () => {
    await using directory = await openTempDir("db");
    await using _db = await openDatabase({ directory: directory.path });
    const second = openDatabase({ directory: directory.path });
    await expect(second).rejects.toMatchObject({ code: "E_LOCKED", details: { pid: process.pid, purpose: "larder database" } });
    await second.catch(() => {});
  }, 30_000);

  test("says what is wrong with an address, without its password", async () => {
    await expect(openDatabase({ url: "mysql://u:hunter2@h/d" })).rejects.toMatchObject({ code: "E_CONFIG" });
    const refused = await openDatabase({ url: "postgres://u:hunter2@127.0.0.1:1/d" }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "E_STORE_UNAVAILABLE", retryable: true });
    expect(Bun.inspect(refused)).not.toContain("hunter2");
  });
});
