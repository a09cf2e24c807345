import { and, asc, eq, isNull, or, sql } from "drizzle-orm";
import type { Id, Role, Token } from "../contract/index.ts";
import type { Queryable } from "./queryable.ts";
import { tokens } from "./schema.ts";
import { withoutNulls } from "./without-nulls.ts";

/** Who a request is from. */
export type TokenOwner = Token;

const publicColumns = {
  id: tokens.id,
  role: tokens.role,
  subject: tokens.subject,
  createdAt: tokens.createdAt,
  lastUsedAt: tokens.lastUsedAt,
};
export const ownerColumns = publicColumns;

/** `hash` is the caller's hash of the text: the text itself never comes here. */
export async function createToken(tx: Queryable, token: { id: Id; role: Role; subject: string; hash: string }): Promise<Token> {
  const [row] = await tx.insert(tokens).values(token).returning(publicColumns);
  if (!row) throw new Error("createToken: no row");
  return withoutNulls(row);
}

/** Not revoked. */
export async function findToken(tx: Queryable, hash: string): Promise<TokenOwner | undefined> {
  const [row] = await tx
    .select(publicColumns)
    .from(tokens)
    .where(and(eq(tokens.hash, hash), isNull(tokens.revokedAt)));
  return row && withoutNulls(row);
}

/** Not revoked, oldest first. */
export async function listTokens(tx: Queryable): Promise<Token[]> {
  const rows = await tx
    .select(publicColumns)
    .from(tokens)
    .where(isNull(tokens.revokedAt))
    .orderBy(asc(tokens.createdAt), asc(tokens.id));
  return rows.map(withoutNulls);
}

/** `undefined`: no such token, or revoked before. */
export async function revokeToken(tx: Queryable, id: Id): Promise<Token | undefined> {
  const [row] = await tx
    .update(tokens)
    .set({ revokedAt: sql`now()` })
    .where(and(eq(tokens.id, id), isNull(tokens.revokedAt)))
    .returning(publicColumns);
  return row && withoutNulls(row);
}

/** Notes its use, at most once a minute. */
export async function touchToken(tx: Queryable, id: Id): Promise<void> {
  const due = or(isNull(tokens.lastUsedAt), sql`${tokens.lastUsedAt} < now() - interval '1 minute'`);
  await tx
    .update(tokens)
    .set({ lastUsedAt: sql`now()` })
    .where(and(eq(tokens.id, id), due));
}
