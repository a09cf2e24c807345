import { hostname } from "node:os";
import { drizzle } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { LarderError } from "../contract/index.ts";
import { type Db, notify, notifyChannel } from "./database.ts";
import { translated } from "./database-errors.ts";
import { migrate } from "./migrate.ts";
import { electOnPostgres } from "./postgres-election.ts";
import type { Queryable } from "./queryable.ts";
import { translateQueries } from "./translate-queries.ts";

/** `E_CONFIG` for an address that is none, `E_STORE_UNAVAILABLE` when the server does not answer. */
export async function openPostgres(url: string): Promise<Db> {
  assertPostgresUrl(url);
  const client = postgres(url, {
    ...connectionOptions,
    max: 10,
    idle_timeout: 60,
    connection: { ...connectionOptions.connection, idle_in_transaction_session_timeout: 20_000 },
  });
  const connectForElection = ({ onclose, silenceMs }: { onclose(): void; silenceMs: number }) =>
    postgres(url, {
      ...connectionOptions,
      max: 1,
      idle_timeout: 0,
      max_lifetime: null,
      onclose,
      connection: { ...connectionOptions.connection, idle_session_timeout: silenceMs },
    });
  const database = drizzle(client);
  const transaction = <T>(fn: (tx: Queryable) => Promise<T>) =>
    translated(database.transaction((tx) => fn(tx as unknown as Queryable)));
  await using cleanup = new AsyncDisposableStack();
  // postgres.js waits for a connection that was lost earlier until the time-out; who disposes has ended its work.
  cleanup.defer(() => client.end({ timeout: 1 }));
  await transaction((tx) => migrate(tx));
  const owned = cleanup.move();
  return {
    kind: "postgres",
    query: translateQueries(database),
    transaction,
    notify,
    listen: createListeners(client),
    elect: () => electOnPostgres(connectForElection, `process ${process.pid} on ${hostname()}`),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/**
 * One subscription for all handlers, for as long as the client: postgres.js subscribes again after a lost connection under a new identity, so that its
 * own `unlisten` does nothing afterwards.
 */
function createListeners(client: postgres.Sql): Db["listen"] {
  const listeners = new Set<{ handler(payload: string): void }>();
  let subscribed: Promise<unknown> | undefined;
  return async (handler) => {
    const listener = { handler };
    listeners.add(listener);
    try {
      subscribed ??= client.listen(notifyChannel, (payload) => {
        for (const each of listeners) each.handler(payload);
      });
      await translated(subscribed);
    } catch (error) {
      listeners.delete(listener);
      subscribed = undefined;
      throw error;
    }
    return {
      async [Symbol.asyncDispose]() {
        listeners.delete(listener);
      },
    };
  };
}

const connectionOptions = {
  onnotice: () => {},
  connect_timeout: 10,
  keep_alive: 15,
  connection: { application_name: "larder", TimeZone: "UTC" },
} as const;

function assertPostgresUrl(url: string): void {
  if (URL.canParse(url) && ["postgres:", "postgresql:"].includes(new URL(url).protocol)) return;
  throw new LarderError("E_CONFIG", "The database's address is not a PostgreSQL URL.", {
    hint: "Write postgres://USER:PASSWORD@HOST:5432/DATABASE.",
  });
}
