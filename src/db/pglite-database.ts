import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { PGlite } from "@electric-sql/pglite";
import { drizzle } from "drizzle-orm/pglite";
import { LarderError } from "../contract/index.ts";
import { acquireDirectoryLock } from "../lib/index.ts";
import { cachedSnapshot, clusterSnapshot } from "./cluster-snapshot.ts";
import { type Db, type Election, notify, notifyChannel } from "./database.ts";
import { translated } from "./database-errors.ts";
import { nextEpoch } from "./election.ts";
import { migrate } from "./migrate.ts";
import { pgliteBytes } from "./pglite-bytes.ts";
import type { Queryable } from "./queryable.ts";
import { translateQueries } from "./translate-queries.ts";

/**
 * PGlite has one session and no lock of its own on its directory: two processes would silently lose one side's rows. Throws `E_LOCKED` with who
 * holds it. Within the process PGlite queues statements and whole transactions itself.
 */
export async function openPgliteDirectory(directory: string): Promise<Db> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const attempt = await acquireDirectoryLock(directory, { purpose: "larder database" });
  if (attempt.kind === "held") {
    const { pid, hostname, purpose, since } = attempt.by;
    throw new LarderError("E_LOCKED", `${directory} is in use by process ${pid} on ${hostname} (${purpose}) since ${since}.`, {
      hint: "Talk to that process (larder finds it by the same --data-dir), stop it, or give another --data-dir.",
      details: { pid, hostname, purpose, since },
    });
  }
  try {
    const data = join(directory, "data");
    const { PGlite } = await import("@electric-sql/pglite");
    await initialise(data, directory, PGlite);
    return await openClient(await PGlite.create(data, pgliteBytes), attempt.lock);
  } catch (error) {
    await attempt.lock[Symbol.asyncDispose]();
    throw error;
  }
}

export async function openPgliteMemory(): Promise<Db> {
  const { PGlite } = await import("@electric-sql/pglite");
  return await openClient(await PGlite.create("memory://", { ...pgliteBytes, loadDataDir: await clusterSnapshot() }));
}

/** A database appears by rename: one whose making was interrupted is made again from nothing. */
async function initialise(data: string, directory: string, implementation: typeof PGlite): Promise<void> {
  if (existsSync(data)) return;
  const draft = join(directory, "draft");
  await rm(draft, { recursive: true, force: true });
  const loadDataDir = await cachedSnapshot();
  const client = await implementation.create(draft, loadDataDir ? { loadDataDir } : {});
  await client.close();
  await rename(draft, data);
}

async function openClient(client: PGlite, lock?: AsyncDisposable): Promise<Db> {
  const database = drizzle(client);
  const transaction = <T>(fn: (tx: Queryable) => Promise<T>) =>
    translated(database.transaction((tx) => fn(tx as unknown as Queryable)));
  let held = false;
  await using cleanup = new AsyncDisposableStack();
  if (lock) cleanup.use(lock);
  cleanup.defer(() => client.close());
  await transaction((tx) => migrate(tx));
  const owned = cleanup.move();
  return {
    kind: "pglite",
    query: translateQueries(database),
    transaction,
    notify,
    async listen(handler) {
      const stop = await client.listen(notifyChannel, handler);
      return { [Symbol.asyncDispose]: () => stop() };
    },
    async elect(): Promise<Election | undefined> {
      if (held) return undefined;
      held = true;
      try {
        const epoch = await transaction((tx) => nextEpoch(tx, `process ${process.pid}`));
        const release = async () => {
          held = false;
        };
        return { epoch, signal: new AbortController().signal, [Symbol.asyncDispose]: release };
      } catch (error) {
        held = false;
        throw error;
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
