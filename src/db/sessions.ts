import { and, desc, eq, inArray, isNull, lte, sql } from "drizzle-orm";
import type { Id } from "../contract/index.ts";
import type { Queryable } from "./queryable.ts";
import { sessions, tokens } from "./schema.ts";
import { ownerColumns, type TokenOwner } from "./tokens.ts";
import { withoutNulls } from "./without-nulls.ts";

export interface LiveSession {
  id: Id;
  expiresAt: string;
  /** By the database's clock. */
  expiresInMs: number;
}

/** So that one that is left behind by every visit of a careless program is bounded. */
const sessionsPerToken = 100;
const live = sql`${sessions.expiresAt} > now()`;

/** In a transaction. `hash` is the caller's hash of the cookie. Drops what has expired, and the token's oldest beyond its share. */
export async function createSession(
  tx: Queryable,
  { id, hash, tokenId, lifeMs }: { id: Id; hash: string; tokenId: Id; lifeMs: number },
): Promise<{ expiresAt: string }> {
  await tx.delete(sessions).where(lte(sessions.expiresAt, sql`now()`));
  const excess = tx
    .select({ id: sessions.id })
    .from(sessions)
    .where(eq(sessions.tokenId, tokenId))
    .orderBy(desc(sessions.createdAt), desc(sessions.id))
    .offset(sessionsPerToken - 1);
  await tx.delete(sessions).where(inArray(sessions.id, excess));
  const expiresAt = sql`now() + ${lifeMs} * interval '1 millisecond'`;
  const [row] = await tx.insert(sessions).values({ id, hash, tokenId, expiresAt }).returning({ expiresAt: sessions.expiresAt });
  if (!row) throw new Error("createSession: no row");
  return row;
}

/** Not expired, and of a token that is not revoked. */
export async function findSession(tx: Queryable, hash: string): Promise<(TokenOwner & { session: LiveSession }) | undefined> {
  const [row] = await tx
    .select({
      ...ownerColumns,
      session: {
        id: sessions.id,
        expiresAt: sessions.expiresAt,
        expiresInMs: sql<number>`extract(epoch from ${sessions.expiresAt} - now()) * 1000`.mapWith(Number),
      },
    })
    .from(sessions)
    .innerJoin(tokens, eq(tokens.id, sessions.tokenId))
    .where(and(eq(sessions.hash, hash), live, isNull(tokens.revokedAt)));
  return row && withoutNulls(row);
}

/** False: it had ended before. */
export async function endSession(tx: Queryable, id: Id): Promise<boolean> {
  const rows = await tx.delete(sessions).where(eq(sessions.id, id)).returning({ id: sessions.id });
  return rows.length > 0;
}

export async function endSessionsOf(tx: Queryable, tokenId: Id): Promise<void> {
  await tx.delete(sessions).where(eq(sessions.tokenId, tokenId));
}

/** Of all that have not ended. */
export async function listSessionIds(tx: Queryable): Promise<Id[]> {
  return (await tx.select({ id: sessions.id }).from(sessions).where(live)).map(({ id }) => id);
}
