import { eq, type SQL, sql } from "drizzle-orm";
import { LarderError } from "../contract/index.ts";
import type { Db, Election } from "./database.ts";
import type { Queryable } from "./queryable.ts";
import { election } from "./schema.ts";

/**
 * Takes the election if nobody holds it. PostgreSQL: a session advisory lock on a connection of its own; embedded: a holder in this process, which
 * the directory's lock makes the only one. Either way the epoch is incremented under it, so that whoever held it before writes nothing more.
 */
export const tryElect = (db: Db): Promise<Election | undefined> => db.elect();

/** Call with the lock held. Waits for transactions of the previous epoch that are about to commit. */
export async function nextEpoch(tx: Queryable, holder: string): Promise<number> {
  const [row] = await tx
    .update(election)
    .set({ epoch: sql`${election.epoch} + 1`, holder, electedAt: sql`now()` })
    .where(eq(election.id, 1))
    .returning({ epoch: election.epoch });
  if (!row) throw new Error("The election's row is missing.");
  return row.epoch;
}

/**
 * True while `epoch` is the current one, and it stays so until this statement's transaction ends: the row is locked against the next
 * election's increment.
 */
export const epochHolds = (epoch: number): SQL =>
  sql`exists (select 1 from ${election} where ${election.epoch} = ${epoch} for share)`;

/** `epochHolds` as a check of its own, for a transaction of several writes. */
export async function isCurrentEpoch(tx: Queryable, epoch: number): Promise<boolean> {
  const rows = await tx.select({ epoch: election.epoch }).from(election).where(eq(election.epoch, epoch)).for("share");
  return rows.length > 0;
}

/** `isCurrentEpoch`, or `E_FENCED`. */
export async function assertEpoch(tx: Queryable, epoch: number): Promise<void> {
  if (!(await isCurrentEpoch(tx, epoch))) throw fenced();
}

/**
 * Runs `step`, which changes what is outside the database, while no other election can begin: PostgreSQL holds the epoch's row in a transaction for so long, which
 * must stay short, and the embedded database has no other process. `E_FENCED`, and nothing done, when `epoch` is over.
 */
export async function whileEpochHolds<T>(db: Db, epoch: number, step: (tx: Queryable) => Promise<T>): Promise<T> {
  if (db.kind === "postgres") {
    return await db.transaction(async (tx) => {
      await assertEpoch(tx, epoch);
      return await step(tx);
    });
  }
  await assertEpoch(db.query, epoch);
  return await step(db.query);
}

export const fenced = (): LarderError =>
  new LarderError("E_FENCED", "This control plane is no longer the elected one; it has changed nothing more.", {
    hint: "The elected one carries on. Ask again.",
    retryable: true,
  });
