import { drizzle } from "drizzle-orm/postgres-js";
import type postgres from "postgres";
import type { Election } from "./database.ts";
import { translated } from "./database-errors.ts";
import { fenced, nextEpoch } from "./election.ts";
import { answersWithin } from "./postgres-listener.ts";
import type { Queryable } from "./queryable.ts";

/** "larder" in ASCII, cut to 31 bits, plus one: the migration lock is the one before. */
const electionLock = 0x6c617265;

export interface ElectionTiming {
  heartbeatMs: number;
  /** A heartbeat unanswered for so long means that the connection is gone. */
  answerMs: number;
  /**
   * The server ends a session that has been silent for so long: that of a stopped process or behind a dead network, whose lock would otherwise stay
   * for ever. More than `heartbeatMs + answerMs`, so that the holder knows first.
   */
  silenceMs: number;
}

export const electionTiming: ElectionTiming = { heartbeatMs: 1500, answerMs: 6000, silenceMs: 8000 };

/** `connect` makes a client of one connection that calls `onclose` when it closes. */
export async function electOnPostgres(
  connect: (settings: { onclose(): void; silenceMs: number }) => postgres.Sql,
  holder: string,
  timing: ElectionTiming = electionTiming,
): Promise<Election | undefined> {
  const lost = new AbortController();
  let released = false;
  const lose = () => {
    if (!released) lost.abort(fenced());
  };
  const client = connect({ onclose: lose, silenceMs: timing.silenceMs });
  await using cleanup = new AsyncDisposableStack();
  // Ending the session releases its lock.
  cleanup.defer(() => client.end({ timeout: 2 }));
  cleanup.defer(() => {
    released = true;
  });
  const session = drizzle(client) as unknown as Queryable;
  if (!(await translated(tryLock(client)))) return undefined;
  const epoch = await translated(nextEpoch(session, holder));
  const beat = setInterval(() => {
    answersWithin(client, timing.answerMs).then((answered) => answered || lose(), lose);
  }, timing.heartbeatMs);
  beat.unref();
  cleanup.defer(() => clearInterval(beat));
  if (lost.signal.aborted) return undefined;
  const owned = cleanup.move();
  return { epoch, signal: lost.signal, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function tryLock(client: postgres.Sql): Promise<boolean> {
  const [row] = await client`select pg_try_advisory_lock(${electionLock}) as locked`;
  return row?.locked === true;
}
