import { afterAll, beforeAll, describe } from "bun:test";
import type { EnvironmentName } from "../../src/contract/index.ts";
import { createEnvironment, type Db, openDatabase } from "../../src/db/index.ts";
import { startPostgres } from "./postgres.ts";

let environments = 0;

/** The same suite on PGlite and on a real PostgreSQL. The database is shared by the suite; `environment()` is each test's own ground in it. */
export function onBothDatabases(
  name: string,
  suite: (database: { db(): Db; environment(): Promise<EnvironmentName>; url(): string | undefined }) => void,
): void {
  describe.each(["pglite", "postgres"] as const)(`${name} (%s)`, (kind) => {
    const cleanup = new AsyncDisposableStack();
    let db: Db | undefined;
    let url: string | undefined;
    const opened = () => {
      if (!db) throw new Error("The database is open only while tests run.");
      return db;
    };
    beforeAll(async () => {
      if (kind === "postgres") url = await cleanup.use(await startPostgres()).createDatabase();
      db = cleanup.use(await openDatabase(url === undefined ? { memory: true } : { url }));
    }, 60_000);
    afterAll(() => cleanup.disposeAsync(), 20_000);
    const environment = async () => {
      const name = `test-${++environments}` as EnvironmentName;
      await createEnvironment(opened().query, name);
      return name;
    };
    suite({ db: opened, environment, url: () => url });
  });
}
