import { randomBytes } from "node:crypto";
import type postgres from "postgres";
import { LarderError } from "../contract/index.ts";
import { sleep } from "../lib/index.ts";

/** For a question that a server answers at once. */
const patienceMs = 10_000;
const rounds = 3;

/**
 * Throws `E_CONFIG` when one connection here is not one session there, as behind a pooler that hands a server's session to whoever begins the next
 * transaction: locks would then belong to strangers and notifications to nobody. Marks a session, lets a second connection hold a transaction, so that a pooler
 * must give the first one another session, and looks for the mark.
 */
export async function assertSessions(connect: () => postgres.Sql, answerMs = patienceMs): Promise<void> {
  const [marked, other] = [connect(), connect()];
  const mark = randomBytes(8).toString("hex");
  const done = new AbortController();
  try {
    await marked.unsafe(`select set_config('larder.session', '${mark}', false)`);
    const verdict = await Promise.race([
      keepsMark({ marked, other, mark }),
      sleep(answerMs, done.signal).then(
        () => "waits" as const,
        () => "waits" as const,
      ),
    ]);
    if (verdict !== "kept") throw pooled(verdict);
  } finally {
    done.abort();
    await Promise.all([marked.end({ timeout: 0 }), other.end({ timeout: 0 })]);
  }
}

type Verdict = "kept" | "lost" | "waits";

async function keepsMark(pair: { marked: postgres.Sql; other: postgres.Sql; mark: string }): Promise<Verdict> {
  const { marked, other, mark } = pair;
  for (let round = 0; round < rounds; round++) {
    await other.unsafe("begin");
    const seen = [await readMark(other), await readMark(marked)];
    await other.unsafe("rollback");
    if (seen[0] === mark || seen[1] !== mark) return "lost";
  }
  return "kept";
}

async function readMark(client: postgres.Sql): Promise<unknown> {
  const [row] = await client.unsafe("select current_setting('larder.session', true) as mark");
  return row?.mark;
}

const pooled = (verdict: Exclude<Verdict, "kept">): LarderError =>
  new LarderError(
    "E_CONFIG",
    verdict === "lost"
      ? "The database's address leads to a pooler of transactions: what a connection has set is gone in its next transaction."
      : "The database's address leads to a pooler with a single session: a connection waits while another has a transaction open.",
    {
      hint: "Give PostgreSQL's own address, or a pooler's in session mode: the lock of an election and LISTEN last as long as a session.",
    },
  );
