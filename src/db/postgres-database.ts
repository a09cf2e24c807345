import { hostname } from "node:os";
import { drizzle } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { LarderError } from "../contract/index.ts";
import { assertSessions } from "./assert-sessions.ts";
import { type Db, notify } from "./database.ts";
import { translated } from "./database-errors.ts";
import { migrate } from "./migrate.ts";
import { electionTiming, electOnPostgres } from "./postgres-election.ts";
import { createPostgresListener } from "./postgres-listener.ts";
import type { Queryable } from "./queryable.ts";
import { translateQueries } from "./translate-queries.ts";

/** `E_CONFIG` for an address that is none or leads to a pooler of transactions, `E_STORE_UNAVAILABLE` when the server does not answer. */
export async function openPostgres(url: string): Promise<Db> {
  assertPostgresUrl(url);
  // Who is stopped within a transaction holds its locks: they must end when its election does.
  const client = postgres(url, {
    ...connectionOptions,
    max: 10,
    idle_timeout: 60,
    connection: { ...connectionOptions.connection, idle_in_transaction_session_timeout: electionTiming.silenceMs },
  });
  const connectForElection = ({ onclose, silenceMs }: { onclose(): void; silenceMs: number }) =>
    postgres(url, {
      ...connectionOptions,
      ...session,
      onclose,
      connection: { ...connectionOptions.connection, idle_session_timeout: silenceMs },
    });
  const connectToListen = (handlers: { onnotify(channel: string, payload: string): void; onclose(): void }) =>
    postgres(url, { ...connectionOptions, ...session, ...handlers, fetch_types: false });
  await translated(assertSessions(() => postgres(url, { ...connectionOptions, ...session, fetch_types: false })));
  const listener = createPostgresListener(connectToListen);
  const database = drizzle(client);
  const transaction = <T>(fn: (tx: Queryable) => Promise<T>) =>
    translated(database.transaction((tx) => fn(tx as unknown as Queryable)));
  await using cleanup = new AsyncDisposableStack();
  // postgres.js waits for a connection that was lost earlier until the time-out; who disposes has ended its work.
  cleanup.defer(() => client.end({ timeout: 1 }));
  cleanup.use(listener);
  await transaction((tx) => migrate(tx));
  const owned = cleanup.move();
  return {
    kind: "postgres",
    query: translateQueries(database),
    transaction,
    notify,
    listen: (onNotice, onResumed) => listener.add({ onNotice, onResumed }),
    elect: () => electOnPostgres(connectForElection, `process ${process.pid} on ${hostname()}`),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const connectionOptions = {
  onnotice: () => {},
  connect_timeout: 10,
  keep_alive: 15,
  connection: { application_name: "larder", TimeZone: "UTC" },
} as const;

/** A client of one connection that stays. */
const session = { max: 1, idle_timeout: 0, max_lifetime: null } as const;

function assertPostgresUrl(url: string): void {
  if (URL.canParse(url) && ["postgres:", "postgresql:"].includes(new URL(url).protocol)) return;
  throw new LarderError("E_CONFIG", "The database's address is not a PostgreSQL URL.", {
    hint: "Write postgres://USER:PASSWORD@HOST:5432/DATABASE.",
  });
}
