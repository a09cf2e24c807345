import { and, eq } from "drizzle-orm";
import type { Id } from "../contract/index.ts";
import type { Queryable } from "./queryable.ts";
import { spentProofs } from "./schema.ts";
import { olderThan } from "./sql-age.ts";

/** In the transaction of what was asked for. False: it was made before, here or at another replica. Those older than `keepMs` are forgotten: nobody takes them any more. */
export async function spendProof(
  tx: Queryable,
  { hostId, nonce, keepMs }: { hostId: Id; nonce: string; keepMs: number },
): Promise<boolean> {
  await tx.delete(spentProofs).where(and(eq(spentProofs.hostId, hostId), olderThan(spentProofs.spentAt, keepMs)));
  const rows = await tx
    .insert(spentProofs)
    .values({ hostId, nonce })
    .onConflictDoNothing()
    .returning({ nonce: spentProofs.nonce });
  return rows.length > 0;
}
